"""Training requests: asking for a model, following how it comes to be, stopping it."""

from deep_images_hub.catalogue.models import model_of_run
from deep_images_hub.catalogue.training import TrainingRun, cancel_run, runs
from deep_images_hub.catalogue.training_history import changes_of
from deep_images_hub.catalogue.training_quotas import runs_before
from deep_images_hub.training import ENDED
from deep_images_hub.wire import training as wire
from deep_images_hub.wire.base import PageAsked
from webapp.access import requires, signed_in_user
from webapp.api.cursors import following, place_of
from webapp.api.operations import api
from webapp.runs import events_of_attempt, run_of_reader, stage_progress
from webapp.services import hub
from webapp.training_requests import request_again, request_training


@api.post("/versions/<int:version_id>/runs", tag="Training", body=wire.TrainAsked, answer=wire.Run, statuses=(201,))
@requires("train")
def train_model(version_id: int, body: wire.TrainAsked) -> tuple[wire.Run, int]:
    """Ask for a baseline model of a version, or of what is left of it."""
    return _run(request_training(version_id, body.backbone, method=body.method, may_wait=body.wait), model_id=None), 201


@api.get("/runs", tag="Training", query=PageAsked, answer=wire.RunPage)
@requires("train")
def list_runs(query: PageAsked) -> wire.RunPage:
    """List the training requests of whoever asks, newest first."""
    with hub().engine.connect() as connection:
        found = runs(connection, requested_by=signed_in_user().id, before_id=place_of(query.cursor), limit=query.limit + 1)
    shown = found[: query.limit]
    return wire.RunPage(
        runs=[_run(run, model_id=run.model_id) for run in shown],
        next=following(shown[-1].id) if len(found) > query.limit else None,
    )


@api.get("/runs/<int:run_id>", tag="Training", answer=wire.RunDetail)
@requires("train")
def read_run(run_id: int) -> wire.RunDetail:
    """Say how far a training request is. It is its asker's and the operators'."""
    with hub().engine.connect() as connection:
        run = run_of_reader(connection, run_id)
        events = events_of_attempt(connection, run)
        model_id = model_of_run(connection, run_id)
        before = runs_before(connection, run_id) if run.status == "queued" else None
        changes = changes_of(connection, run_id=run_id)
    losses = {name: [event.metrics[name] for event in events if name in event.metrics] for name in ("loss", "validation_loss")}
    return wire.RunDetail(
        **_run(run, model_id=model_id).model_dump(),
        stages=[wire.Stage.model_validate(stage) for stage in stage_progress(events, method=run.method)],
        losses=losses,
        runs_before=before,
        changes=[wire.RunChange.model_validate(change) for change in changes],
    )


@api.post("/runs/<int:run_id>/cancel", tag="Training", answer=wire.Run)
@requires("train")
def cancel_a_run(run_id: int) -> wire.Run:
    """Stop a training request."""
    with hub().engine.begin() as connection:
        run_of_reader(connection, run_id)
        cancel_run(connection, run_id=run_id)
        return _run(run_of_reader(connection, run_id), model_id=None)


@api.post("/runs/<int:run_id>/repeat", tag="Training", answer=wire.Run, statuses=(201,))
@requires("train")
def repeat_run(run_id: int) -> tuple[wire.Run, int]:
    """Ask again for what failed or was cancelled: a new request, which names this one."""
    with hub().engine.connect() as connection:
        run = run_of_reader(connection, run_id)
    return _run(request_again(run), model_id=None), 201


@api.get("/operations/runs", tag="Operations", query=PageAsked, answer=wire.RunPage)
@requires("operate")
def list_all_runs(query: PageAsked) -> wire.RunPage:
    """List everybody's training requests, newest first."""
    with hub().engine.connect() as connection:
        found = runs(connection, before_id=place_of(query.cursor), limit=query.limit + 1)
    shown = found[: query.limit]
    return wire.RunPage(
        runs=[_run(run, model_id=run.model_id) for run in shown],
        next=following(shown[-1].id) if len(found) > query.limit else None,
    )


def _run(run: TrainingRun, *, model_id: int | None) -> wire.Run:
    said = {name: getattr(run, name) for name in wire.Run.model_fields if name not in ("has_ended", "model_id")}
    return wire.Run(**said, has_ended=run.status in ENDED, model_id=model_id)
