"""Training runs: following one, and stopping it."""

from dataclasses import dataclass

from flask import Blueprint, flash, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from deep_images_hub.catalogue.datasets import version_by_id
from deep_images_hub.catalogue.models import model_of_run
from deep_images_hub.catalogue.training import TrainingEvent, TrainingRun, cancel_run, events_of, run_by_id
from deep_images_hub.catalogue.training_history import changes_of
from deep_images_hub.catalogue.training_quotas import run_times, runs_before
from deep_images_hub.errors import ForbiddenError
from deep_images_hub.progress import as_duration
from deep_images_hub.training import ENDED, FINE_TUNING_STAGES, STAGES
from webapp.access import current_user, may, requires, signed_in_user
from webapp.charts import polyline
from webapp.services import hub
from webapp.training_requests import about_minutes, may_be_repeated, request_again
from webapp.wording import plural

blueprint = Blueprint("runs", __name__, url_prefix="/runs")

# Pages without scripts load themselves anew this often.
REFRESH_S = 4


@dataclass(frozen=True)
class StageProgress:
    """How far a stage of a run is. left_s: about how long it goes on, in seconds, at its rate so far; None: nobody can tell."""

    name: str
    words: str
    done: int
    total: int
    left_s: float | None = None

    @property
    def share(self) -> float:
        """What part of it is done, 0..1."""
        return self.done / self.total if self.total else 0.0

    @property
    def left_words(self) -> str:
        """Say how long it goes on; empty where nobody can tell."""
        return "" if self.left_s is None else f"about {as_duration(self.left_s)} left"


@dataclass(frozen=True)
class LossCurves:
    """How the loss went: points of two curves on one scale from 0 to `top`, which is None before the first epoch."""

    train: str
    validation: str
    top: float | None


@blueprint.get("/<int:run_id>")
@requires("train")
def page(run_id: int) -> ResponseReturnValue:
    """Show a run and how far it is; a finished one leads to its model."""
    with hub().engine.connect() as connection:
        run = run_of_reader(connection, run_id)
        events = events_of_attempt(connection, run)
        before = runs_before(connection, run_id) if run.status == "queued" else None
        version = version_by_id(connection, run.version_id)
        times = None if run.status in ENDED else run_times(connection).get((run.backbone, run.method))
        return render_template(
            "run.html",
            run=run,
            version=version,
            takes=about_minutes(times, version.image_count),
            stages=stage_progress(events, method=run.method),
            loss=loss_curves(events),
            model_id=model_of_run(connection, run_id),
            has_ended=run.status in ENDED,
            may_be_repeated=may_be_repeated(run),
            said=said_of(run, before),
            changes=changes_of(connection, run_id=run_id),
            refresh_s=REFRESH_S,
        )


@blueprint.get("/<int:run_id>/progress.json")
@requires("train")
def progress(run_id: int) -> ResponseReturnValue:
    """Give how far a run is, for the page that follows it."""
    with hub().engine.connect() as connection:
        run = run_of_reader(connection, run_id)
        events = events_of_attempt(connection, run)
        before = runs_before(connection, run_id) if run.status == "queued" else None
    loss = loss_curves(events)
    return jsonify(
        status=run.status,
        message=said_of(run, before),
        has_ended=run.status in ENDED,
        stages=[
            {"name": stage.name, "done": stage.done, "total": stage.total, "left": stage.left_words}
            for stage in stage_progress(events, method=run.method)
        ],
        loss={"train": loss.train, "validation": loss.validation, "top": loss.top},
    )


@blueprint.post("/<int:run_id>/cancel")
@requires("train")
def cancel(run_id: int) -> ResponseReturnValue:
    """Stop a run."""
    with hub().engine.begin() as connection:
        run_of_reader(connection, run_id)
        cancel_run(connection, run_id=run_id)
    flash("The run was cancelled. Whoever works on it stops shortly.")
    return redirect(url_for("runs.page", run_id=run_id))


@blueprint.post("/<int:run_id>/repeat")
@requires("train")
def repeat(run_id: int) -> ResponseReturnValue:
    """Ask for the same again, where it failed or was cancelled, and show the new run."""
    with hub().engine.connect() as connection:
        run = run_of_reader(connection, run_id)
    return redirect(url_for("runs.page", run_id=request_again(run).id))


def said_of(run: TrainingRun, before: int | None) -> str:
    """Say what became of a run last, and how many are likely to be trained before it while it waits."""
    if run.status == "waiting" and not run.message:
        return "Waits for pictures. It starts by itself, on the dataset frozen anew, and you are told by e-mail."
    if before is None or run.not_before is not None:
        return run.message or ""
    turn = f"Waits for its turn: {plural(before, 'run')} before it." if before else "Waits for its turn: it is the next."
    return f"{run.message} {turn}" if run.message else turn


def stage_progress(events: list[TrainingEvent], *, method: str) -> list[StageProgress]:
    """Return the stages in order, by their latest events; those without events have not begun.

    A stage that was passed over is left out: a network that is trained from scratch has no features. So are those of fine-tuning,
    unless that is the run's method.
    """
    stages = [stage for stage in STAGES if stage not in FINE_TUNING_STAGES or method == "fine_tune"]
    told: dict[str, list[TrainingEvent]] = {}
    for event in events:
        told.setdefault(event.stage, []).append(event)
    last_begun = max((at for at, stage in enumerate(stages) if stage in told), default=-1)
    return [_progress_of(stage, told.get(stage, [])) for at, stage in enumerate(stages) if stage in told or at > last_begun]


def _progress_of(stage: str, events: list[TrainingEvent]) -> StageProgress:
    """Say how far a stage is by its events; the last one counts, and those before it that count the same thing tell its rate."""
    words = STAGES[stage].words
    if not events:
        return StageProgress(stage, words, 0, 0)
    last = events[-1]
    first = next(event for event in events if event.total == last.total)
    # Before the first of it was done processes started, which says nothing of what is left.
    done, took_s = last.done - first.done, (last.created_at - first.created_at).total_seconds()
    is_known = done > 0 and took_s > 0 and last.done < last.total
    return StageProgress(stage, words, last.done, last.total, took_s * (last.total - last.done) / done if is_known else None)


def loss_curves(events: list[TrainingEvent]) -> LossCurves:
    """Return the curves of the losses that training wrote down, epoch by epoch."""
    train = [event.metrics["loss"] for event in events if "loss" in event.metrics]
    validation = [event.metrics["validation_loss"] for event in events if "validation_loss" in event.metrics]
    top = max([*train, *validation], default=None)
    return LossCurves(train=polyline(train, top=top), validation=polyline(validation, top=top), top=top)


def events_of_attempt(connection: Connection, run: TrainingRun) -> list[TrainingEvent]:
    """Return the events of the latest attempt: what an attempt that was lost had done is done again."""
    return [event for event in events_of(connection, run_id=run.id) if event.attempt == run.attempt]


def run_of_reader(connection: Connection, run_id: int) -> TrainingRun:
    """Return a run, for whoever asked for it or operates the hub."""
    run = run_by_id(connection, run_id)
    if current_user() is None or (run.requested_by != signed_in_user().id and not may("operate")):
        raise ForbiddenError("This training run was asked for by somebody else, and only they and the operators may follow it.")
    return run
