"""Near-duplicates against the whole hub: found through the index on descriptors, grouped, and told to the ledger.

Pictures without a current label take no part: they are neither compared nor found. Who is alike does not depend on who came
first, so a group is the same in whatever order its pictures come, and is named by the oldest of them. Two groups that a new
picture belongs to become one. A picture that loses its label stays in its group: groups grow and never fall apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.images.descriptor import GRID_SIDE
from deep_images_hub.images.near_duplicates import MAX_HASH_BITS, NEAR_DUPLICATE_THRESHOLD, near_duplicate_scores
from deep_images_hub.verdicts import CHECK_VERSION

# The advisory lock of whoever compares pictures, until the end of the transaction; any number that nobody else takes.
_LOCK = 0x44494806
# Pictures that are asked about in one statement: a few seconds at ten million rows.
_ASKED_AT_ONCE = 500
# Candidates of one picture, the nearest first. Only pictures that were sent hundreds of times have more, and those are in one
# group through one another.
_MAX_CANDIDATES = 200


@dataclass(frozen=True)
class Likeness:
    """How alike two pictures are.

    Attributes:
        image_id: a picture that was asked about.
        other_id: one that its hashes are near.
        score: of `near_duplicate_scores`: 0 the same, 1 nothing in common.
    """

    image_id: int
    other_id: int
    score: float

    @property
    def is_near_duplicate(self) -> bool:
        """Whether they are one photograph."""
        return self.score < NEAR_DUPLICATE_THRESHOLD


def find_likenesses(connection: Connection, *, image_ids: Sequence[int]) -> list[Likeness]:
    """Compare pictures with every picture of the hub that has a label and whose hashes are near; each pair is named once.

    Of a pair of which both were asked about, the one with the smaller id is the `image_id`.
    """
    found: list[Likeness] = []
    with _only_nested_loops(connection):
        for asked in _batched(image_ids):
            rows = connection.execute(
                load_query("near_candidates"), {"image_ids": asked, "max_bits": MAX_HASH_BITS, "limit": _MAX_CANDIDATES}
            )
            found += _scored(connection, [(row.image_id, row.other_id) for row in rows])
    pairs: dict[frozenset[int], Likeness] = {}
    for likeness in sorted(found, key=lambda likeness: (likeness.image_id, likeness.other_id)):
        pairs.setdefault(frozenset((likeness.image_id, likeness.other_id)), likeness)
    return list(pairs.values())


@contextmanager
def _only_nested_loops(connection: Connection) -> Iterator[None]:
    """Let PostgreSQL look candidates up in the index.

    Of pictures that come in with the very transaction it has no statistics, and would read all descriptors for each of them.
    """
    for join in ("hashjoin", "mergejoin"):
        connection.execute(text(f"set local enable_{join} = off"))
    yield
    for join in ("hashjoin", "mergejoin"):
        connection.execute(text(f"set local enable_{join} = default"))


def _batched(image_ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(image_ids), _ASKED_AT_ONCE):
        yield list(image_ids[start : start + _ASKED_AT_ONCE])


def _scored(connection: Connection, pairs: list[tuple[int, int]]) -> list[Likeness]:
    if not pairs:
        return []
    image_ids, positions = np.unique(np.array(pairs, dtype=np.int64), return_inverse=True)
    rows = connection.execute(
        text("select grid from descriptors where image_id = any(:image_ids) order by image_id"), {"image_ids": image_ids.tolist()}
    )
    grids = np.frombuffer(b"".join(bytes(row.grid) for row in rows), np.uint8).reshape(-1, GRID_SIDE, GRID_SIDE)
    ones, others = positions.reshape(-1, 2).T
    scores = near_duplicate_scores(grids[ones], grids[others])
    return [Likeness(*pair, score) for pair, score in zip(pairs, scores.tolist(), strict=True)]


def compare_accepted(connection: Connection, *, submission_ids: Sequence[int]) -> int:
    """Compare accepted submissions' pictures with the whole hub and with one another; group near-duplicates; tell the ledger.

    Of two near-duplicates the one that is in the hub already, or was sent first, is the original: the verdict of the other one
    names it. Call it when the pictures have their labels. Others who compare wait until the transaction ends: each then sees what
    the other wrote. Doing it again changes nothing.

    Args:
        submission_ids: those that are not accepted are left out.

    Returns:
        How many of them are near-duplicates of an earlier picture.
    """
    rows = connection.execute(load_query("accepted_pictures"), {"submission_ids": list(submission_ids)}).all()
    if not rows:
        return 0
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    # By place in the order of sending; a picture of the hub comes before all of them.
    places = {row.image_id: place for place, row in enumerate(rows)}
    likenesses = find_likenesses(connection, image_ids=list(places))
    _join_groups(connection, [likeness for likeness in likenesses if likeness.is_near_duplicate])
    nearest: dict[int, tuple[float, int]] = {}
    for likeness in likenesses:
        earlier, later = sorted((likeness.image_id, likeness.other_id), key=lambda image_id: (places.get(image_id, -1), image_id))
        nearest[later] = min(nearest.get(later, (1.0, 0)), (likeness.score, earlier))
    scores = [nearest.get(row.image_id, (1.0, 0))[0] for row in rows]
    originals = [
        nearest[row.image_id][1] if score < NEAR_DUPLICATE_THRESHOLD else None for row, score in zip(rows, scores, strict=True)
    ]
    connection.execute(
        load_query("write_near_duplicate_verdicts"),
        {
            "submission_ids": [row.submission_id for row in rows],
            "scores": scores,
            "original_ids": originals,
            "threshold": NEAR_DUPLICATE_THRESHOLD,
            "check_version": CHECK_VERSION,
        },
    )
    return sum(original is not None for original in originals)


def _join_groups(connection: Connection, near_duplicates: Iterable[Likeness]) -> None:
    """Put pairs of near-duplicates, and all that hang together through them, into one group each."""
    pairs = [(likeness.image_id, likeness.other_id) for likeness in near_duplicates]
    if not pairs:
        return
    image_ids = sorted({image_id for pair in pairs for image_id in pair})
    rows = connection.execute(
        text("select image_id, group_id from duplicate_groups where image_id = any(:image_ids)"), {"image_ids": image_ids}
    ).all()
    before = {row.group_id for row in rows}
    oldest = _oldest_of_groups([*pairs, *((row.image_id, row.group_id) for row in rows)])
    renamed = {group_id: oldest[group_id] for group_id in before if oldest[group_id] != group_id}
    connection.execute(
        text(
            "update duplicate_groups set group_id = renamed.to_id"
            " from unnest(cast(:from_ids as bigint[]), cast(:to_ids as bigint[])) as renamed (from_id, to_id)"
            " where duplicate_groups.group_id = renamed.from_id"
        ),
        {"from_ids": list(renamed), "to_ids": list(renamed.values())},
    )
    connection.execute(
        text(
            "insert into duplicate_groups (image_id, group_id)"
            " select * from unnest(cast(:image_ids as bigint[]), cast(:group_ids as bigint[])) on conflict (image_id) do nothing"
        ),
        {"image_ids": image_ids, "group_ids": [oldest[image_id] for image_id in image_ids]},
    )


def _oldest_of_groups(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return, for every id of some pairs, the smallest id that it hangs together with."""
    parents: dict[int, int] = {}

    def root(image_id: int) -> int:
        while parents.setdefault(image_id, image_id) != image_id:
            parents[image_id] = parents[parents[image_id]]
            image_id = parents[image_id]
        return image_id

    for pair in pairs:
        first, second = sorted(map(root, pair))
        parents[second] = first
    return {image_id: root(image_id) for image_id in parents}
