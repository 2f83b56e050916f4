"""Batches: the latest of everybody, and one's own with what became of each photograph."""

from datetime import datetime
from typing import Any

from flask import Response

from deep_images_hub.catalogue import batches as catalogue
from deep_images_hub.catalogue.batch_reports import batch_quality, file_reports
from deep_images_hub.catalogue.landing import refused_deliveries
from deep_images_hub.images.gallery_places import GalleryPlace, place_from_text
from deep_images_hub.wire import batches as wire
from deep_images_hub.wire.base import PageAsked
from webapp import latest
from webapp.access import public, requires, signed_in, signed_in_user
from webapp.api.cursors import following, place_of
from webapp.api.operations import api
from webapp.batches import own_batch, report_csv
from webapp.services import hub


@api.get("/latest-batches", tag="Batches", query=wire.LatestAsked, answer=wire.LatestBatchPage)
@public
def list_latest_batches(query: wire.LatestAsked) -> wire.LatestBatchPage:
    """List the newest batches, of everywhere or of a city."""
    shown, more = _latest(query, city=query.city)
    return wire.LatestBatchPage(batches=[_latest_batch(batch) for batch in shown], next=more)


@api.get("/latest-batches.geojson", tag="Batches", query=wire.CityAsked, gives=("application/geo+json",))
@public
def map_latest_batches(query: wire.CityAsked) -> Response:
    """Give the newest batches whose supplier shared a place as GeoJSON (RFC 7946)."""
    return latest.geojson_of(query.city)


@api.get("/batches", tag="Batches", query=PageAsked, answer=wire.BatchPage)
@signed_in
def list_own_batches(query: PageAsked) -> wire.BatchPage:
    """List the batches of whoever asks, newest first."""
    return _page(query, supplier_id=signed_in_user().id)


@api.get("/batches/<batch_key>", tag="Batches", answer=wire.BatchDetail)
@signed_in
def read_batch(batch_key: str) -> wire.BatchDetail:
    """Give a batch of one's own, or for operators any, with what became of it."""
    with hub().engine.connect() as connection:
        batch = own_batch(connection, batch_key)
        return wire.BatchDetail(
            **wire.Batch.model_validate(batch).model_dump(),
            funnel=_funnel(catalogue.batch_funnel(connection, batch_key=batch_key)),
            quality=wire.BatchQuality.model_validate(batch_quality(connection, batch_key=batch_key)),
        )


@api.get("/batches/<batch_key>/files", tag="Batches", query=PageAsked, answer=wire.SentFilePage)
@signed_in
def list_files_of_batch(batch_key: str, query: PageAsked) -> wire.SentFilePage:
    """List what became of each photograph of a batch, and why."""
    place = place_of(query.cursor)
    with hub().engine.connect() as connection:
        own_batch(connection, batch_key)
        files = file_reports(
            connection, batch_key=batch_key, after_position=-1 if place is None else place, limit=query.limit + 1
        )
    shown = files[: query.limit]
    return wire.SentFilePage(
        files=[wire.SentFile.model_validate(file) for file in shown],
        next=following(shown[-1].position) if len(files) > query.limit else None,
    )


@api.get("/batches/<batch_key>/report.csv", tag="Batches", gives=("text/csv",))
@signed_in
def download_report_of_batch(batch_key: str) -> Response:
    """Give the same as one CSV file."""
    return report_csv(batch_key)


@api.get("/refused-deliveries", tag="Batches", answer=wire.RefusedDeliveries)
@signed_in
def list_refused_deliveries() -> wire.RefusedDeliveries:
    """List the manifests in the name of whoever asks that are refused as they are now."""
    with hub().engine.connect() as connection:
        refused = refused_deliveries(connection, supplier_id=signed_in_user().id)
    return wire.RefusedDeliveries(deliveries=[wire.RefusedDelivery.model_validate(delivery) for delivery in refused])


@api.get("/operations/batches", tag="Operations", query=wire.LatestAsked, answer=wire.BatchPage)
@requires("operate")
def list_all_batches(query: wire.LatestAsked) -> wire.BatchPage:
    """List everybody's batches, newest first."""
    return _page(query, city=query.city)


@api.get("/operations/funnel", tag="Operations", answer=wire.Funnel)
@requires("operate")
def read_funnel() -> wire.Funnel:
    """Say what became of everything that was sent."""
    with hub().engine.connect() as connection:
        return _funnel(catalogue.batch_funnel(connection))


def _page(query: PageAsked, **wanted: Any) -> wire.BatchPage:
    shown, more = _latest(query, **wanted)
    return wire.BatchPage(batches=[wire.Batch.model_validate(batch) for batch in shown], next=more)


def _latest(query: PageAsked, **wanted: Any) -> tuple[list[catalogue.Batch], str | None]:
    """Return a part of the newest batches, and the address of the next."""
    place = place_from_text("newest", place_of(query.cursor))
    before = (place.key, place.image_id) if place and isinstance(place.key, datetime) else None
    with hub().engine.connect() as connection:
        found = catalogue.latest_batches(connection, before=before, limit=query.limit + 1, **wanted)
    shown = found[: query.limit]
    return shown, following(GalleryPlace(*shown[-1].cursor).text) if len(found) > query.limit else None


def _latest_batch(batch: catalogue.Batch) -> wire.LatestBatch:
    place = batch.place
    said = {name: getattr(batch, name) for name in wire.LatestBatch.model_fields if name not in ("country_code", "city")}
    return wire.LatestBatch(**said, country_code=place.country_code if place else None, city=place.city if place else None)


def _funnel(funnel: catalogue.Funnel) -> wire.Funnel:
    return wire.Funnel(**{**vars(funnel), "rejected": dict(funnel.rejected), "review": dict(funnel.review)})
