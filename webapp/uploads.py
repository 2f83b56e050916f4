"""For suppliers: send photographs for one label. The form, what has come so far, finishing it and giving it up.

With scripts, the form begins an upload and each photograph is sent by itself (`upload_files`), so that it goes on after anything;
without, the form carries the photographs and everything happens in one request.
"""

import hashlib
from collections.abc import Iterable

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection
from werkzeug.datastructures import FileStorage

from deep_images_hub.catalogue.demands import wanted
from deep_images_hub.catalogue.labels import FoundLabel, Label, find_labels, label_by_code
from deep_images_hub.catalogue.places import place_for
from deep_images_hub.catalogue.uploads import add_file, open_uploads, start_upload, upload_by_key
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.places import open_geocoder
from deep_images_hub.uploads.upload import MAX_ATTRIBUTION_CHARACTERS, NewFile, NewUpload, Upload, limits_from_settings
from webapp.access import requires, signed_in_user
from webapp.error_pages import status_of, wants_json
from webapp.services import hub, services
from webapp.world_map import HEIGHT, WIDTH

blueprint = Blueprint("send", __name__, url_prefix="/send")

FOUND_LABELS = 40
WANTED_LABELS = 12
MAX_QUERY_LENGTH = 100
MAX_PLACE_LENGTH = 200
# Photographs of which it is said why they were left out: a cookie carries it to the next page, and browsers drop longer ones.
MAX_SAID = 3
# Those that fit photographs of one's own, with what they mean for who gives one.
LICENCE_WORDS = {
    "by": ("Attribution", "Anybody may use the photograph for anything, and has to name you."),
    "by-sa": ("Attribution, share alike", "As before; who changes it has to share the result under the same licence."),
    "by-nc": ("Attribution, not commercial", "Anybody may use it, but not for money, and has to name you."),
    "by-nc-sa": ("Attribution, not commercial, share alike", "Not for money, naming you, and shared under the same licence."),
    "cc0": ("No rights reserved", "Anybody may use the photograph for anything, without naming you."),
}
DEFAULT_LICENCE = "by"
PLACES = ("none", "named", "photographs")


@blueprint.url_value_preprocessor
def _allow_photographs(endpoint: str | None, _values: object) -> None:
    """Let the form that carries photographs be longer than others. Who may not send is turned away before it is read."""
    if endpoint == "send.start" and request.method == "POST":
        request.max_content_length = hub().settings.max_form_bytes


@blueprint.get("")
@requires("submit")
def new_batch() -> ResponseReturnValue:
    """Show the form for the label that `label` names, by code or in words; without one, ask for it first."""
    words = request.args.get("label", "").strip()[:MAX_QUERY_LENGTH]
    with hub().engine.connect() as connection:
        begun = open_uploads(connection, supplier_id=signed_in_user().id)
        label, found = _label_in_words(connection, words) if words else (None, [])
        if label is None:
            asked_for = wanted(connection, limit=WANTED_LABELS)
            return render_template("send_label.html", words=words, found=found, begun=begun, wanted=asked_for)
    return _form(label, begun)


@blueprint.post("")
@requires("submit")
def start() -> ResponseReturnValue:
    """Begin an upload; where the form carries photographs, receive them all and finish it."""
    user, receiver = signed_in_user(), services().receiver
    photographs = [sent for sent in request.files.getlist("photographs") if sent.filename]
    try:
        with hub().engine.begin() as connection:
            label = label_by_code(connection, request.form.get("label", ""))
    except NotFoundError as error:
        raise InvalidInputError("Say first what the photographs show: choose a label.") from error
    try:
        new = _upload_from_form(label)
        if not photographs and not wants_json():
            raise InvalidInputError("No photograph was sent. Choose at least one.")
        with hub().engine.begin() as connection:
            key = start_upload(connection, supplier_id=user.id, new=new)
    except (InvalidInputError, ConflictError) as error:
        if wants_json():
            raise
        with hub().engine.connect() as connection:
            begun = open_uploads(connection, supplier_id=user.id)
        return _form(label, begun, problem=str(error)), status_of(error)
    if wants_json():
        address = url_for("send.page", upload_key=key)
        return jsonify(key=key, url=address, files_url=url_for("upload_files.add", upload_key=key)), 201
    left_out = [problem for sent in photographs if (problem := _receive(key, sent))]
    for problem in left_out[:MAX_SAID]:
        flash(f"Left out: {problem}", "warn")
    if len(left_out) > MAX_SAID:
        flash(f"Left out: {len(left_out) - MAX_SAID:,} more.", "warn")
    if len(left_out) == len(photographs):
        receiver.discard(user, key)
        return redirect(url_for("send.new_batch", label=label.code))
    return _finished(receiver.finish(user, key))


@blueprint.get("/<upload_key>")
@requires("submit")
def page(upload_key: str) -> ResponseReturnValue:
    """Show how far an upload has come; once it is a batch, go there."""
    user = signed_in_user()
    try:
        with hub().engine.connect() as connection:
            upload = upload_by_key(connection, key=upload_key, supplier_id=user.id)
    except NotFoundError:
        return redirect(url_for("batches.page", batch_key=upload_key))
    return _page(upload)


