"""For operators: what became of what was sent, what waits, and the training queue."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.batches import Batch, batch_by_key, batch_funnel, latest_batches, submissions_of
from deep_images_hub.catalogue.training import runs
from webapp.access import requires
from webapp.paging import cursor
from webapp.services import hub

blueprint = Blueprint("operations", __name__, url_prefix="/operations")

BATCHES_PAGE = 40
RUNS_SHOWN = 10
SUBMISSIONS_PAGE = 100


@blueprint.get("")
@requires("operate")
def index() -> ResponseReturnValue:
    """Show the funnel of all batches, the newest of them, and the latest training runs."""
    city = request.args.get("city", "").strip()[:100] or None
    with hub().engine.connect() as connection:
        before: Batch | None = batch_by_key(connection, request.args["before"]) if request.args.get("before") else None
        batches = latest_batches(connection, city=city, before=before.cursor if before else None, limit=BATCHES_PAGE + 1)
        shown = batches[:BATCHES_PAGE]
        has_more = len(batches) > BATCHES_PAGE
        return render_template(
            "operations.html",
            funnel=batch_funnel(connection),
            batches=shown,
            city=city or "",
            more=url_for("operations.index", city=city, before=shown[-1].key) if has_more else None,
            runs=runs(connection, limit=RUNS_SHOWN),
        )


@blueprint.get("/batches/<path:batch_key>")
@requires("operate")
def batch(batch_key: str) -> ResponseReturnValue:
    """Show a batch and what became of each of its files."""
    after = cursor(request.args.get("after"))
    with hub().engine.connect() as connection:
        found = batch_by_key(connection, batch_key)
        submissions = submissions_of(
            connection, batch_key=batch_key, after_position=-1 if after is None else after, limit=SUBMISSIONS_PAGE + 1
        )
        shown = submissions[:SUBMISSIONS_PAGE]
        has_more = len(submissions) > SUBMISSIONS_PAGE
        return render_template(
            "batch.html",
            batch=found,
            funnel=batch_funnel(connection, batch_key=batch_key),
            submissions=shown,
            more=url_for("operations.batch", batch_key=batch_key, after=shown[-1].position) if has_more else None,
        )
