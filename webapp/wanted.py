"""What is wanted: everybody sees it, with how far it is; whoever has an account asks, votes, watches, and takes it back.

Around a place, only what is wanted from there is shown. What is wanted from anywhere may come from there
too: that is the whole list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from deep_images_hub.catalogue import demands, watches
from deep_images_hub.catalogue.demands import Asked, Demand
from deep_images_hub.catalogue.label_proposals import proposals_of_user
from deep_images_hub.catalogue.labels import Label, label_by_code, label_by_words
from deep_images_hub.catalogue.overview import SampleImage, sample_images
from deep_images_hub.catalogue.places import place_by_id, place_for
from deep_images_hub.demand.rules import MAX_NOTE_LENGTH, MAX_TARGET_IMAGES, ORDERS, RADII_KM, checked_target
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.places import Place, open_geocoder
from webapp.access import current_user, may, public, signed_in, signed_in_user
from webapp.addresses import safe_target
from webapp.error_pages import status_of
from webapp.paging import cursor
from webapp.security import limiter
from webapp.services import hub

blueprint = Blueprint("wanted", __name__, url_prefix="/wanted")

DEMANDS_PAGE = 20
OWN_PAGE = 50
SAMPLES = 4
MAX_WORDS_LENGTH = 200
DEFAULT_TARGET = 200
DEFAULT_RADIUS_KM = 50
ASK_LIMIT = "30 per minute; 300 per day"
# A place is looked up by whoever knows places, which may be a service that is not ours.
NEAR_LIMIT = "30 per minute"
ORDER_WORDS = {"votes": "Wanted by most", "missing": "Most missing", "newest": "Newest"}


@dataclass(frozen=True)
class Near:
    """Around which place somebody looks. distances_km: of the places for which something is wanted, by their id."""

    query: str
    place: Place
    radius_km: int
    distances_km: Mapping[int, float]


@blueprint.app_context_processor
def _ways() -> dict[str, object]:
    return {"send_address": _send_address, "demand_limits": {"target": MAX_TARGET_IMAGES, "note": MAX_NOTE_LENGTH}}


@blueprint.get("")
@limiter.limit(NEAR_LIMIT, exempt_when=lambda: not request.args.get("near"))
@public
def index() -> ResponseReturnValue:
    """List what is wanted: of everywhere, or of around a place."""
    return _page()


@blueprint.post("")
@limiter.limit(ASK_LIMIT)
@signed_in
def ask() -> ResponseReturnValue:
    """Ask for pictures of a label, given by its code or its name, of anywhere or from around a place."""
    words = request.form.get("label", "").strip()[:MAX_WORDS_LENGTH]
    try:
        label, asked = _ask(words)
    except (InvalidInputError, NotFoundError, ConflictError) as error:
        if request.form.get("next"):
            flash(str(error), "bad")
            return _back()
        is_unknown = isinstance(error, NotFoundError) and words != ""
        return _page(problem=str(error), missing=words if is_unknown else None), status_of(error)
    flash(_words_of(asked, label))
    return _back()


@blueprint.post("/<int:demand_id>/vote")
@limiter.limit(ASK_LIMIT)
@signed_in
def vote(demand_id: int) -> ResponseReturnValue:
    """Say that one wants it too."""
    with hub().engine.begin() as connection:
        demands.vote(connection, demand_id=demand_id, user_id=signed_in_user().id)
    return _back()


@blueprint.post("/<int:demand_id>/take-vote-back")
@limiter.limit(ASK_LIMIT)
@signed_in
def take_vote_back(demand_id: int) -> ResponseReturnValue:
    """Say that one does not want it after all."""
    with hub().engine.begin() as connection:
        demands.take_vote_back(connection, demand_id=demand_id, user_id=signed_in_user().id)
    return _back()


@blueprint.post("/<int:demand_id>/withdraw")
@limiter.limit(ASK_LIMIT)
@signed_in
def withdraw(demand_id: int) -> ResponseReturnValue:
    """Take back what one asked for; an operator anybody's."""
    with hub().engine.begin() as connection:
        outcome = demands.withdraw(connection, demand_id=demand_id, user_id=signed_in_user().id, is_operator=may("operate"))
    stays = outcome == "passed on"
    flash("You ask for it no longer. Others want it, so that it stays." if stays else "It is asked for no longer.")
    return _back()


