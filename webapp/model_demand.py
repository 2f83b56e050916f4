"""One click: the pictures that a model's page says its labels need, or that a dataset lacks for training, become demand."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.datasets import label_split_counts, version_by_id
from deep_images_hub.catalogue.demands import AskedAll, ask_for_all
from deep_images_hub.catalogue.models import model_by_id
from deep_images_hub.datasets.recipe import recipe_from_body
from deep_images_hub.datasets.takedown import current_version
from deep_images_hub.datasets.trainable import short_labels
from deep_images_hub.errors import ConflictError, InvalidInputError
from deep_images_hub.waiting_runs import lacking
from webapp.access import signed_in, signed_in_user
from webapp.home import ENOUGH_IMAGES
from webapp.outlook import outlook, targets
from webapp.security import limiter
from webapp.services import hub
from webapp.wanted import ASK_LIMIT
from webapp.wording import percent, plural

blueprint = Blueprint("model_demand", __name__)


@blueprint.post("/models/<int:model_id>/demand")
@limiter.limit(ASK_LIMIT)
@signed_in
def ask(model_id: int) -> ResponseReturnValue:
    """Ask for what all labels need to come to a goal, or for what the one needs that `label_code` names.

    How many that is was measured, and is not taken from the form.
    """
    goal, code = request.form.get("goal", type=float), request.form.get("label_code")
    page = url_for("models.page", model_id=model_id, goal=goal, _anchor="labels")
    try:
        asked = ask_for_needs(model_id, goal=goal, code=code)
    except (ConflictError, InvalidInputError) as error:
        flash(str(error), "bad")
        return redirect(page)
    flash(_words_of(asked) or "No label is known to need more pictures for this goal.")
    return redirect(page)


@blueprint.post("/datasets/<int:version_id>/demand")
@limiter.limit(ASK_LIMIT)
@signed_in
def ask_for_short(version_id: int) -> ResponseReturnValue:
    """Ask for enough pictures of each label of a dataset of which there are too few to learn from."""
    try:
        asked = ask_for_lacking(version_id)
    except ConflictError as error:
        flash(str(error), "bad")
    else:
        flash(_words_of(asked) or "Of each label there are enough pictures to learn from.")
    return redirect(url_for("datasets.page", version_id=version_id))


def ask_for_needs(model_id: int, *, goal: float | None, code: str | None) -> AskedAll:
    """Ask for what a model's labels, or one of them, need to come to a goal that was measured.

    Raises:
        InvalidInputError: for this goal nothing was measured.
        ConflictError: as `ask_for_all`.
    """
    with hub().engine.begin() as connection:
        model = model_by_id(connection, model_id)
        version = version_by_id(connection, model.version_id)
        foreseen = outlook(model.metrics, goal=goal)
        if foreseen is None or goal is None or foreseen.goal != goal:
            raise InvalidInputError("For this goal nothing was measured. Choose one of those on the model's page.")
        needed = targets(foreseen.needs, train_share=version.train_count / version.image_count)
        return ask_for_all(
            connection,
            user_id=signed_in_user().id,
            targets={label: target for label, target in needed.items() if code in (None, label)},
            note=f"So that a model finds {percent(goal)} of its pictures.",
        )


def ask_for_lacking(version_id: int) -> AskedAll:
    """Ask for enough pictures of each label of which a dataset has too few to learn from. Raises as `ask_for_all`."""
    with hub().engine.begin() as connection:
        version = current_version(connection, version_id)
        counts = label_split_counts(connection, version.id)
        short = lacking(connection, recipe_from_body(version.recipe_body), counts) or short_labels(counts)
        return ask_for_all(
            connection,
            user_id=signed_in_user().id,
            targets=dict.fromkeys((label.code for label in short), ENOUGH_IMAGES),
            note="So that a model can learn it.",
        )


def _words_of(asked: AskedAll) -> str:
    """Say what asking came to; nothing where nothing was asked for."""
    words = [f"Pictures of {plural(asked.wanted, 'label')} are wanted now, and you will be told."] if asked.wanted else []
    if asked.there:
        words.append(f"Of {plural(asked.there, 'label')} so many are here already: make the dataset anew, and train again.")
    return " ".join(words)
