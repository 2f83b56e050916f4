"""Group nearly equal pictures by their difference hashes, without comparing every pair."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

HASH_BITS = 64
# 99 of 100 copies that were recompressed, resized, cropped a little or brightened are within 5 bits; of 2,640 honest photographs
# of groceries 22 have another one within 6.
DEFAULT_MAX_DISTANCE = 6
# Pairs that are compared at once: bounds memory at about 50 MB.
_BLOCK_PAIRS = 1 << 21


def near_duplicate_groups(hashes: NDArray[np.int64], max_distance: int = DEFAULT_MAX_DISTANCE) -> NDArray[np.int64]:
    """Group hashes that differ in at most `max_distance` bits, and those that such pairs chain together.

    Two hashes within k bits agree wholly on at least one of k + 1 bands, so only hashes that share a band are compared.

    Args:
        hashes: (n,) signed 64-bit hashes, in any order.
        max_distance: 0..16.

    Returns:
        (n,) the position of the first member of each hash's group; a hash without near duplicates has its own position.
    """
    if not 0 <= max_distance <= 16:
        raise ValueError(f"max_distance is {max_distance}; 0 to 16 was expected")
    distinct, first, inverse = np.unique(hashes.view(np.uint64), return_index=True, return_inverse=True)
    groups = _DisjointSets(len(distinct))
    bounds = np.linspace(0, HASH_BITS, max_distance + 2).round().astype(int)
    for low, high in pairwise(bounds):
        mask = np.uint64((1 << int(high - low)) - 1)
        band = (distinct >> np.uint64(low)) & mask
        order = np.argsort(band, kind="stable")
        starts = np.flatnonzero(np.diff(band[order], prepend=band[order][:1] ^ np.uint64(1)))
        for members in np.split(order, starts[1:]):
            if len(members) > 1:
                _join_near(groups, distinct, members, max_distance)
    roots = groups.roots()
    first_of_root = np.full(len(distinct), len(hashes), dtype=np.int64)
    np.minimum.at(first_of_root, roots, first)
    return first_of_root[roots][inverse]


def _join_near(groups: "_DisjointSets", distinct: NDArray[np.uint64], members: NDArray[np.int64], max_distance: int) -> None:
    rows = max(1, _BLOCK_PAIRS // len(members))
    for start in range(0, len(members), rows):
        block = members[start : start + rows]
        distances = np.bitwise_count(distinct[block][:, None] ^ distinct[members][None, :])
        for row, column in np.argwhere(distances <= max_distance):
            groups.join(int(block[row]), int(members[column]))


class _DisjointSets:
    """Union-find with path halving; the smaller number becomes the root."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def root(self, member: int) -> int:
        parents = self._parents
        while parents[member] != member:
            parents[member] = parents[parents[member]]
            member = parents[member]
        return member

    def join(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        if one != other:
            self._parents[max(one, other)] = min(one, other)

    def roots(self) -> NDArray[np.int64]:
        return np.array([self.root(member) for member in range(len(self._parents))], dtype=np.int64)
