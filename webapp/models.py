"""Trained models: the list, one of them with its report, trying it, and its files."""

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.models import TrainedModel, model_by_id, models
from deep_images_hub.catalogue.patches import tombstones
from deep_images_hub.errors import InvalidInputError, NotFoundError
from deep_images_hub.predictions import Answer
from webapp.access import public, requires
from webapp.error_pages import wants_json
from webapp.outlook import calibration, outlook
from webapp.paging import cursor
from webapp.reports import model_report
from webapp.security import PREDICTION_LIMIT, limiter
from webapp.services import hub, services

blueprint = Blueprint("models", __name__, url_prefix="/models")

MODELS_PAGE = 30
ANSWERS = 5


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
    return render_template(
        "model.html",
        model=model,
        report=model_report(model),
        calibration=calibration(model.metrics),
        outlook=outlook(model.metrics, goal=request.args.get("goal", type=float)),
        taken_down=taken_down,
    )


@blueprint.get("/<int:model_id>/try")
@requires("predict")
def try_it(model_id: int) -> ResponseReturnValue:
    """Show the form that takes a picture."""
    with hub().engine.connect() as connection:
        model = model_by_id(connection, model_id)
    return render_template("try.html", model=model)


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
        answers = predict(model, upload.stream.read())
    except InvalidInputError as error:
        if wants_json():
            raise
        return render_template("try.html", model=model, problem=str(error)), 400
    if wants_json():
        return {"answers": [{"label": found.label_code, "name": found.label_name, "score": found.score} for found in answers]}
    return render_template("try.html", model=model, answers=answers, filename=upload.filename)


def predict(model: TrainedModel, body: bytes) -> list[Answer]:
    """Return what a picture shows, likeliest first. Raises InvalidInputError when the bytes are no photograph."""
    classifier = services().models.classifier(key=model.onnx_key, sha256=model.onnx_sha256)
    settings = hub().settings
    return classifier.answers_for_upload(
        body, max_pixels=settings.max_pixels, short_side_px=settings.image_side_px, limit=ANSWERS
    )


@blueprint.get("/<int:model_id>/files/<kind>")
@requires("predict")
def file(model_id: int, kind: str) -> ResponseReturnValue:
    """Give one of a model's files: `model.keras` or `model.onnx`."""
    return model_file(model_id, kind)


def model_file(model_id: int, kind: str) -> Response:
    """Send one of a model's files. Raises NotFoundError."""
    with hub().engine.connect() as connection:
        model = model_by_id(connection, model_id)
    files = {
        "model.keras": (model.keras_key, model.keras_sha256),
        "model.onnx": (model.onnx_key, model.onnx_sha256),
    }
    if kind not in files:
        raise NotFoundError(f"A model has the files {' and '.join(files)}, not {kind!r}.")
    key, sha256 = files[kind]
    store = hub().store
    size_bytes = store.stat(key).size_bytes
    response = Response(store.read_blocks(key) if request.method == "GET" else b"", mimetype="application/octet-stream")
    response.content_length = size_bytes
    response.set_etag(sha256)
    response.headers["Content-Disposition"] = f'attachment; filename="{model.backbone}-{model.id}-{kind}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
