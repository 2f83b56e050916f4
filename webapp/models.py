"""Trained models: the list, one of them with its report, trying it, and its files."""

import re
from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.images import pictures_by_sha256s
from deep_images_hub.catalogue.model_answers import has_answers
from deep_images_hub.catalogue.models import TrainedModel, model_by_id, models
from deep_images_hub.catalogue.patches import tombstones
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.images.decode import Photograph
from deep_images_hub.model_reports.confusions import largest_confusions
from deep_images_hub.predictions import Looked, photograph_of_upload
from webapp.access import public, requires
from webapp.confusions import MATRIX_LABELS, OPEN_LABELS, matrix_rows
from webapp.error_pages import wants_json
from webapp.evidence import EvidenceMap, evidence_map, example_sha256s, examples
from webapp.outlook import calibration, none_of_these, outlook
from webapp.paging import cursor
from webapp.reports import model_report
from webapp.security import PREDICTION_LIMIT, limiter
from webapp.sending import StoredFile, send
from webapp.services import hub, services

blueprint = Blueprint("models", __name__, url_prefix="/models")

MODELS_PAGE = 30
ANSWERS = 5
# Confusions that a page lists, beside a matrix and in its place.
CONFUSIONS, MANY_CONFUSIONS = 10, 100
_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True)
class ShownAnswer:
    """A label that a picture may show, by code and name. map: where the model finds it; None: its file does not say."""

    code: str
    name: str
    score: float
    map: EvidenceMap | None


@blueprint.get("")
@public
def index() -> ResponseReturnValue:
    """List models, newest first."""
    before = cursor(request.args.get("before"))
    with hub().engine.connect() as connection:
        found = models(connection, before_id=before, limit=MODELS_PAGE + 1)
    reports = [(model, model_report(model)) for model in found[:MODELS_PAGE]]
    more = url_for("models.index", before=reports[-1][0].id) if len(found) > MODELS_PAGE else None
    return render_template("models.html", reports=reports, more=more)


@blueprint.get("/<int:model_id>")
@public
def page(model_id: int) -> ResponseReturnValue:
    """Show a model: what it is, how well it does on pictures it never saw, label by label."""
    with hub().engine.connect() as connection:
        model = model_by_id(connection, model_id)
        taken_down = sum(stone.is_own for stone in tombstones(connection, model.version_id))
        pictures = pictures_by_sha256s(connection, example_sha256s(model))
        leads_to_answers = has_answers(connection, model_id=model_id)
    report = model_report(model)
    return render_template(
        "model.html",
        model=model,
        report=report,
        wrong=examples(model, "wrong", pictures, report.names),
        right=examples(model, "right", pictures, report.names),
        calibration=calibration(model.metrics),
        none_of_these=none_of_these(model.metrics),
        outlook=outlook(model.metrics, goal=request.args.get("goal", type=float)),
        taken_down=taken_down,
        leads_to_answers=leads_to_answers,
        confusions=largest_confusions(report.cells, limit=CONFUSIONS if len(report.names) <= MATRIX_LABELS else MANY_CONFUSIONS),
        rows=matrix_rows(report.cells, len(report.names)) if len(report.names) <= MATRIX_LABELS else [],
        open_labels=OPEN_LABELS,
    )


@blueprint.get("/<int:model_id>/try")
@requires("predict")
def try_it(model_id: int) -> ResponseReturnValue:
    """Show the form that takes a picture; with `image`, an address or sha256 of a picture of the hub, what that one shows."""
    with hub().engine.connect() as connection:
        model = model_by_id(connection, model_id)
        asked = request.args.get("image", "").strip()
        named = _SHA256.search(asked)
        picture = pictures_by_sha256s(connection, [named[0]]).get(named[0]) if named else None
    if picture is None:
        problem = f"{asked[:200]!r} leads to no picture of this hub. Copy the address of a picture's page." if asked else None
        return render_template("try.html", model=model, problem=problem), 404 if asked else 200
    photograph, looked = predict(model, hub().store.read(picture.picture_key))
    answers = _shown(photograph, looked)
    return render_template("try.html", model=model, answers=answers, looked=looked, picture=picture, filename=picture.label_name)


@blueprint.post("/<int:model_id>/try")
@limiter.limit(PREDICTION_LIMIT)
@requires("predict")
def answer(model_id: int) -> ResponseReturnValue:
    """Say what a picture shows, as far as the model can tell. The picture is not kept."""
    with hub().engine.connect() as connection:
        model = model_by_id(connection, model_id)
    upload = request.files.get("picture")
    try:
        if upload is None or not upload.filename:
            raise InvalidInputError("No picture was sent. Choose a photograph first.")
        photograph, looked = predict(model, upload.stream.read())
    except InvalidInputError as error:
        if wants_json():
            raise
        return render_template("try.html", model=model, problem=str(error)), 400
    answers = _shown(photograph, looked)
    if wants_json():
        said = [{"label": found.code, "name": found.name, "score": found.score} for found in answers]
        return {"answers": said, "is_none_of_these": looked.nearness and looked.is_none_of_these}
    return render_template("try.html", model=model, answers=answers, looked=looked, filename=upload.filename)


def predict(model: TrainedModel, body: bytes) -> tuple[Photograph, Looked]:
    """Return a photograph and what the model makes of it. Raises InvalidInputError when the bytes are none."""
    settings = hub().settings
    photograph = photograph_of_upload(body, max_pixels=settings.max_pixels, short_side_px=settings.image_side_px)
    onnx = model.file("onnx")
    classifier = services().models.classifier(key=onnx.key, sha256=onnx.sha256)
    return photograph, classifier.look_at(photograph.picture, limit=ANSWERS)


def _shown(photograph: Photograph, looked: Looked) -> list[ShownAnswer]:
    size = {"width_px": photograph.width_px, "height_px": photograph.height_px}
    return [
        ShownAnswer(
            code=found.label_code,
            name=found.label_name,
            score=found.score,
            map=None if found.evidence is None else evidence_map(found.evidence, **size),
        )
        for found in looked.answers
    ]


@blueprint.get("/<int:model_id>/files/<model_file>")
@requires("predict")
def file(model_id: int, model_file: str) -> ResponseReturnValue:
    """Give one of a model's files by what it is called, such as `model.onnx`."""
    return send_model_file(model_id, model_file)


def send_model_file(model_id: int, file_name: str) -> Response:
    """Send one of a model's files, whole or from some byte on. Raises NotFoundError."""
    with hub().engine.connect() as connection:
        model = model_by_id(connection, model_id)
    found, store = model.file_named(file_name), hub().store
    size_bytes = store.stat(found.key).size_bytes if found.size_bytes is None else found.size_bytes
    sent = StoredFile(f"{model.backbone}-{model.id}-{file_name}", found.of_kind.media_type, store, found.key)
    return send(sent, etag=found.sha256, size_bytes=size_bytes, sha256=found.sha256)
