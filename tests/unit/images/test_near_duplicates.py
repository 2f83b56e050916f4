import io
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from deep_images_hub.images.difference_hash import difference_hash, hamming_distance
from deep_images_hub.images.near_duplicates import DEFAULT_MAX_DISTANCE, near_duplicate_groups
from deep_images_hub.simulation.defects import plant
from deep_images_hub.simulation.products import PRODUCTS
from deep_images_hub.simulation.scenes import render


def hash_of(body: bytes) -> int:
    return difference_hash(Image.open(io.BytesIO(body)).convert("RGB"))


def groups_by_every_pair(hashes: list[int], max_distance: int) -> list[int]:
    """Group by comparing all pairs until nothing changes."""
    groups = list(range(len(hashes)))
    changed = True
    while changed:
        changed = False
        for one in range(len(hashes)):
            for other in range(one):
                low = min(groups[one], groups[other])
                if hamming_distance(hashes[one], hashes[other]) <= max_distance and groups[one] != groups[other]:
                    groups[one] = groups[other] = low
                    changed = True
    return groups


NEAR = st.builds(
    lambda base, flips: (sum(1 << bit for bit in flips) ^ base) - (1 << 63),
    st.sampled_from([0, 0x0F0F_33CC_55AA_7E81, (1 << 64) - 1]),
    st.sets(st.integers(0, 63), max_size=6),
)


@given(hashes=st.lists(NEAR, max_size=24), max_distance=st.integers(0, 8))
def test_groups_are_those_of_comparing_every_pair(hashes: list[int], max_distance: int) -> None:
    found = near_duplicate_groups(np.array(hashes, dtype=np.int64), max_distance)
    assert found.tolist() == groups_by_every_pair(hashes, max_distance)


def test_hashes_of_equal_pictures_are_grouped_without_comparing_all() -> None:
    hashes = np.concatenate([np.zeros(20_000, np.int64), np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 20_000)])
    groups = near_duplicate_groups(hashes)
    assert (groups[:20_000] == 0).all()
    assert len(np.unique(groups[20_000:])) > 19_900


def test_no_hashes_give_no_groups() -> None:
    assert near_duplicate_groups(np.array([], dtype=np.int64)).tolist() == []


@pytest.mark.parametrize("max_distance", [-1, 17])
def test_distance_beyond_what_banding_can_do_is_refused(max_distance: int) -> None:
    with pytest.raises(ValueError, match="0 to 16"):
        near_duplicate_groups(np.array([1], dtype=np.int64), max_distance)


def test_copies_of_a_photograph_are_near_and_other_photographs_are_not() -> None:
    bodies = [render(3, label, index) for label in PRODUCTS for index in range(2)]
    hashes = [hash_of(body) for body in bodies]
    copies = [hash_of(plant(body, "near_duplicate", random.Random(number))[0]) for number, body in enumerate(bodies)]
    near = [hamming_distance(one, other) <= DEFAULT_MAX_DISTANCE for one, other in zip(hashes, copies, strict=True)]
    assert sum(near) >= 0.95 * len(near)
    assert len(np.unique(near_duplicate_groups(np.array(hashes)))) == len(bodies)
