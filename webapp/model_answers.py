"""The pictures behind a model's confusion matrix: what it says of each picture of its test split, the surest answer first."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.model_answers import answered_pictures, has_answers
from deep_images_hub.catalogue.models import TrainedModel, model_by_id
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.model_reports.confusions import largest_confusions
from webapp.access import public
from webapp.paging import cursor
from webapp.reports import ModelReport, model_report
from webapp.services import hub

blueprint = Blueprint("model_answers", __name__, url_prefix="/models")

_PAGE_PICTURES = 60
_LISTED_CONFUSIONS = 12


@dataclass(frozen=True)
class _Asked:
    """Which answers: of a label's pictures, that name a label, or both. Class indices; None: any, and only what is wrong."""

    truth: int | None
    said: int | None

    @property
    def is_cell(self) -> bool:
        return self.truth is not None and self.said is not None


@blueprint.get("/<int:model_id>/answers")
@public
def page(model_id: int) -> ResponseReturnValue:
    """Show a cell of the confusion matrix, with `truth` and `said`; with one of them, or none, the mistakes."""
    after = cursor(request.args.get("after"))
    with hub().engine.connect() as connection:
        model = model_by_id(connection, model_id)
        asked = _Asked(*(class_index(model, request.args.get(name)) for name in ("truth", "said")))
        found = answered_pictures(
            connection,
            model_id=model_id,
            truth=asked.truth,
            said=asked.said,
            only_wrong=not asked.is_cell,
            after_image_id=after,
            limit=_PAGE_PICTURES + 1,
        )
        is_kept = bool(found) or has_answers(connection, model_id=model_id)
    shown = found[:_PAGE_PICTURES]
    report = model_report(model)
    of_label = [cell for cell in report.cells if asked.truth in (None, cell.row) and asked.said in (None, cell.column)]
    expected = sum(cell.count for cell in of_label if asked.is_cell or not cell.is_right)
    is_all = after is None and len(found) <= _PAGE_PICTURES
    return render_template(
        "model_answers.html",
        model=model,
        names=report.names,
        asked=asked,
        pictures=shown,
        expected=expected,
        hidden=max(0, expected - len(shown)) if is_all and is_kept else 0,
        is_kept=is_kept,
        others=_others(report, asked),
        more=_address(model, asked, after=shown[-1].image_id) if len(found) > _PAGE_PICTURES else None,
        address=lambda truth=None, said=None: _address(model, _Asked(truth, said)),
    )


def class_index(model: TrainedModel, code: str | None) -> int | None:
    """Return the class index of a label that is named by its code; None: none is. Raises InvalidInputError."""
    if not code:
        return None
    if code not in model.label_codes:
        raise InvalidInputError(f"This model knows no label with the code {code[:80]!r}. Begin at its page.")
    return model.label_codes.index(code)


def _others(report: ModelReport, asked: _Asked) -> list[tuple[int, int, int]]:
    """Return the largest other confusions of the labels that are asked for: truth, said, count."""
    named = {asked.truth, asked.said} - {None}
    near = [cell for cell in report.cells if not named or named & {cell.row, cell.column}]
    return [
        (cell.row, cell.column, cell.count)
        for cell in largest_confusions(near, limit=_LISTED_CONFUSIONS)
        if (cell.row, cell.column) != (asked.truth, asked.said)
    ]


def _address(model: TrainedModel, asked: _Asked, *, after: int | None = None) -> str:
    values: dict[str, Any] = {"model_id": model.id, "after": after}
    for name, index in (("truth", asked.truth), ("said", asked.said)):
        values[name] = None if index is None else model.label_codes[index]
    return url_for("model_answers.page", **values)
