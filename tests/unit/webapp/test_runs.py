"""How far a training run is."""

from datetime import UTC, datetime

from deep_images_hub.catalogue.training import TrainingEvent
from webapp.runs import STAGES, stage_progress


def event(stage: str, done: int, total: int) -> TrainingEvent:
    return TrainingEvent(id=1, attempt=1, stage=stage, done=done, total=total, metrics={}, created_at=datetime.now(UTC))


def test_stages_to_come_are_shown_and_a_stage_that_was_passed_over_is_not() -> None:
    assert [stage.name for stage in stage_progress([], method="fine_tune")] == list(STAGES)

    stages = stage_progress([event("train", 1, 14), event("train", 2, 14)], method="head")

    assert [stage.name for stage in stages] == ["train", "evaluate", "outlook", "export"]
    assert (stages[0].done, stages[0].share, stages[1].total) == (2, 2 / 14, 0)
