"""How far a training run is."""

from datetime import UTC, datetime, timedelta

from deep_images_hub.catalogue.training import TrainingEvent
from deep_images_hub.training import STAGES
from webapp.runs import stage_progress

BEGAN_AT = datetime(2026, 5, 3, tzinfo=UTC)


def event(stage: str, done: int, total: int, *, after_s: float = 0.0) -> TrainingEvent:
    at = BEGAN_AT + timedelta(seconds=after_s)
    return TrainingEvent(id=1, attempt=1, stage=stage, done=done, total=total, metrics={}, created_at=at)


def test_stages_to_come_are_shown_and_a_stage_that_was_passed_over_is_not() -> None:
    assert [stage.name for stage in stage_progress([], method="fine_tune")] == list(STAGES)

    stages = stage_progress([event("train", 1, 14), event("train", 2, 14)], method="head")

    assert [stage.name for stage in stages] == ["train", "evaluate", "outlook", "export"]
    assert (stages[0].done, stages[0].share, stages[1].total) == (2, 2 / 14, 0)


def test_stage_under_way_says_how_long_it_goes_on_at_its_rate_since_the_first_of_it_was_done() -> None:
    told = [event("views", 40, 1_000), event("views", 100, 1_000, after_s=6), event("views", 240, 1_000, after_s=20)]

    first, views = (stage_progress(events, method="fine_tune")[0] for events in (told[:1], told))

    assert (first.left_s, first.left_words) == (None, "")
    assert (views.left_s, views.left_words) == (76, "about 1 min 16 s left")


def test_stage_that_is_done_or_counts_something_else_now_says_nothing_of_what_is_left() -> None:
    seen = [event("evaluate", 100, 200), event("evaluate", 200, 200, after_s=9)]

    assert stage_progress(seen, method="head")[0].left_s is None
    assert stage_progress([*seen, event("evaluate", 1, 5, after_s=10)], method="head")[0].left_s is None
