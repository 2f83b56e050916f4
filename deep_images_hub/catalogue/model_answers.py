"""What a model says of each picture of its test split."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

from sqlalchemy import Connection, delete, exists, select

from deep_images_hub.catalogue.engine import copy_rows
from deep_images_hub.catalogue.images import Picture
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.tables import model_answers
from deep_images_hub.model_comparison import SharedBatch


@dataclass(frozen=True)
class ModelAnswer:
    """What a model says of a picture.

    Attributes:
        truth: class index of the label that the dataset gives the picture.
        said: class index of the likeliest answer.
        score: of that answer, 0..1.
        truth_rank: the place of the right answer among all, likeliest first; 1 is right.
    """

    image_id: int
    truth: int
    said: int
    score: float
    truth_rank: int


@dataclass(frozen=True)
class AnsweredPicture(Picture):
    """A picture that everybody may see, under its current label, and what a model says of it (`ModelAnswer`)."""

    truth: int
    said: int
    score: float
    truth_rank: int


def save_answers(connection: Connection, *, model_id: int, answers: Iterable[ModelAnswer]) -> None:
    """Write a model's answers down, in place of those that it had."""
    connection.execute(delete(model_answers).where(model_answers.c.model_id == model_id))
    columns = tuple(field.name for field in fields(ModelAnswer))
    copy_rows(connection, "model_answers", ("model_id", *columns), ((model_id, *astuple(answer)) for answer in answers))


def has_answers(connection: Connection, *, model_id: int) -> bool:
    """Tell whether a model's answers were kept: those of models from before there was a place for them were not."""
    return bool(connection.scalar(select(exists().where(model_answers.c.model_id == model_id))))


def answered_pictures(
    connection: Connection,
    *,
    model_id: int,
    truth: int | None = None,
    said: int | None = None,
    only_wrong: bool = False,
    after_image_id: int | None = None,
    limit: int = 60,
) -> list[AnsweredPicture]:
    """Return pictures of a model's test split with what it says of them, the surest answer first; only what everybody may see.

    Args:
        truth: class index of their label; None: any.
        said: class index of the answer; None: any.
        only_wrong: leave out what is right.
        after_image_id: read on with `page[-1].image_id`; None: from the first on.
    """
    parameters = {
        "model_id": model_id,
        "truth": truth,
        "said": said,
        "only_wrong": only_wrong,
        "after_image_id": after_image_id,
        "limit": limit,
    }
    return [AnsweredPicture(**row._mapping) for row in connection.execute(load_query("model_answers"), parameters)]


def shared_answers(connection: Connection, *, model_a: int, model_b: int) -> list[SharedBatch]:
    """Return, batch by batch, how two models did on the pictures that both were tested on under the same label."""
    rows = connection.execute(load_query("shared_answers"), {"model_a": model_a, "model_b": model_b})
    return [SharedBatch(**row._mapping) for row in rows]
