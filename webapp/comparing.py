"""Two models side by side: what they learnt from, how they were trained, and which is better by more than chance."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from deep_images_hub.catalogue.models import TrainedModel, model_by_id
from deep_images_hub.catalogue.training import TrainingRun, run_by_id
from deep_images_hub.catalogue.version_changes import Difference
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.model_comparison import Gain, LabelChange, gain_of_intervals, gain_on_shared, label_changes
from webapp.access import public
from webapp.reports import ModelReport, model_report
from webapp.services import hub, services

blueprint = Blueprint("comparing", __name__, url_prefix="/models")

# Of labels that change most; of more the page would be heavy.
SHOWN_LABELS = 50


@dataclass(frozen=True)
class Compared:
    """A model with what its page shows of it."""

    model: TrainedModel
    run: TrainingRun
    report: ModelReport

    @property
    def reproducible(self) -> dict[str, Any]:
        """What gives the same model again: the data's digest, the seed, the code, and how it was trained."""
        code = self.model.metrics.get("code") or {}
        return {
            "data_digest": self.model.version_digest,
            "seed": self.model.metrics.get("seed"),
            "backbone": self.model.backbone,
            "weights": self.model.weights,
            "method": self.run.method,
            "workers": self.run.workers,
            "code_version": code.get("version"),
            "code_commit": code.get("commit"),
            "code_is_changed": code.get("is_changed"),
        }


@dataclass(frozen=True)
class Comparison:
    """Two models.

    Attributes:
        data: what the second one's dataset has that the first one's has not, and so on; None: they are the same.
        on_shared: by the test pictures that both were asked about; None: there are none, or what was said of them was not kept.
        on_own: by the tests of each; None: one was not measured.
    """

    a: Compared
    b: Compared
    data: Difference | None
    on_shared: Gain | None
    on_own: Gain | None
    labels: list[LabelChange]

    @property
    def gain(self) -> Gain | None:
        """The comparison that says most: on the same pictures where there are any."""
        return self.on_shared or self.on_own


@dataclass(frozen=True)
class SettingRow:
    """A setting of both models."""

    words: str
    a: str
    b: str

    @property
    def is_different(self) -> bool:
        """Whether the models differ in it."""
        return self.a != self.b


@blueprint.get("/compare")
@public
def page() -> ResponseReturnValue:
    """Show two models side by side: `models=1,2`, or `models=1&models=2`."""
    found = compare(chosen_models(request.args.getlist("models")))
    settings = [
        SettingRow(words, _said(found.a.reproducible[name]), _said(found.b.reproducible[name]))
        for name, words in _SETTING_WORDS.items()
    ]
    settings.insert(1, SettingRow("Trained", _trained(found.a.model.metrics), _trained(found.b.model.metrics)))
    settings.insert(3, SettingRow("Epochs", _epochs(found.a.model.metrics), _epochs(found.b.model.metrics)))
    everything = request.args.get("labels") == "all"
    return render_template(
        "compare.html",
        found=found,
        settings=settings,
        labels=found.labels
        if everything
        else [label for label in found.labels if label.is_tested and label.change != 0][:SHOWN_LABELS],
        all_labels=None if everything else url_for(".page", models=f"{found.a.model.id},{found.b.model.id}", labels="all"),
        swapped=url_for(".page", models=f"{found.b.model.id},{found.a.model.id}"),
    )


_SETTING_WORDS = {
    "backbone": "Network",
    "weights": "First weights",
    "workers": "Workers",
    "seed": "Seed",
    "data_digest": "Digest of the dataset",
    "code_version": "Version of the code",
    "code_commit": "Commit",
    "code_is_changed": "Changed since that commit",
}


def chosen_models(given: list[str]) -> tuple[int, int]:
    """Read the two numbers of an address. Ticked in a list, the older one comes first; named in one text, they come as named.

    Raises:
        InvalidInputError: they are not two different numbers.
    """
    named = [number.strip() for part in given for number in part.split(",")]
    numbers = [int(number) for number in named if number.isdecimal() and len(number) < 19]
    if len(named) != 2 or len(set(numbers)) != 2:
        raise InvalidInputError(
            f"Received the models {', '.join(named)[:60] or '(none)'}. Choose two different ones of the list to see them side "
            "by side."
        )
    first, second = numbers
    return (first, second) if len(given) == 1 else (min(first, second), max(first, second))


def compare(ids: tuple[int, int]) -> Comparison:
    """Compare two models. Raises NotFoundError."""
    with hub().engine.connect() as connection:
        a, b = (_compared(connection, model_id) for model_id in ids)
    versions = (b.model.version_id, a.model.version_id)
    return Comparison(
        a=a,
        b=b,
        data=None if versions[0] == versions[1] else services().difference(*versions),
        on_shared=gain_on_shared(services().shared_answers(*ids)),
        on_own=gain_of_intervals(a.model.metrics, b.model.metrics),
        labels=label_changes(a.model.metrics, b.model.metrics),
    )


def _compared(connection: Connection, model_id: int) -> Compared:
    model = model_by_id(connection, model_id)
    return Compared(model, run_by_id(connection, model.run_id), model_report(model))


def _said(value: object) -> str:
    words = {None: "not known", True: "yes", False: "no"}
    return words[value] if isinstance(value, bool | None) else str(value)


def _trained(metrics: dict[str, Any]) -> str:
    """Say what was trained, as what the model is: of a run that asked for more the head alone may have been published."""
    words = {"from_scratch": "all of it, from scratch", "fine_tuned": "the top blocks too"}
    return words.get(str(metrics.get("mode")), "the head alone")


def _epochs(metrics: dict[str, Any]) -> str:
    epochs, best = metrics.get("epochs"), metrics.get("best_epoch")
    if epochs is None:
        return "not known"
    return f"{epochs}, the best was {best}" + ("; then solved to the end" if metrics.get("is_solved_anew") else "")
