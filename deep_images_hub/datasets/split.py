"""Part a dataset into train, validation and test so that what is tested was never seen in training.

Pictures of one batch come from one hand, one camera and one afternoon, and near-duplicates are one picture twice: either would
let a network recognise the test set. They form groups, and a group is never parted. Everything is decided by content (sha256,
batch key, label code) and the seed, so that the same pictures are split alike on every hub and in whatever order they come.
Pure.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deep_images_hub.datasets.recipe import SplitFractions

# Which split a label gets first when it has few groups: without a test nobody knows what the network is worth.
_COVERAGE_ORDER = ("train", "test", "validation")


@dataclass(frozen=True)
class Candidate:
    """A picture that a recipe admits.

    Attributes:
        image_id: its row, for writing the answer down; decides nothing.
        sha256: of the bytes as sent.
        label_id: its label's row; decides nothing.
        label_code: its current label.
        batch_key: the batch that it came with.
        duplicate_group: equal for near-duplicates of one another, None where there are none. Only whether two are equal
            counts; what it is says nothing.
        size_bytes: of the stored picture.
    """

    image_id: int
    sha256: str
    label_id: int
    label_code: str
    batch_key: str
    duplicate_group: int | None
    size_bytes: int


@dataclass(frozen=True)
class SplitCandidate:
    """A picture with its split (one of SPLITS) and the group that it must stay with."""

    candidate: Candidate
    split: str
    group_key: str


def draw(candidates: Iterable[Candidate], *, max_per_label: int | None, seed: int) -> list[Candidate]:
    """Keep at most so many pictures of each label, drawn by the seed.

    Returns:
        The drawn pictures by label code, then sha256. A larger limit keeps all that a smaller one keeps.
    """
    by_label: defaultdict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        by_label[candidate.label_code].append(candidate)
    drawn = []
    for pictures in by_label.values():
        pictures.sort(key=lambda picture: _lot(seed, picture.sha256))
        drawn += pictures[:max_per_label]
    return sorted(drawn, key=lambda picture: (picture.label_code, picture.sha256))


def split(candidates: Sequence[Candidate], *, fractions: SplitFractions, seed: int) -> list[SplitCandidate]:
    """Give every picture a split: stratified by label, whole groups only, the same for the same content and seed.

    Each label gets pictures for train first, then for test, then for validation, as far as its groups go: a label whose pictures
    are all one group is in train only. What remains goes wherever it brings the labels nearest to their fractions.

    Returns:
        The pictures by label code, then sha256.
    """
    if not candidates:
        return []
    groups = _groups(candidates)
    splits = _assign(groups, fractions, seed)
    placed = [
        SplitCandidate(candidate=candidate, split=splits[group_key], group_key=group_key)
        for group_key, members in groups.items()
        for candidate in members
    ]
    return sorted(placed, key=lambda picture: (picture.candidate.label_code, picture.candidate.sha256))


def _groups(candidates: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    """Join batches that share near-duplicates; a group is named by the first of its batches' keys, in order of the text."""
    parents: dict[str, str] = {candidate.batch_key: candidate.batch_key for candidate in candidates}

    def root(batch_key: str) -> str:
        while parents[batch_key] != batch_key:
            parents[batch_key] = parents[parents[batch_key]]
            batch_key = parents[batch_key]
        return batch_key

    first_batch_of: dict[int, str] = {}
    for candidate in candidates:
        if candidate.duplicate_group is not None:
            first_batch = first_batch_of.setdefault(candidate.duplicate_group, candidate.batch_key)
            one, other = sorted((root(first_batch), root(candidate.batch_key)))
            parents[other] = one
    groups: defaultdict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        groups[root(candidate.batch_key)].append(candidate)
    return dict(groups)


def _assign(groups: dict[str, list[Candidate]], fractions: SplitFractions, seed: int) -> dict[str, str]:
    wanted = [name for name in _COVERAGE_ORDER if fractions.of(name) > 0]
    sizes = {key: Counter(candidate.label_code for candidate in members) for key, members in groups.items()}
    totals = Counter(candidate.label_code for members in groups.values() for candidate in members)
    groups_of: defaultdict[str, list[str]] = defaultdict(list)
    # Large groups first, since the small ones even out what those leave; the seed draws among groups of about one size.
    in_order = sorted(sizes, key=lambda key: (-sizes[key].total().bit_length(), _lot(seed, key)))
    for key in in_order:
        for label_code in sizes[key]:
            groups_of[label_code].append(key)
    splits: dict[str, str] = {}
    have: Counter[tuple[str, str]] = Counter()

    def place(key: str, name: str) -> None:
        splits[key] = name
        for label_code, count in sizes[key].items():
            have[label_code, name] += count

    for name in wanted:
        for label_code in sorted(groups_of, key=lambda code: (len(groups_of[code]), code)):
            free = [key for key in groups_of[label_code] if key not in splits]
            if free and not have[label_code, name]:
                target = max(1, round(totals[label_code] * fractions.of(name)))
                place(min(free, key=lambda key: abs(sizes[key][label_code].bit_length() - target.bit_length())), name)
    for key in in_order:
        if key not in splits:
            place(key, min(wanted, key=lambda name: _imbalance(sizes[key], name, have, totals, fractions)))
    return splits


def _imbalance(
    size: Counter[str], name: str, have: Counter[tuple[str, str]], totals: Counter[str], fractions: SplitFractions
) -> float:
    """Return by how much the squared distance from the wanted counts grows when a group goes to a split; less is better."""
    growth = 0.0
    for label_code, count in size.items():
        missing = totals[label_code] * fractions.of(name) - have[label_code, name]
        growth += count * (count - 2 * missing) / totals[label_code]
    return growth


def _lot(seed: int, name: str) -> bytes:
    """Return what puts names in an order that the seed draws: as good as chance, and the same everywhere."""
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()
