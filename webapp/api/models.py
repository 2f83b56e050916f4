"""Trained models: the list, their reports, their files, and asking one what a picture shows."""

from flask import Response, request, url_for

from deep_images_hub.catalogue.images import pictures_by_sha256s
from deep_images_hub.catalogue.model_answers import answered_pictures
from deep_images_hub.catalogue.models import TrainedModel, model_by_id, models
from deep_images_hub.catalogue.patches import tombstones
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.model_reports.report import calibration_of
from deep_images_hub.wire import model_reports as reports
from deep_images_hub.wire import training as wire
from deep_images_hub.wire.base import PageAsked
from webapp import model_reports
from webapp.access import public, requires
from webapp.api.cursors import following, place_of
from webapp.api.operations import api
from webapp.api.pictures import picture_fields
from webapp.comparing import Compared, chosen_models, compare
from webapp.evidence import example_sha256s
from webapp.model_answers import class_index
from webapp.models import predict, send_model_file
from webapp.reports import model_report
from webapp.security import PREDICTION_LIMIT, limiter
from webapp.services import hub

_PICTURES = ("image/jpeg", "image/png", "image/webp", "multipart/form-data")


@api.get("/models", tag="Models", query=PageAsked, answer=wire.ModelPage)
@public
def list_models(query: PageAsked) -> wire.ModelPage:
    """List models, newest first."""
    with hub().engine.connect() as connection:
        found = models(connection, before_id=place_of(query.cursor), limit=query.limit + 1)
    shown = found[: query.limit]
    return wire.ModelPage(
        models=[_model(model) for model in shown], next=following(shown[-1].id) if len(found) > query.limit else None
    )


@api.get("/models/comparison", tag="Models", query=wire.ComparisonAsked, answer=wire.Comparison)
@public
def compare_models(query: wire.ComparisonAsked) -> wire.Comparison:
    """Give two models side by side: data, settings, metrics, labels, and whether one is better by more than chance."""
    found = compare(chosen_models([query.models]))
    return wire.Comparison(
        a=_compared(found.a),
        b=_compared(found.b),
        data=wire.DataDifference.model_validate(found.data) if found.data else None,
        on_shared=wire.Gain.model_validate(found.on_shared) if found.on_shared else None,
        on_own=wire.Gain.model_validate(found.on_own) if found.on_own else None,
        labels=[wire.LabelChange.model_validate(label) for label in found.labels],
    )


@api.get("/models/<int:model_id>", tag="Models", answer=wire.ModelDetail)
@public
def read_model(model_id: int) -> wire.ModelDetail:
    """Give a model with all that was measured on pictures which it never saw."""
    with hub().engine.connect() as connection:
        model = model_by_id(connection, model_id)
        taken_down = sum(stone.is_own for stone in tombstones(connection, model.version_id))
    return wire.ModelDetail(
        **_model(model).model_dump(),
        labels=[wire.ModelLabel.model_validate(label) for label in model_report(model).labels],
        # Examples name pictures, of which some may be hidden by now: the report has those that are still to be seen.
        metrics={name: value for name, value in model.metrics.items() if name != "examples"},
        taken_down=taken_down,
        files=[
            wire.ModelFile(
                kind=file.kind,
                name=file.of_kind.file_name,
                sha256=file.sha256,
                size_bytes=file.size_bytes,
                url=url_for("api.download_model", model_id=model_id, model_file=file.of_kind.file_name, _external=True),
            )
            for file in model.files
        ],
    )


@api.get("/models/<int:model_id>/report", tag="Models", answer=reports.ModelReport)
@public
def read_model_report(model_id: int) -> reports.ModelReport:
    """Give all that was measured of a model: scores, labels, confusions, calibration, learning curve, and examples."""
    with hub().engine.connect() as connection:
        model = model_by_id(connection, model_id)
        return model_reports.read_report(connection, model, pictures_by_sha256s(connection, example_sha256s(model)))


@api.get("/models/<int:model_id>/report.html", tag="Models", gives=("text/html",))
@public
def read_model_report_as_html(model_id: int) -> Response:
    """Give the report as one file that needs nothing else."""
    return model_reports.as_html(model_id)


