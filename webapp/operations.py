"""For operators: what became of what was sent, what waits, and the training queue."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.batches import Batch, batch_by_key, batch_funnel, latest_batches
from deep_images_hub.catalogue.training import runs
from webapp.access import requires
from webapp.services import hub

blueprint = Blueprint("operations", __name__, url_prefix="/operations")

BATCHES_PAGE = 40
RUNS_SHOWN = 10


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
