"""Whether a dataset version is enough to train on."""

from collections.abc import Mapping

import numpy as np
import pytest

from deep_images_hub.catalogue.datasets import TrainingPicture
from deep_images_hub.errors import InvalidInputError
from models.evaluate import Label
from spark_jobs.answering import answers_of
from spark_jobs.training_set import TrainingSet


def set_of(counts: Mapping[str, tuple[int, int, int]]) -> TrainingSet:
    """Make a set from each label's pictures in train, validation and test."""
    codes = sorted(counts)
    splits = ("train", "validation", "test")
    labelled = [(code, split) for code in codes for split, count in zip(splits, counts[code], strict=True) for _ in range(count)]
    pictures = [
        TrainingPicture(at, at, f"{at:064x}", label_code=code, split=split, group_key=f"{at // 2}", picture_key=f"{at}.jpg")
        for at, (code, split) in enumerate(labelled)
    ]
    index = np.array([codes.index(code) for code, _ in labelled], np.int32)
    parents = tuple(frozenset({"fruit"} if code in ("apple", "pear") else {"tool"}) for code in codes)
    return TrainingSet(tuple(Label(code, code.title()) for code in codes), pictures, index, parents)


def test_set_with_enough_of_everything_passes() -> None:
    set_of({"apple": (2, 0, 1), "pear": (2, 0, 0)}).check()


def test_set_of_one_label_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError, match=r"has 1 label \(Apple\).*at least 2"):
        set_of({"apple": (20, 2, 2)}).check()


def test_labels_with_too_few_pictures_are_named_with_their_counts() -> None:
    with pytest.raises(InvalidInputError, match=r"Grape \(0\), Pear \(1\)\. Each label needs at least 2") as refusal:
        set_of({"apple": (9, 1, 1), "grape": (0, 3, 3), "pear": (1, 0, 0)}).check()
    assert "Apple" not in str(refusal.value)


def test_many_labels_with_too_few_pictures_are_counted_after_ten() -> None:
    with pytest.raises(InvalidInputError, match="and 5 more"):
        set_of({f"kind {number:02}": (1, 0, 1) for number in range(15)}).check()


def test_set_without_test_pictures_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no picture in the split `test`"):
        set_of({"apple": (9, 1, 0), "pear": (9, 1, 0)}).check()


def test_counts_and_positions_are_by_split() -> None:
    found = set_of({"apple": (2, 1, 1), "pear": (3, 0, 1)})

    assert found.counts("train") == [2, 3]
    assert found.positions("test").tolist() == [3, 7]
    assert found.image_counts() == {"train": 5, "validation": 1, "test": 2}


def test_test_split_knows_which_pictures_came_together_and_which_labels_are_of_one_family() -> None:
    split = set_of({"apple": (1, 0, 2), "hammer": (1, 0, 1), "pear": (0, 0, 2)}).test_split()

    assert split.class_index.tolist() == [0, 0, 1, 2, 2]
    assert split.groups.tolist() == [0, 1, 2, 2, 3]
    assert split.families.tolist() == [[True, False, True], [False, True, False], [True, False, True]]


def test_answers_are_of_test_pictures_alone_and_rank_the_right_one_as_the_first_of_equals() -> None:
    chosen = set_of({"apple": (2, 0, 2), "grape": (2, 0, 1), "pear": (2, 0, 1)})
    said = np.array([[0.5, 0.3, 0.2], [0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [0.5, 0.3, 0.2]], np.float32)

    answers = answers_of(chosen, said)

    assert [chosen.pictures[answer.image_id].split for answer in answers] == ["test"] * 4
    assert [(answer.truth, answer.said, answer.truth_rank) for answer in answers] == [(0, 0, 1), (0, 0, 1), (1, 0, 2), (2, 0, 3)]
    assert [round(answer.score, 3) for answer in answers] == [0.5, 0.4, 0.4, 0.5]


def test_set_that_holds_pictures_out_learns_from_all_others_but_the_test_split() -> None:
    training_set = set_of({"apple": (3, 2, 1), "pear": (2, 1, 1)})
    test = [picture.image_id for picture in training_set.pictures if picture.split == "test"]

    parted = training_set.holding_out({0, 3, *test})

    assert parted.positions("validation").tolist() == [0, 3]
    assert parted.positions("train").tolist() == [1, 2, 4, 6, 7, 8]
    assert parted.positions("test").tolist() == test