@blueprint.post("/watch")
@limiter.limit(ASK_LIMIT)
@signed_in
def watch() -> ResponseReturnValue:
    """Be told when what is wanted of a label is there."""
    with hub().engine.begin() as connection:
        label = label_by_code(connection, request.form.get("label", ""))
        watches.watch(connection, label_id=label.id, user_id=signed_in_user().id)
    flash(f"You will be told by e-mail when what is wanted of {label.name} is there.")
    return _back()


@blueprint.post("/stop-watching")
@limiter.limit(ASK_LIMIT)
@signed_in
def stop_watching() -> ResponseReturnValue:
    """Be told no more."""
    with hub().engine.begin() as connection:
        label = label_by_code(connection, request.form.get("label", ""))
        watches.stop_watching(connection, label_id=label.id, user_id=signed_in_user().id)
    return _back()


@blueprint.get("/mine")
@signed_in
def mine() -> ResponseReturnValue:
    """Show what one asked for and what became of it, the labels that one proposed, and those that one watches."""
    user, before = signed_in_user(), cursor(request.args.get("before"))
    with hub().engine.connect() as connection:
        found = demands.demands_of_user(connection, user_id=user.id, before_id=before, limit=OWN_PAGE + 1)
        shown = found[:OWN_PAGE]
        return render_template(
            "wanted_mine.html",
            demands=shown,
            proposals=[] if before else proposals_of_user(connection, user_id=user.id, limit=OWN_PAGE),
            watched=[] if before else watches.watched_labels(connection, user_id=user.id),
            is_first=before is None,
            more=url_for("wanted.mine", before=shown[-1].id) if len(found) > OWN_PAGE else None,
        )


def of_label(connection: Connection, label_id: int, *, limit: int) -> dict[str, Any]:
    """Return what a label's page shows of demand: so much of what is wanted of it, and whether whoever looks watches it."""
    user = current_user()
    user_id = user.id if user else None
    return {
        "demands": demands.wanted(connection, label_id=label_id, user_id=user_id, limit=limit) if limit else [],
        "is_watched": user is not None and watches.is_watching(connection, label_id=label_id, user_id=user.id),
        "default_target": DEFAULT_TARGET,
    }


def near_point(connection: Connection, *, latitude: float, longitude: float, limit: int) -> list[tuple[Demand, float]]:
    """Return what is wanted around a point, with how far away its place is in km."""
    distances = demands.demanded_places_near(connection, latitude=latitude, longitude=longitude, radius_km=DEFAULT_RADIUS_KM)
    found = demands.wanted(connection, place_ids=list(distances), limit=limit) if distances else []
    return [(demand, distances[demand.place_id]) for demand in found if demand.place_id is not None]


def _ask(words: str) -> tuple[Label, Asked]:
    user, form = signed_in_user(), request.form
    if not words:
        raise InvalidInputError("Say first of what you want pictures: the name of a label.")
    target = checked_target(form.get("target", ""))
    place_id = place_id_of(form.get("place", ""))
    with hub().engine.begin() as connection:
        label = label_by_words(connection, words)
        asked = demands.ask_for(
            connection, label_id=label.id, user_id=user.id, target_images=target, note=form.get("note", ""), place_id=place_id
        )
    return label, asked


def _words_of(asked: Asked, label: Label) -> str:
    if asked.outcome == "new":
        return f"Pictures of {label.name} are wanted now. You will be told by e-mail when they are there."
    if asked.outcome == "voted":
        return f"As many pictures of {label.name}, or more, are wanted already: your vote was added. You will be told, too."
    return f"You want as many pictures of {label.name}, or more, already."


def place_id_of(words: str) -> int | None:
    """Return the place that somebody names; None: they name none. Raises InvalidInputError where it is no place."""
    query = words.strip()[:MAX_WORDS_LENGTH]
    if not query:
        return None
    # In a transaction of its own: a service may take seconds.
    with hub().engine.begin() as connection:
        place_id = place_for(connection, open_geocoder(hub().settings), query)
    if place_id is None:
        raise _no_place(query)
    return place_id


