import numpy as np
import pytest

from deep_images_hub.model_comparison import LabelChange, SharedBatch, gain_of_intervals, gain_on_shared, label_changes
from models.intervals import wilson_interval


def batch(images: int, only_a: int = 0, only_b: int = 0, both: int = 0) -> SharedBatch:
    return SharedBatch(images, right_a=both + only_a, right_b=both + only_b, only_a=only_a, only_b=only_b)


def test_gain_on_the_same_pictures_is_that_of_those_that_one_alone_gets_right() -> None:
    gain = gain_on_shared([batch(10, only_a=1, only_b=4, both=5)] * 20)

    assert gain is not None
    assert (gain.images, gain.only_a, gain.only_b) == (200, 20, 80)
    assert gain.difference == pytest.approx(0.3)
    assert 0.2 < gain.low < gain.difference < gain.high < 0.4
    assert gain.is_beyond_chance


def test_gain_of_one_batch_alone_is_not_called_more_than_chance() -> None:
    """As many pictures, the same sums: but all that is gained came together."""
    together = gain_on_shared([batch(10)] * 19 + [batch(10, only_b=10)])
    spread = gain_on_shared([batch(20, only_b=1, both=19)] * 10)

    assert together is not None
    assert spread is not None
    assert (together.difference, spread.difference) == (0.05, 0.05)
    assert not together.is_beyond_chance
    assert spread.is_beyond_chance


def test_gain_of_equal_models_leaves_room_for_chance() -> None:
    gain = gain_on_shared([batch(5, both=5)] * 4)

    assert gain is not None
    assert gain.difference == 0
    assert gain.low < 0 < gain.high
    assert gain_on_shared([]) is None


def test_interval_on_shared_pictures_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        kinds = random.choice(3, size=(30, 8), p=[0.75, 0.1, 0.15])
        gain = gain_on_shared([batch(8, only_a=int((of == 1).sum()), only_b=int((of == 2).sum())) for of in kinds])
        assert gain is not None
        held += gain.low <= 0.05 <= gain.high
    assert held >= 185


def test_gain_by_tests_of_their_own_needs_more_pictures() -> None:
    few, many = ({"test_top1": 0.7, "test_top1_interval": wilson_interval(7 * n, 10 * n)} for n in (5, 200))
    few_better, many_better = ({"test_top1": 0.8, "test_top1_interval": wilson_interval(8 * n, 10 * n)} for n in (5, 200))

    small, large = gain_of_intervals(few, few_better), gain_of_intervals(many, many_better)

    assert small is not None
    assert large is not None
    assert not small.is_beyond_chance
    assert large.is_beyond_chance
    assert large.images is None
    assert gain_of_intervals({}, many) is None


def test_labels_are_ordered_by_the_size_of_their_change() -> None:
    def metrics(**recalls: float | None) -> dict[str, object]:
        return {"per_class": [{"code": c, "name": c.title(), "recall": recall, "support": 9} for c, recall in recalls.items()]}

    changes = label_changes(metrics(a=0.5, b=0.9, gone=0.1, none=None), metrics(a=0.6, b=0.4, new=1.0, none=0.5))

    assert [change.code for change in changes] == ["b", "a", "gone", "new", "none"]
    assert [change.change for change in changes[:2]] == [pytest.approx(-0.5), pytest.approx(0.1)]
    assert [(change.support_a, change.support_b) for change in changes[2:4]] == [(9, 0), (0, 9)]
    assert changes[0].is_tested
    assert not LabelChange("none", "None", None, None, 0, 0).is_tested