@blueprint.post("/<upload_key>/finish")
@requires("submit")
def finish(upload_key: str) -> ResponseReturnValue:
    """Make an upload a batch, and show it; `leave_out`: without what has not arrived, or would be refused."""
    user, receiver = signed_in_user(), services().receiver
    try:
        with hub().engine.connect() as connection:
            upload = upload_by_key(connection, key=upload_key, supplier_id=user.id)
        unwanted = set(request.form.getlist("leave_out"))
        for file in upload.files:
            if file.state in unwanted and upload.sealed_at is None:
                receiver.leave_out(user, upload_key, file.position)
    except NotFoundError:
        upload = None
    try:
        return _finished(receiver.finish(user, upload_key))
    except ConflictError as error:
        if upload is None or wants_json():
            raise
        with hub().engine.connect() as connection:
            upload = upload_by_key(connection, key=upload_key, supplier_id=user.id)
        return _page(upload, problem=str(error)), status_of(error)


@blueprint.post("/<upload_key>/discard")
@requires("submit")
def discard(upload_key: str) -> ResponseReturnValue:
    """Give an upload up, and remove what has come of it."""
    services().receiver.discard(signed_in_user(), upload_key)
    flash("Discarded. Nothing of it is kept.")
    return redirect(url_for("batches.index"))


def _label_in_words(connection: Connection, words: str) -> tuple[Label | None, list[FoundLabel]]:
    """Return the label that words mean; where they leave a choice, those to choose from."""
    try:
        return label_by_code(connection, words), []
    except NotFoundError:
        found = find_labels(connection, text=words, limit=FOUND_LABELS)
    same = [label for label in found if label.name.casefold() == words.casefold()]
    return (same[0], []) if len(same) == 1 else (None, found)


def new_upload(label: Label, *, consents: bool, licence: str, where: str, place: str, attribution: str | None) -> NewUpload:
    """Return an upload as it may begin.

    Args:
        where: one of PLACES.
        place: words for it, where it is `named`.

    Raises:
        InvalidInputError: something is missing or cannot be used.
    """
    if not consents:
        raise InvalidInputError("Photographs are taken only from those who may give them away: tick the box of consent.")
    if licence not in LICENCE_WORDS:
        raise InvalidInputError(f"Choose the licence under which you give the photographs: one of {', '.join(LICENCE_WORDS)}.")
    if where not in PLACES:
        raise InvalidInputError(f"{where[:40]!r} does not say where. Expected one of {', '.join(PLACES)}.")
    place_query = " ".join(place.split())[:MAX_PLACE_LENGTH] if where == "named" else ""
    place_id = None
    if where == "named":
        if not place_query:
            raise InvalidInputError("Write a city or a postcode, or share no place.")
        with hub().engine.begin() as connection:
            place_id = place_for(connection, open_geocoder(hub().settings), place_query)
        if place_id is None:
            raise InvalidInputError(
                f"The place {place_query!r} is not known here. Write a larger city nearby, such as "
                "'Toronto, CA', or share no place."
            )
    return NewUpload(
        label_id=label.id,
        licence=licence,
        attribution=attribution,
        place_query=place_query or None,
        place_id=place_id,
        uses_positions=where == "photographs",
    )


def _upload_from_form(label: Label) -> NewUpload:
    form = request.form
    return new_upload(
        label,
        consents=form.get("consent") == "yes",
        licence=form.get("licence", ""),
        where=form.get("where", "none"),
        place=form.get("place", ""),
        attribution=form.get("attribution"),
    )


def _receive(key: str, sent: FileStorage) -> str | None:
    """Receive one whole photograph of a form; return why it was left out, or None."""
    user, limits = signed_in_user(), limits_from_settings(hub().settings)
    # Phones name many photographs alike: only their bytes tell two of one length apart.
    sha256 = hashlib.file_digest(sent.stream, "sha256").hexdigest()  # type: ignore[arg-type]
    size_bytes = sent.stream.seek(0, 2)
    sent.stream.seek(0)
    try:
        with hub().engine.begin() as connection:
            upload = upload_by_key(connection, key=key, supplier_id=user.id, locks=True)
            file = add_file(connection, upload=upload, new=NewFile(sent.filename or "", size_bytes, sha256), limits=limits)
        if not file.has_landed:
            services().receiver.receive(user, key, file.position, offset=0, read=sent.stream.read)
    except (InvalidInputError, ConflictError) as error:
        return str(error)
    return None


def _finished(batch_key: str) -> ResponseReturnValue:
    flash("Sent. Thank you!")
    return redirect(url_for("batches.page", batch_key=batch_key))


def _form(label: Label, begun: Iterable[Upload], problem: str | None = None) -> str:
    limits = limits_from_settings(hub().settings)
    return render_template(
        "send.html",
        label=label,
        begun=begun,
        problem=problem,
        given=request.form,
        licences=LICENCE_WORDS,
        default_licence=DEFAULT_LICENCE,
        limits=limits,
        max_attribution=MAX_ATTRIBUTION_CHARACTERS,
        max_place=MAX_PLACE_LENGTH,
        map_width=WIDTH,
        map_height=HEIGHT,
    )


def _page(upload: Upload, problem: str | None = None) -> str:
    return render_template(
        "upload.html", upload=upload, problem=problem, licences=LICENCE_WORDS, limits=limits_from_settings(hub().settings)
    )
