"""The split: whole groups, stratified, drawn by content and seed alone."""

import random
from collections import Counter, defaultdict
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from deep_images_hub.datasets.recipe import SplitFractions
from deep_images_hub.datasets.split import Candidate, SplitCandidate, draw, split

fractions_of_splits = st.sampled_from(
    [SplitFractions(), SplitFractions(0.8, 0.0, 0.2), SplitFractions(1.0, 0.0, 0.0), SplitFractions(0.34, 0.33, 0.33)]
)


def candidate(number: int, *, label: str, batch: str, duplicate_group: int | None = None) -> Candidate:
    return Candidate(
        image_id=number,
        sha256=f"{random.Random(-number - 1).getrandbits(256):064x}",
        label_id=hash(label) % 1000,
        label_code=label,
        batch_key=batch,
        duplicate_group=duplicate_group,
        size_bytes=1000,
    )


@st.composite
def candidate_lists(draw_from: st.DrawFn) -> list[Candidate]:
    """Batches of one label each, of uneven sizes; some pictures are near copies of pictures of other batches."""
    batches = draw_from(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 9)), min_size=1, max_size=25))
    duplicate_groups = st.integers(0, 3)
    found = []
    for number, (label, size) in enumerate(batches):
        for _ in range(size):
            group = draw_from(duplicate_groups) if draw_from(st.integers(0, 9)) == 0 else None
            found.append(candidate(len(found), label=label, batch=f"batch-{number}", duplicate_group=group))
    return found


def splits_by_sha256(pictures: list[SplitCandidate]) -> dict[str, tuple[str, str]]:
    return {picture.candidate.sha256: (picture.split, picture.group_key) for picture in pictures}


@given(candidate_lists(), fractions_of_splits, st.integers(0, 5))
def test_split_never_parts_a_batch_or_near_duplicates(candidates: list[Candidate], fractions: SplitFractions, seed: int) -> None:
    pictures = split(candidates, fractions=fractions, seed=seed)
    assert len(pictures) == len(candidates)
    for key in ("batch_key", "duplicate_group"):
        splits = defaultdict(set)
        for picture in pictures:
            if (together := getattr(picture.candidate, key)) is not None:
                splits[together].add((picture.split, picture.group_key))
        assert all(len(of) == 1 for of in splits.values())
    assert all(fractions.of(picture.split) > 0 for picture in pictures)


@given(candidate_lists(), st.randoms(use_true_random=False))
def test_split_does_not_depend_on_order_or_ids(candidates: list[Candidate], shuffler: random.Random) -> None:
    renumbered = [
        replace(c, image_id=number, label_id=7, duplicate_group=None if c.duplicate_group is None else 900 - c.duplicate_group)
        for number, c in enumerate(shuffler.sample(candidates, len(candidates)))
    ]
    one = split(candidates, fractions=SplitFractions(), seed=3)
    other = split(renumbered, fractions=SplitFractions(), seed=3)
    assert splits_by_sha256(one) == splits_by_sha256(other)
    assert [picture.candidate.sha256 for picture in one] == [picture.candidate.sha256 for picture in other]


@given(candidate_lists())
def test_split_gives_each_label_train_then_test_then_validation(candidates: list[Candidate]) -> None:
    # Without near copies among batches every group has one label, and a label's groups are its batches.
    apart = [candidate(c.image_id, label=c.label_code, batch=c.batch_key) for c in candidates]
    pictures = split(apart, fractions=SplitFractions(), seed=0)
    for label in "abcd":
        groups = {picture.group_key for picture in pictures if picture.candidate.label_code == label}
        found = {picture.split for picture in pictures if picture.candidate.label_code == label}
        expected = ("train", "test", "validation")[: len(groups)]
        assert found.issuperset(expected)


def test_split_of_many_even_batches_meets_the_fractions_for_each_label() -> None:
    candidates = [
        candidate(1000 * label + number, label=f"label-{label}", batch=f"{label}-{number // 5}")
        for label in range(3)
        for number in range(500)
    ]
    counts = Counter(
        (picture.candidate.label_code, picture.split) for picture in split(candidates, fractions=SplitFractions(), seed=1)
    )
    for label in range(3):
        assert abs(counts[f"label-{label}", "train"] - 350) <= 5
        assert abs(counts[f"label-{label}", "validation"] - 75) <= 5
        assert abs(counts[f"label-{label}", "test"] - 75) <= 5


def test_split_with_another_seed_differs() -> None:
    candidates = [candidate(number, label="a", batch=f"batch-{number // 4}") for number in range(80)]
    one = splits_by_sha256(split(candidates, fractions=SplitFractions(), seed=1))
    assert one != splits_by_sha256(split(candidates, fractions=SplitFractions(), seed=2))


def test_split_keeps_one_large_batch_among_small_ones_in_train() -> None:
    candidates = [candidate(number, label="a", batch="large") for number in range(50)]
    candidates += [candidate(50 + number, label="a", batch=f"small-{number}") for number in range(3)]
    for seed in range(5):
        placed = splits_by_sha256(split(candidates, fractions=SplitFractions(), seed=seed))
        assert {of for of, group in placed.values() if group == "large"} == {"train"}


def test_split_of_nothing_is_empty() -> None:
    assert split([], fractions=SplitFractions(), seed=0) == []


@given(candidate_lists(), st.integers(1, 10), st.integers(0, 3))
def test_draw_keeps_the_limit_and_grows_with_it(candidates: list[Candidate], limit: int, seed: int) -> None:
    few = draw(candidates, max_per_label=limit, seed=seed)
    more = draw(candidates, max_per_label=limit + 1, seed=seed)
    available = Counter(c.label_code for c in candidates)
    assert Counter(c.label_code for c in few) == {label: min(limit, count) for label, count in available.items()}
    assert {c.sha256 for c in few} <= {c.sha256 for c in more}
    assert draw(candidates, max_per_label=None, seed=seed) == sorted(candidates, key=lambda c: (c.label_code, c.sha256))