def around(query: str, radius_km: int) -> Near:
    """Return what is wanted around a place. Raises InvalidInputError where it is no place, or the radius none of RADII_KM."""
    if radius_km not in RADII_KM:
        raise InvalidInputError(f"{radius_km} km is no distance to look within. Expected one of {', '.join(map(str, RADII_KM))}.")
    place = _place(query)
    with hub().engine.connect() as connection:
        distances = demands.demanded_places_near(
            connection, latitude=place.latitude, longitude=place.longitude, radius_km=float(radius_km)
        )
    return Near(query, place, radius_km, distances)


def _place(query: str) -> Place:
    """Return the place that somebody looks around. Nothing is written down of it, unless a service had to be asked.

    Raises:
        InvalidInputError: it is no place; or nobody is signed in, and only a service would know.
    """
    settings = hub().settings
    if settings.geocoder == "offline":
        place = open_geocoder(settings).find(query)
        if place is None:
            raise _no_place(query)
        return place
    if current_user() is None:
        raise InvalidInputError("Sign in to look around a place: this hub asks a service where places are.")
    place_id = place_id_of(query)
    if place_id is None:
        raise _no_place(query)
    with hub().engine.connect() as connection:
        return place_by_id(connection, place_id)


def _no_place(query: str) -> InvalidInputError:
    return InvalidInputError(f"No place is known as {query[:80]!r}. Expected a city or a postcode, such as Toronto, CA.")


def _page(*, problem: str | None = None, missing: str | None = None) -> str:
    """Render the list.

    Args:
        problem: why what was asked for was not taken; the form keeps what it said.
        missing: the name of a label that is not here, which may be proposed.
    """
    order = request.args.get("order", "votes")
    if order not in ORDERS:
        raise InvalidInputError(f"{order[:40]!r} is no order of what is wanted. Expected one of {', '.join(ORDERS)}.")
    near, near_problem = None, None
    query = request.args.get("near", "").strip()[:MAX_WORDS_LENGTH]
    try:
        near = around(query, request.args.get("km", DEFAULT_RADIUS_KM, type=int)) if query else None
    except InvalidInputError as error:
        near_problem = str(error)
    user = current_user()
    with hub().engine.connect() as connection:
        found = demands.wanted(
            connection,
            order=order,
            place_ids=list(near.distances_km) if near else None,
            user_id=user.id if user else None,
            after=_cursor(request.args.get("after")),
            limit=DEMANDS_PAGE + 1,
        )
        shown = found[:DEMANDS_PAGE]
        samples: dict[int, list[SampleImage]] = sample_images(
            connection, label_ids=[demand.label_id for demand in shown], per_label=SAMPLES
        )
    where: dict[str, Any] = {"near": near.query, "km": near.radius_km} if near else {}
    ways = {name: url_for("wanted.index", order=name, **where) for name in ORDERS}
    return render_template(
        "wanted.html",
        demands=shown,
        samples=samples,
        near=near,
        near_words=query,
        near_problem=near_problem,
        radii=RADII_KM,
        radius_km=near.radius_km if near else DEFAULT_RADIUS_KM,
        order=order,
        orders=[(ORDER_WORDS[name], ways[name], name == order) for name in ORDERS],
        more=url_for("wanted.index", order=order, after="{}-{}".format(*shown[-1].cursor), **where)
        if len(found) > DEMANDS_PAGE
        else None,
        form=request.form,
        default_target=DEFAULT_TARGET,
        problem=problem,
        missing=missing,
    )


def _cursor(value: str | None) -> tuple[int, int] | None:
    """Read a place in the list from an address. Raises InvalidInputError."""
    if not value:
        return None
    key, _, last = value.partition("-")
    read = cursor(key), cursor(last)
    if read[0] is None or read[1] is None:
        raise InvalidInputError("The address names no place in this list. Open the list again and go on from its first page.")
    return read[0], read[1]


def _back() -> ResponseReturnValue:
    return redirect(safe_target(request.form.get("next"), otherwise=url_for("wanted.index")))


def _send_address(label_code: str) -> str | None:
    """Return where photographs of a label are sent; None: this account may send none."""
    if current_user() is not None and not may("submit"):
        return None
    return url_for("send.new_batch", label=label_code)
