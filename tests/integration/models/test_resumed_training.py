"""A training that is lost and goes on from its last checkpoint comes to the weights of one that was never interrupted."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from deep_images_hub.errors import SettingsError
from models.batches import Examples
from models.checkpoint import Checkpoint, Checkpoints
from models.head import build_head, hide_features
from models.train_loop import Task, train
from models.training_config import TrainingConfig
from models.training_outcome import EpochReport, Trained

# Keras on TensorFlow reads its variables with numpy's older protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")

CONFIG = TrainingConfig(
    epochs=4,
    global_batch=8,
    learning_rate=0.05,
    epsilon=1e-7,
    l2=1e-3,
    dropout=0.2,
    kept_views=0,
    patience=4,
    has_class_weights=False,
    seed=3,
)


class LostError(Exception):
    """The worker died."""


def task() -> Task:
    random = np.random.default_rng(1)
    features = random.normal(size=(40, 6)).astype(np.float32)
    class_index = features[:, :3].argmax(axis=1).astype(np.int32)

    def examples(positions: slice) -> Examples:
        chosen = class_index[positions]
        return Examples(features[positions].__getitem__, chosen, np.ones(len(chosen), np.float32))

    return Task(
        build=partial(build_head, 6, 3),
        training=examples(slice(28)),
        validation=examples(slice(28, None)),
        distort=partial(hide_features, rate=CONFIG.dropout),
        noise_width=6,
    )


def lose_after_epoch(epoch: int) -> Callable[[EpochReport], None]:
    def lose(report: EpochReport) -> None:
        if report.epoch == epoch:
            raise LostError

    return lose


class Kept:
    """Keeps checkpoints as a store would: as bytes, the last one only."""

    def __init__(self) -> None:
        self.body = b""
        self.steps: list[int] = []

    def keep(self, checkpoint: Checkpoint) -> None:
        self.body = checkpoint.to_bytes()
        self.steps.append(checkpoint.step)

    def checkpoints(self, *, every_s: float = 1e9) -> Checkpoints:
        return Checkpoints(Checkpoint.from_bytes(self.body) if self.body else None, self.keep, every_s=every_s, min_s=0)


@pytest.fixture(scope="module")
def uninterrupted() -> Trained:
    return train(task(), CONFIG)


def check_same(resumed: Trained, uninterrupted: Trained) -> None:
    assert resumed.best_epoch == uninterrupted.best_epoch
    for weight, expected in zip(resumed.weights, uninterrupted.weights, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-7)
    for report, expected_report in zip(resumed.reports, uninterrupted.reports, strict=True):
        assert report.epoch == expected_report.epoch
        assert report.loss == pytest.approx(expected_report.loss, rel=1e-5)
        assert report.validation_loss == pytest.approx(expected_report.validation_loss, rel=1e-5)


def test_training_that_is_lost_between_epochs_loses_one_epoch_at_most(uninterrupted: Trained) -> None:
    kept = Kept()
    with pytest.raises(LostError):
        train(task(), CONFIG, on_epoch=lose_after_epoch(3), checkpoints=kept.checkpoints())
    seen: list[int] = []

    resumed = train(task(), CONFIG, on_epoch=lambda report: seen.append(report.epoch), checkpoints=kept.checkpoints())

    assert seen == [3, 4]
    check_same(resumed, uninterrupted)


def test_training_that_is_lost_in_an_epoch_goes_on_from_the_step(uninterrupted: Trained) -> None:
    kept = Kept()
    with pytest.raises(LostError):
        # Without its epoch's end, which comes after the loss: what is kept last lies in the middle of the epoch.
        train(task(), CONFIG, on_epoch=lose_after_epoch(2), checkpoints=kept.checkpoints(every_s=0))
    assert kept.steps == [1, 2, 3, 4, 5, 6, 7]

    check_same(train(task(), CONFIG, checkpoints=kept.checkpoints()), uninterrupted)


def test_training_that_had_ended_is_not_trained_again(uninterrupted: Trained) -> None:
    kept = Kept()
    train(task(), CONFIG, checkpoints=kept.checkpoints())

    again = train(task(), CONFIG, on_epoch=lose_after_epoch(4), checkpoints=kept.checkpoints())

    check_same(again, uninterrupted)


def test_resumed_training_still_stops_when_the_loss_no_longer_falls() -> None:
    impatient = replace(CONFIG, epochs=12, learning_rate=1.0, patience=1)
    expected = train(task(), impatient)
    assert len(expected.reports) < 12
    kept = Kept()
    train(task(), impatient, checkpoints=kept.checkpoints())

    check_same(train(task(), impatient, checkpoints=kept.checkpoints()), expected)


def test_training_whose_loss_is_no_number_from_the_start_says_what_to_change() -> None:
    seen: list[int] = []

    with pytest.raises(SettingsError, match=r"no number .* in epoch 1, .*Lower learning_rate \(1e\+30\).*HUB_MIXED_BFLOAT16=off"):
        train(task(), replace(CONFIG, learning_rate=1e30), on_epoch=lambda report: seen.append(report.epoch))

    assert seen == [1]


def test_training_that_cannot_be_validated_says_that_this_loss_is_no_number() -> None:
    whole = task()
    lost = replace(whole.validation, rows=lambda positions: whole.validation.rows(positions) * np.float32(np.nan))

    with pytest.raises(SettingsError, match=r"loss on the validation split was no number \(nan\)"):
        train(replace(whole, validation=lost), replace(CONFIG, patience=1))


def test_training_whose_loss_is_no_number_later_ends_with_the_best_epoch_before() -> None:
    whole = task()
    seen: list[EpochReport] = []

    def rows(positions: NDArray[np.int64]) -> NDArray[np.generic]:
        found = whole.training.rows(positions)
        # A few batches are prepared ahead: those of the next epoch's end are not.
        return found if len(seen) < 2 else found * np.float32(np.nan)

    ended = train(replace(whole, training=replace(whole.training, rows=rows)), CONFIG, on_epoch=seen.append)

    assert [math.isfinite(report.loss) for report in seen] == [True, True, False]
    assert ended.best_epoch == 2
    assert all(np.isfinite(weight).all() for weight in ended.weights)
