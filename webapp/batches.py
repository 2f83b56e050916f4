"""For suppliers and operators: what became of all that somebody sent, and of a batch, each photograph and why; also as CSV.

A batch is its supplier's and the operators'. To anybody else it does not exist.
"""

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from deep_images_hub.batches.report import csv_lines
from deep_images_hub.catalogue.batch_reports import all_file_reports, batch_quality, file_reports
from deep_images_hub.catalogue.batches import Batch, batch_by_key, batch_funnel, latest_batches
from deep_images_hub.catalogue.landing import refused_deliveries
from deep_images_hub.catalogue.supplier_record import LATEST_PHOTOGRAPHS, MAX_LABELS, Week, supplier_record
from deep_images_hub.catalogue.uploads import open_uploads
from deep_images_hub.errors import NotFoundError
from webapp.access import may, signed_in, signed_in_user
from webapp.charts import stacked_columns
from webapp.paging import cursor
from webapp.services import hub
from webapp.wanted import near_point

blueprint = Blueprint("batches", __name__, url_prefix="/batches")

BATCHES_PAGE = 40
FILES_PAGE = 100
WANTED = 5


@blueprint.get("")
@signed_in
def index() -> ResponseReturnValue:
    """Show the record of whoever asks, what is not finished, wanted near or refused, and the batches, newest first."""
    user = signed_in_user()
    with hub().engine.connect() as connection:
        before = own_batch(connection, request.args["before"]) if request.args.get("before") else None
        batches = latest_batches(
            connection, supplier_id=user.id, before=before.cursor if before else None, limit=BATCHES_PAGE + 1
        )
        refused = [] if before else refused_deliveries(connection, supplier_id=user.id)
        begun = [] if before else open_uploads(connection, supplier_id=user.id)
        record = None if before else supplier_record(connection, supplier_id=user.id)
        shown = batches[:BATCHES_PAGE]
        place = next((batch.place for batch in shown if batch.place), None)
        near = []
        if place is not None and before is None:
            near = near_point(connection, latitude=place.latitude, longitude=place.longitude, limit=WANTED)
    more = url_for("batches.index", before=shown[-1].key) if len(batches) > BATCHES_PAGE else None
    weeks, top = stacked_columns([_of_week(week) for week in record.weeks]) if record else ([], 0)
    return render_template(
        "batches.html",
        batches=shown,
        refused=refused,
        begun=begun,
        record=record,
        weeks=weeks,
        top=top,
        latest_photographs=LATEST_PHOTOGRAPHS,
        max_labels=MAX_LABELS,
        more=more,
        near=near,
        place=place,
    )


@blueprint.get("/<batch_key>")
@signed_in
def page(batch_key: str) -> ResponseReturnValue:
    """Show a batch's result: what became of it in all, how good it is, and each file with what happened to it and why."""
    after = cursor(request.args.get("after"))
    with hub().engine.connect() as connection:
        found = own_batch(connection, batch_key)
        files = file_reports(connection, batch_key=batch_key, after_position=-1 if after is None else after, limit=FILES_PAGE + 1)
        shown = files[:FILES_PAGE]
        return render_template(
            "batch.html",
            batch=found,
            funnel=batch_funnel(connection, batch_key=batch_key),
            quality=batch_quality(connection, batch_key=batch_key),
            files=shown,
            more=url_for("batches.page", batch_key=batch_key, after=shown[-1].position) if len(files) > FILES_PAGE else None,
        )


@blueprint.get("/<batch_key>/progress.json")
@signed_in
def progress(batch_key: str) -> Response:
    """Say how a batch stands, for its page."""
    with hub().engine.connect() as connection:
        found = own_batch(connection, batch_key)
    response = jsonify(
        status=found.status,
        submitted=found.submitted_count,
        accepted=found.accepted_count,
        rejected=found.rejected_count,
        review=found.review_count,
    )
    response.cache_control.no_store = True
    return response


@blueprint.get("/<batch_key>/report.csv")
@signed_in
def report(batch_key: str) -> Response:
    """Give what became of every file, as CSV, page by page as it is read."""
    return report_csv(batch_key)


def report_csv(batch_key: str) -> Response:
    """Send what became of every file of a batch, to whoever may know."""
    engine = hub().engine
    with engine.connect() as connection:
        found = own_batch(connection, batch_key)

    def lines() -> Iterator[str]:
        with engine.connect() as connection:
            yield from csv_lines(all_file_reports(connection, batch_key=found.key))

    response = Response(stream_with_context(lines()), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.key}.csv"'
    response.cache_control.private = True
    response.cache_control.no_store = True
    return response


def _of_week(week: Week) -> tuple[str, dict[str, int]]:
    """Return what a column of the figure says, and what is stacked in it."""
    counts = {"accepted": week.accepted, "test": week.review, "refused": week.rejected}
    said = f"{week.accepted:,} accepted, {week.review:,} in review, {week.rejected:,} refused"
    return f"Week from {week.begins_at:%-d %b %Y}: {said}", counts


def own_batch(connection: Connection, batch_key: str) -> Batch:
    """Return a batch of whoever asks, or any for an operator. Raises NotFoundError, the same for no batch and for another's."""
    not_found = NotFoundError(f"There is no batch with the key {batch_key[:120]!r} among yours.")
    try:
        found = batch_by_key(connection, batch_key)
    except NotFoundError:
        raise not_found from None
    if found.supplier_id != signed_in_user().id and not may("operate"):
        raise not_found
    return found
