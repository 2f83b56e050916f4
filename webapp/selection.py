"""The selection: labels and pictures on their way to a dataset. It lives in the session, so that choosing needs no account."""

from collections import Counter
from collections.abc import Callable, Mapping

from flask import Blueprint, flash, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from deep_images_hub.catalogue.images import Picture, pictures_by_ids, pictures_by_sha256s
from deep_images_hub.catalogue.labels import label_by_code, labels_by_codes
from deep_images_hub.datasets.freeze import expect, freeze
from deep_images_hub.datasets.recipe import SPLITS, Recipe
from deep_images_hub.errors import InvalidInputError, NotFoundError
from deep_images_hub.licences import LICENCES
from webapp.access import public, requires, signed_in_user
from webapp.addresses import safe_target
from webapp.chosen import Selection, recipe_from_form, selection_from_session, session_from_selection
from webapp.error_pages import wants_json
from webapp.services import hub
from webapp.wording import plural

blueprint = Blueprint("selection", __name__, url_prefix="/selection")


def selected() -> Selection:
    """Return what this session has chosen."""
    return selection_from_session(session.get("selection"))


@blueprint.app_context_processor
def _counts() -> dict[str, int]:
    chosen = selected()
    return {"selected_count": chosen.count, "selected_room": chosen.room}


@blueprint.get("")
@public
def index() -> ResponseReturnValue:
    """Show what was chosen, the options, and what a dataset of it would hold now."""
    return _page("")


@blueprint.post("/labels/add")
@public
def add_label() -> ResponseReturnValue:
    """Add a label."""
    return _with_labels(Selection.with_label, label_by_code)


@blueprint.post("/labels/remove")
@public
def remove_label() -> ResponseReturnValue:
    """Take a label out."""
    return _with_labels(Selection.without_label)


@blueprint.post("/pictures/add")
@public
def add_picture() -> ResponseReturnValue:
    """Add single pictures, one or several."""
    return _with_pictures(Selection.with_picture)


@blueprint.post("/pictures/remove")
@public
def remove_picture() -> ResponseReturnValue:
    """Take single pictures out."""
    return _with_pictures(Selection.without_picture)


@blueprint.post("/pictures/leave-out")
@public
def leave_out_picture() -> ResponseReturnValue:
    """Leave pictures out."""
    return _with_pictures(Selection.leaving_out)


@blueprint.post("/pictures/readmit")
@public
def readmit_picture() -> ResponseReturnValue:
    """Leave pictures out no longer."""
    return _with_pictures(Selection.readmitting)


@blueprint.post("/clear")
@public
def clear() -> ResponseReturnValue:
    """Begin anew."""
    session.pop("selection", None)
    return redirect(url_for("selection.index"))


@blueprint.post("/count")
@public
def count() -> ResponseReturnValue:
    """Show the selection with other options."""
    return _page(request.form.get("name", ""))


@blueprint.post("/freeze")
@requires("freeze")
def make_dataset() -> ResponseReturnValue:
    """Freeze the selection with its options, and show the version."""
    name = request.form.get("name", "")
    try:
        with hub().engine.begin() as connection:
            chosen, pictures = _single_pictures(connection, selected())
            recipe = _recipe(chosen, pictures)
            version = freeze(connection, recipe, name=name, created_by=signed_in_user().id)
    except InvalidInputError as error:
        return _page(name, problem=str(error)), 400
    if version.name != " ".join(name.split()):
        flash(f"These very pictures were frozen before, as “{version.name}”: this is that dataset.")
    return redirect(url_for("datasets.page", version_id=version.id))


def _with_labels(
    change: Callable[[Selection, str], Selection], check: Callable[[Connection, str], object] | None = None
) -> ResponseReturnValue:
    """Change the selection by every label that the form names, which `check` must find in the catalogue."""
    codes, chosen = _named("label_code"), selected()
    for code in codes:
        chosen = change(chosen, code)
    if check is not None:
        # No more than fit: what is above that was refused before the catalogue is asked.
        with hub().engine.connect() as connection:
            for code in codes:
                check(connection, code)
    return _changed_to(chosen)


def _with_pictures(change: Callable[[Selection, int], Selection]) -> ResponseReturnValue:
    """Change the selection by every picture that the form names; all of them must be there."""
    sha256s, chosen = _named("sha256"), selected()
    with hub().engine.connect() as connection:
        pictures = pictures_by_sha256s(connection, sha256s)
    for sha256 in sha256s:
        if sha256 not in pictures:
            raise NotFoundError(f"There is no picture with the sha256 {sha256[:64]!r}.")
        chosen = change(chosen, pictures[sha256].image_id)
    return _changed_to(chosen)


def _named(field: str) -> list[str]:
    """Return what a form names, each once. An empty field is looked for too, and said to be wrong."""
    return list(dict.fromkeys(request.form.getlist(field))) or [""]


def _changed_to(chosen: Selection) -> ResponseReturnValue:
    """Keep a selection; go back, or answer a script."""
    session["selection"] = session_from_selection(chosen)
    if wants_json():
        return jsonify(selected=chosen.count, room=chosen.room)
    return redirect(safe_target(request.form.get("next"), otherwise=url_for("selection.index")))


def _single_pictures(connection: Connection, chosen: Selection) -> tuple[Selection, dict[int, Picture]]:
    """Return the selection without the pictures that left the hub, and those that are there, by id."""
    pictures = pictures_by_ids(connection, (*chosen.pictures, *chosen.left_out))
    return chosen.only_with(pictures), pictures


def _recipe(chosen: Selection, pictures: Mapping[int, Picture]) -> Recipe:
    sha256s = {image_id: picture.sha256 for image_id, picture in pictures.items()}
    return recipe_from_form(chosen, sha256s, request.form, tuple(request.form.getlist("licences")))


def _page(name: str, problem: str | None = None) -> str:
    before, options = selected(), request.form
    with hub().engine.connect() as connection:
        chosen, pictures = _single_pictures(connection, before)
        labels = labels_by_codes(connection, chosen.label_codes)
        if chosen != before:
            # Nothing shows them any more, so that nobody could take them out.
            session["selection"] = session_from_selection(chosen)
        if gone := len(before.pictures) - len(chosen.pictures):
            flash(f"{plural(gone, 'picture')} of the selection left the hub and can be chosen no longer.", "warn")
        counts: Counter[tuple[str, str]] | None = None
        size_bytes = about = 0
        if chosen.count and problem is None:
            try:
                expected = expect(connection, _recipe(chosen, pictures))
                about, counts, size_bytes = expected.about, expected.counts, expected.size_bytes
            except InvalidInputError as error:
                problem = str(error)
        names = labels_by_codes(connection, {code for code, _ in counts}) if counts else {}
    return render_template(
        "selection.html",
        name=name,
        problem=problem,
        labels=[labels[code] for code in chosen.label_codes if code in labels],
        pictures=[pictures[image_id] for image_id in chosen.pictures],
        left_out=[pictures[image_id] for image_id in chosen.left_out],
        counts=counts,
        size_bytes=size_bytes,
        about=about,
        counted_labels=sorted(names.values(), key=lambda label: label.name.casefold()),
        splits=SPLITS,
        all_licences=LICENCES,
        licences=options.getlist("licences"),
        options=options,
        with_descendants=options.get("with_descendants") == "1" or "options" not in options,
    )
