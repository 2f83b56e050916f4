"""The start page: what is in the hub."""

from flask import Blueprint, Response, jsonify, render_template
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.batches import latest_batches
from deep_images_hub.catalogue.labels import labels_by_count
from deep_images_hub.catalogue.images import gallery
from deep_images_hub.catalogue.overview import hub_totals
from webapp.access import public
from webapp.services import hub
from webapp.wording import ratio_rules

blueprint = Blueprint("home", __name__)

NEWEST_IMAGES = 30
LATEST_BATCHES = 8
SHORT_LABELS = 8
# Fewer pictures than this are too few to learn a label from: it stands among those that need some.
ENOUGH_IMAGES = 100

_RATIO_RULES = ratio_rules()


@blueprint.get("/")
@public
def index() -> ResponseReturnValue:
    """Show counts, newest pictures, latest batches and labels that are short."""
    with hub().engine.connect() as connection:
        totals = hub_totals(connection)
        short = labels_by_count(connection, min_images=1, max_images=ENOUGH_IMAGES - 1)
        return render_template(
            "home.html",
            totals=totals,
            newest=gallery(connection, label_id=None, limit=NEWEST_IMAGES),
            batches=latest_batches(connection, limit=LATEST_BATCHES),
            short=[label for label in short if label.own_images][:SHORT_LABELS],
            enough=ENOUGH_IMAGES,
        )


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
