"""The selection: labels and pictures on their way to a dataset. It lives in the session, so that choosing needs no account."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from flask import Blueprint, flash, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from deep_images_hub.catalogue.images import image_by_sha256, pictures_by_sha256s
from deep_images_hub.catalogue.labels import label_by_code, labels_by_codes
from deep_images_hub.datasets.freeze import expect, freeze
from deep_images_hub.datasets.recipe import SPLITS
from deep_images_hub.errors import InvalidInputError
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
    return _changed("label_code", Selection.with_label, label_by_code)


@blueprint.post("/labels/remove")
@public
def remove_label() -> ResponseReturnValue:
    """Take a label out."""
    return _changed("label_code", Selection.without_label)


@blueprint.post("/pictures/add")
@public
def add_picture() -> ResponseReturnValue:
    """Add single pictures, one or several."""
    return _changed("sha256", Selection.with_picture, image_by_sha256)


@blueprint.post("/pictures/remove")
@public
def remove_picture() -> ResponseReturnValue:
    """Take single pictures out."""
    return _changed("sha256", Selection.without_picture)


@blueprint.post("/pictures/leave-out")
@public
def leave_out_picture() -> ResponseReturnValue:
    """Leave pictures out."""
    return _changed("sha256", Selection.leaving_out, image_by_sha256)


@blueprint.post("/pictures/readmit")
@public
def readmit_picture() -> ResponseReturnValue:
    """Leave pictures out no longer."""
    return _changed("sha256", Selection.readmitting)


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
        recipe = recipe_from_form(selected(), request.form, tuple(request.form.getlist("licences")))
        with hub().engine.begin() as connection:
            version = freeze(connection, recipe, name=name, created_by=signed_in_user().id)
    except InvalidInputError as error:
        return _page(name, problem=str(error)), 400
    if version.name != " ".join(name.split()):
        flash(f"These very pictures were frozen before, as “{version.name}”: this is that dataset.")
    return redirect(url_for("datasets.page", version_id=version.id))


def _changed(
    field: str, change: Callable[[Selection, str], Selection], check: Callable[[Connection, str], object] | None = None
) -> ResponseReturnValue:
    """Change the selection by every value of a field, which `check` must find in the catalogue; go back, or answer a script."""
    # An empty field is checked too, and said to be wrong.
    values = list(dict.fromkeys(request.form.getlist(field))) or [""]
    chosen = selected()
    for value in values:
        chosen = change(chosen, value)
    if check is not None:
        # No more than fit: what is above that was refused before the catalogue is asked.
        with hub().engine.connect() as connection:
            for value in values:
                check(connection, value)
    session["selection"] = session_from_selection(chosen)
    if wants_json():
        return jsonify(selected=chosen.count, room=chosen.room)
    return redirect(safe_target(request.form.get("next"), otherwise=url_for("selection.index")))


def _page(name: str, problem: str | None = None) -> str:
    chosen = selected()
    options = request.form
    licences = tuple(options.getlist("licences"))
    with hub().engine.connect() as connection:
        labels = labels_by_codes(connection, chosen.label_codes)
        pictures = pictures_by_sha256s(connection, (*chosen.pictures, *chosen.left_out))
        if gone := set(chosen.pictures) - pictures.keys():
            # Nothing shows them any more, so that nobody could take them out.
            chosen = replace(chosen, pictures=tuple(sha256 for sha256 in chosen.pictures if sha256 not in gone))
            session["selection"] = session_from_selection(chosen)
            flash(f"{plural(len(gone), 'picture')} of the selection left the hub and can be chosen no longer.", "warn")
        counts: Counter[tuple[str, str]] | None = None
        size_bytes = about = 0
        if chosen.count and problem is None:
            try:
                recipe = recipe_from_form(chosen, options, licences)
                expected = expect(connection, recipe)
                about, counts, size_bytes = expected.about, expected.counts, expected.size_bytes
            except InvalidInputError as error:
                problem = str(error)
        names = labels_by_codes(connection, {code for code, _ in counts}) if counts else {}
    return render_template(
        "selection.html",
        name=name,
        problem=problem,
        labels=[labels[code] for code in chosen.label_codes if code in labels],
        pictures=[pictures[sha256] for sha256 in chosen.pictures if sha256 in pictures],
        left_out=[pictures[sha256] for sha256 in chosen.left_out if sha256 in pictures],
        counts=counts,
        size_bytes=size_bytes,
        about=about,
        counted_labels=sorted(names.values(), key=lambda label: label.name.casefold()),
        splits=SPLITS,
        all_licences=LICENCES,
        licences=licences,
        options=options,
        with_descendants=options.get("with_descendants") == "1" or "options" not in options,
    )
