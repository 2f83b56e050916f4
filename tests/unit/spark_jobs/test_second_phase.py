"""Which of a fine-tuned network and the head alone is published."""

import pytest

from models.training_config import load_card
from models.training_outcome import EpochReport, Trained
from spark_jobs.second_phase import FineTunedBesideHead, SecondPhase
from tests.unit.spark_jobs.test_training_set import set_of
from tests.unit.spark_jobs.test_training_tasks import plan_of


@pytest.mark.parametrize(
    ("best", "head_top1", "is_published"),
    # Four pictures: one of them is within chance, three are not.
    [(0.75, 0.5, True), (0.5, 0.5, True), (0.5, 0.75, True), (0.0, 0.75, False), (0.25, None, True)],
)
def test_head_alone_is_published_where_fine_tuning_did_clearly_worse(
    best: float, head_top1: float | None, is_published: bool
) -> None:
    second = SecondPhase(plan_of(load_card("head", seed=0)), set_of({"apple": (3, 2, 1), "pear": (3, 2, 1)}), head_top1)
    epochs = [EpochReport(epoch, 3, 1.0, 0.9, 1.0, accuracy) for epoch, accuracy in enumerate([0.1, best, 0.9], start=1)]

    beside = second.beside_head(Trained([], best_epoch=2, reports=epochs))

    top1 = None if head_top1 is None else best
    assert beside == FineTunedBesideHead(top1, head_top1, 4, is_published=is_published, is_whole=False)


def test_network_that_kept_a_share_of_its_first_weights_is_judged_as_that() -> None:
    second = SecondPhase(plan_of(load_card("head", seed=0)), set_of({"apple": (3, 2, 1), "pear": (3, 2, 1)}), 0.5)
    trained = Trained([], 1, [EpochReport(1, 1, 1.0, 0.9, 1.0, 0.25)], validation_accuracy=0.75, whole_weights=[])

    assert second.beside_head(trained) == FineTunedBesideHead(0.75, 0.5, 4, is_published=True, is_whole=True)
