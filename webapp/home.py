"""The start page: what is in the hub."""

import itertools
from collections.abc import Sequence

from flask import Blueprint, Response, jsonify, render_template
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.batches import latest_batches
from deep_images_hub.catalogue.datasets import versions
from deep_images_hub.catalogue.demands import wanted
from deep_images_hub.catalogue.images import Picture, gallery
from deep_images_hub.catalogue.labels import labels_by_count
from deep_images_hub.catalogue.overview import hub_totals
from webapp.access import public
from webapp.services import hub
from webapp.wording import ratio_rules

blueprint = Blueprint("home", __name__)

# The newest of many labels tell more than the newest alone, which are one batch.
NEWEST_IMAGES = 21
ROW_IMAGES = 7
LOOKED_AT_IMAGES = 400
LATEST_BATCHES = 8
SHORT_LABELS = 8
NEWEST_VERSIONS = 4
WANTED = 6
# Fewer pictures than this are too few to learn a label from: it stands among those that need some.
ENOUGH_IMAGES = 100

_RATIO_RULES = ratio_rules()


@blueprint.get("/")
@public
def index() -> ResponseReturnValue:
    """Show counts, newest pictures, batches and datasets, what is wanted and how far it is, and labels that are short."""
    with hub().engine.connect() as connection:
        totals = hub_totals(connection)
        short = labels_by_count(connection, min_images=1, max_images=ENOUGH_IMAGES - 1)
        newest = varied(gallery(connection, label_id=None, limit=LOOKED_AT_IMAGES))[:NEWEST_IMAGES]
        return render_template(
            "home.html",
            totals=totals,
            newest=newest,
            rows=rows(newest),
            batches=latest_batches(connection, limit=LATEST_BATCHES),
            versions=versions(connection, limit=NEWEST_VERSIONS),
            short=[label for label in short if label.own_images][:SHORT_LABELS],
            enough=ENOUGH_IMAGES,
            wanted=wanted(connection, limit=WANTED),
        )


def rows(pictures: Sequence[Picture], of: int = ROW_IMAGES) -> list[tuple[Sequence[Picture], Sequence[Picture]]]:
    """Part pictures into rows of two halves: one line of a wide screen, two of a phone. What fills no row is left out."""
    starts, half = range(0, len(pictures) - of + 1, of), (of + 1) // 2
    return [(pictures[at : at + half], pictures[at + half : at + of]) for at in starts]


def varied(pictures: Sequence[Picture]) -> list[Picture]:
    """Put pictures in an order in which labels take turns; each label's own order is kept."""
    by_label: dict[int, list[Picture]] = {}
    for picture in pictures:
        by_label.setdefault(picture.label_id, []).append(picture)
    turns = itertools.zip_longest(*by_label.values())
    return [picture for turn in turns for picture in turn if picture is not None]


@blueprint.get("/gallery-ratios.css")
@public
def gallery_ratios() -> Response:
    """Give the classes of the galleries' widths."""
    response = Response(_RATIO_RULES, mimetype="text/css")
    response.cache_control.public = True
    response.cache_control.max_age = 3600
    return response


@blueprint.get("/health")
@public
def health() -> ResponseReturnValue:
    """Tell a proxy that this process answers and reaches its catalogue."""
    with hub().engine.connect() as connection:
        hub_totals(connection)
    return jsonify(status="ok")
