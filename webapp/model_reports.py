"""A model's report to take away: as JSON, as one HTML file, as PDF, and the model card. For whoever may see the model."""

import base64
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, url_for
from markupsafe import Markup
from sqlalchemy import Connection

from deep_images_hub.catalogue.images import Picture, pictures_by_sha256s
from deep_images_hub.catalogue.models import TrainedModel, model_by_id
from deep_images_hub.catalogue.patches import tombstones
from deep_images_hub.model_reports.card import model_card
from deep_images_hub.model_reports.confusions import largest_confusions
from deep_images_hub.model_reports.report import report_of
from deep_images_hub.model_reports.words import purpose_words
from deep_images_hub.wire.model_reports import ModelReport
from webapp.access import public
from webapp.confusions import MATRIX_LABELS, matrix_rows
from webapp.evidence import example_sha256s, examples
from webapp.outlook import calibration, none_of_these, outlook
from webapp.reports import model_report
from webapp.security import DOCUMENT_LIMIT, PDF_LIMIT, limiter
from webapp.services import hub

blueprint = Blueprint("model_reports", __name__, url_prefix="/models")

_CONFUSIONS = 20


@dataclass(frozen=True)
class _Told:
    """A report, with the model and the pictures, by sha256, that its documents are made with."""

    report: ModelReport
    model: TrainedModel
    pictures: dict[str, Picture]

    def thumbnail(self, sha256: str) -> bytes:
        return hub().store.read(self.pictures[sha256].thumbnail_key)


@blueprint.get("/<int:model_id>/report.json")
@public
def as_json(model_id: int) -> Response:
    """Give all that is known of a model, as the API does."""
    told = _told(model_id)
    return _document(told, told.report.model_dump_json(indent=1), "application/json", "report.json")


@blueprint.get("/<int:model_id>/report.html")
@limiter.limit(DOCUMENT_LIMIT)
@public
def as_html(model_id: int) -> Response:
    """Give the report as one file that needs nothing else: no script, no other file, and prints well."""
    told = _told(model_id)
    shown = model_report(told.model)
    style = Path(current_app.root_path, "templates", "model_report.css").read_text(encoding="utf-8")
    page = render_template(
        "model_report_file.html",
        style=Markup("<style>{}</style>").format(Markup(style)),  # noqa: S704 - a file of ours
        told=told.report,
        report=shown,
        url=_page_url(model_id),
        leads_to_answers=False,
        model=told.model,
        confusions=largest_confusions(shown.cells, limit=_CONFUSIONS),
        rows=matrix_rows(shown.cells, len(shown.names)) if len(shown.names) <= MATRIX_LABELS else [],
        open_labels=MATRIX_LABELS,
        calibration=calibration(told.model.metrics),
        none_of_these=none_of_these(told.model.metrics),
        purpose=purpose_words(told.report.none_of_these),
        outlook=outlook(told.model.metrics, goal=None),
        wrong=examples(told.model, "wrong", told.pictures, shown.names),
        right=examples(told.model, "right", told.pictures, shown.names),
        picture_address=lambda sha256: f"data:image/jpeg;base64,{base64.b64encode(told.thumbnail(sha256)).decode()}",
    )
    return _document(told, page, "text/html", "report.html")


@blueprint.get("/<int:model_id>/report.pdf")
@limiter.limit(PDF_LIMIT)
@public
def as_pdf(model_id: int) -> Response:
    """Give the report as a PDF."""
    # It takes a second to import: whoever asks for the first one waits, and not every start of the portal.
    from deep_images_hub.model_reports.pdf import report_pdf

    told = _told(model_id)
    body = report_pdf(told.report, picture=told.thumbnail, url=_page_url(model_id))
    return _document(told, body, "application/pdf", "report.pdf")


@blueprint.get("/<int:model_id>/card.md")
@public
def card(model_id: int) -> Response:
    """Give the model card, the README.md of a model."""
    told = _told(model_id)
    return _document(told, model_card(told.report, url=_page_url(model_id)), "text/markdown", "card.md")


def read_report(connection: Connection, model: TrainedModel, pictures: dict[str, Picture]) -> ModelReport:
    """Return a model's report. pictures: those of its examples that everybody may see, by sha256."""
    return report_of(
        model,
        made=model_report(model).made,
        taken_down=sum(stone.is_own for stone in tombstones(connection, model.version_id)),
        files={file.of_kind.file_name: file.sha256 for file in model.files},
        seen=pictures,
    )


def _told(model_id: int) -> _Told:
    with hub().engine.connect() as connection:
        model = model_by_id(connection, model_id)
        pictures = pictures_by_sha256s(connection, example_sha256s(model))
        return _Told(read_report(connection, model, pictures), model, pictures)


def _page_url(model_id: int) -> str:
    return url_for("models.page", model_id=model_id, _external=True)


def _document(told: _Told, body: str | bytes, media_type: str, name: str) -> Response:
    response = Response(body, mimetype=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{told.model.backbone}-{told.model.id}-{name}"'
    # A picture that is taken down is gone from the next one.
    response.headers["Cache-Control"] = "private, no-store"
    return response
