"""Trained models: what came of training runs. Their files lie in the object store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from deep_images_hub.catalogue.model_answers import ModelAnswer, save_answers
from deep_images_hub.catalogue.tables import dataset_versions, trained_models, training_runs
from deep_images_hub.errors import NotFoundError


@dataclass(frozen=True)
class TrainedModel:
    """A model that was loaded again from its files and gave the same answers.

    Attributes:
        weights: where the backbone's first weights came from: `imagenet`, `sha256:...`, or `scratch`.
        label_codes: position = class index.
        metrics: of the test split, by name; values may be nested.
        keras_key, onnx_key: where its files lie, with their sha256.
        version_id, version_name, version_digest: the dataset that it was trained on.
        requested_by: the account that asked for it, or None.
    """

    id: int
    run_id: int
    backbone: str
    weights: str
    label_codes: list[str]
    metrics: dict[str, Any]
    keras_key: str
    keras_sha256: str
    onnx_key: str
    onnx_sha256: str
    created_at: datetime
    version_id: int
    version_name: str
    version_digest: str
    requested_by: int | None


_models = (
    select(
        trained_models,
        training_runs.c.version_id,
        dataset_versions.c.name.label("version_name"),
        dataset_versions.c.digest.label("version_digest"),
        training_runs.c.requested_by,
    )
    .join_from(trained_models, training_runs, training_runs.c.id == trained_models.c.run_id)
    .join(dataset_versions, dataset_versions.c.id == training_runs.c.version_id)
)


def save_model(
    connection: Connection,
    *,
    run_id: int,
    backbone: str,
    weights: str,
    label_codes: Sequence[str],
    metrics: Mapping[str, Any],
    keras_key: str,
    keras_sha256: str,
    onnx_key: str,
    onnx_sha256: str,
    answers: Sequence[ModelAnswer] = (),
) -> int:
    """Write a run's model down and return its id; a later attempt at the same run takes the place of an earlier one.

    Call it in the transaction that finishes the run, so that a run has succeeded exactly when it has a model.

    Args:
        answers: what it says of the pictures of its test split.
    """
    values = {
        "backbone": backbone,
        "weights": weights,
        "label_codes": list(label_codes),
        "metrics": dict(metrics),
        "keras_key": keras_key,
        "keras_sha256": keras_sha256,
        "onnx_key": onnx_key,
        "onnx_sha256": onnx_sha256,
    }
    model_id: int = connection.execute(
        insert(trained_models)
        .values(run_id=run_id, **values)
        .on_conflict_do_update(index_elements=[trained_models.c.run_id], set_=values)
        .returning(trained_models.c.id)
    ).scalar_one()
    save_answers(connection, model_id=model_id, answers=answers)
    return model_id


def model_by_id(connection: Connection, model_id: int) -> TrainedModel:
    """Return a model. Raises NotFoundError."""
    row = connection.execute(_models.where(trained_models.c.id == model_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no model with the number {model_id}.")
    return TrainedModel(**row._mapping)


def model_of_run(connection: Connection, run_id: int) -> int | None:
    """Return the id of a run's model; None when it has none, or none yet."""
    model_id: int | None = connection.execute(
        select(trained_models.c.id).where(trained_models.c.run_id == run_id)
    ).scalar_one_or_none()
    return model_id


def models(
    connection: Connection, *, version_id: int | None = None, before_id: int | None = None, limit: int = 50
) -> list[TrainedModel]:
    """Return models, of one dataset version or of all, newest first. Read on with `before_id=page[-1].id`."""
    page = _models.order_by(trained_models.c.id.desc()).limit(limit)
    if version_id is not None:
        page = page.where(training_runs.c.version_id == version_id)
    if before_id is not None:
        page = page.where(trained_models.c.id < before_id)
    return [TrainedModel(**row._mapping) for row in connection.execute(page)]