@api.get("/models/<int:model_id>/report.pdf", tag="Models", gives=("application/pdf",))
@public
def read_model_report_as_pdf(model_id: int) -> Response:
    """Give the report as a PDF."""
    return model_reports.as_pdf(model_id)


@api.get("/models/<int:model_id>/card.md", tag="Models", gives=("text/markdown",))
@public
def read_model_card(model_id: int) -> Response:
    """Give the model card, the README.md of a model."""
    return model_reports.card(model_id)


@api.get("/models/<int:model_id>/answers", tag="Models", query=wire.AnswersAsked, answer=wire.AnsweredPage)
@public
def list_model_answers(model_id: int, query: wire.AnswersAsked) -> wire.AnsweredPage:
    """List what a model says of the pictures of its test split: a cell of the confusion matrix, or the mistakes."""
    with hub().engine.connect() as connection:
        model = model_by_id(connection, model_id)
        truth, said = (class_index(model, code) for code in (query.truth, query.said))
        found = answered_pictures(
            connection,
            model_id=model_id,
            truth=truth,
            said=said,
            only_wrong=truth is None or said is None,
            after_image_id=place_of(query.cursor),
            limit=query.limit + 1,
        )
    shown, codes = found[: query.limit], model.label_codes
    return wire.AnsweredPage(
        pictures=[
            wire.AnsweredPicture(
                **picture_fields(picture),
                truth=codes[picture.truth],
                said=codes[picture.said],
                score=picture.score,
                truth_rank=picture.truth_rank,
            )
            for picture in shown
        ],
        next=following(shown[-1].image_id) if len(found) > query.limit else None,
    )


@api.get("/models/<int:model_id>/files/<model_file>", tag="Models", gives=("application/octet-stream",))
@requires("predict")
def download_model(model_id: int, model_file: str) -> Response:
    """Give one of a model's files, as `files` of the model names it. The ETag is its sha256; ranges are answered."""
    return send_model_file(model_id, model_file)


@api.post("/models/<int:model_id>/predictions", tag="Models", takes=_PICTURES, answer=wire.Predictions)
@limiter.limit(PREDICTION_LIMIT)
@requires("predict")
def predict_picture(model_id: int) -> wire.Predictions:
    """Say what a picture shows, as far as the model can tell. The picture is not kept.

    The body is the photograph, or a form whose file `picture` it is.
    """
    with hub().engine.connect() as connection:
        model = model_by_id(connection, model_id)
    upload = request.files.get("picture")
    body = upload.stream.read() if upload else request.get_data(cache=False)
    if not body:
        raise InvalidInputError("No picture was sent. Send a photograph as the body, or as the file `picture` of a form.")
    _, looked = predict(model, body)
    nearness, scores = looked.nearness, calibration_of(model.metrics)
    answers = [
        wire.Prediction(
            label=answer.label_code,
            name=answer.label_name,
            score=answer.score,
            evidence=None if answer.evidence is None else answer.evidence.tolist(),
        )
        for answer in looked.answers
    ]
    return wire.Predictions(
        answers=answers,
        is_none_of_these=None if nearness is None else nearness.is_none_of_these,
        nearest_known=None if nearness is None else nearness.nearest_known,
        nearest_known_threshold=None if nearness is None else nearness.threshold,
        scores_rest_on=None if scores is None else scores.rests_on,
    )


def _model(model: TrainedModel) -> wire.Model:
    said = {name: getattr(model, name) for name in wire.Model.model_fields if not name.startswith("test_")}
    report = model_report(model)
    return wire.Model(**said, test_top1=report.top1, test_top1_interval=report.interval)


def _compared(side: Compared) -> wire.ComparedModel:
    return wire.ComparedModel(
        id=side.model.id,
        version_id=side.model.version_id,
        version_name=side.model.version_name,
        test_top1=side.report.top1,
        test_top1_interval=side.report.interval,
        macro_f1=side.report.macro_f1,
        reproducible=wire.Reproducible(**side.reproducible),
    )
