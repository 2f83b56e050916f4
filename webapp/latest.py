"""What came last, and from where: the newest batches on a map and in a list, for everybody. Nobody's name is on the map."""

from datetime import datetime

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.batches import latest_batches, latest_batches_geojson, latest_places
from deep_images_hub.images.gallery_places import GalleryPlace, place_from_text
from webapp.access import public
from webapp.services import hub
from webapp.world_map import HEIGHT, WIDTH, cities, graticule, places_on_map

blueprint = Blueprint("latest", __name__, url_prefix="/latest")

# Batches that the map is made of, and those in a page of the list.
MAP_BATCHES = 1_000
BATCHES_PAGE = 40
MAX_CITY_LENGTH = 100


@blueprint.get("")
@public
def index() -> ResponseReturnValue:
    """Show the newest batches, of everywhere or of a city; on the first page with a map."""
    city = request.args.get("city", "").strip()[:MAX_CITY_LENGTH] or None
    # A place in time, and not the key of a batch: asking for keys must not tell which there are.
    place = place_from_text("newest", request.args.get("before"))
    before = (place.key, place.image_id) if place and isinstance(place.key, datetime) else None
    with hub().engine.connect() as connection:
        batches = latest_batches(connection, city=city, before=before, limit=BATCHES_PAGE + 1)
        places = [] if before else latest_places(connection, city=city, limit=MAP_BATCHES)
    shown = batches[:BATCHES_PAGE]
    more = None
    if len(batches) > BATCHES_PAGE:
        more = url_for("latest.index", city=city, before=GalleryPlace(*shown[-1].cursor).text)
    return render_template(
        "latest.html",
        batches=shown,
        city=city,
        places=places_on_map(places, url_for("images.index")),
        place_count=len(places),
        is_first_page=before is None,
        more=more,
        width=WIDTH,
        height=HEIGHT,
        graticule=graticule(),
        cities=cities(),
    )


@blueprint.get("/batches.geojson")
@public
def geojson() -> Response:
    """Give the newest batches whose supplier shared a place, as points, for people's own maps."""
    return geojson_of(request.args.get("city", "").strip()[:MAX_CITY_LENGTH] or None)


def geojson_of(city: str | None) -> Response:
    """Send the newest batches that have a place, of a city or of everywhere."""
    with hub().engine.connect() as connection:
        response = jsonify(latest_batches_geojson(connection, city=city, limit=MAP_BATCHES))
    response.mimetype = "application/geo+json"
    return response
