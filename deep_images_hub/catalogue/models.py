"""Trained models: what came of training runs. Their files lie in the object store."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from deep_images_hub.catalogue.model_answers import ModelAnswer, save_answers
from deep_images_hub.catalogue.tables import dataset_versions, model_files, trained_models, training_runs
from deep_images_hub.errors import NotFoundError
from deep_images_hub.model_files import KIND_NAMES, FileKind, file_kind


@dataclass(frozen=True)
class ModelFile:
    """A file of a model. size_bytes: None where it was written before sizes were kept."""

    kind: str
    key: str
    sha256: str
    size_bytes: int | None

    @property
    def of_kind(self) -> FileKind:
        """What it is called, and whom it is for."""
        return file_kind(self.kind)


@dataclass(frozen=True)
class TrainedModel:
    """A model that was loaded again from its files and gave the same answers.

    Attributes:
        weights: where the backbone's first weights came from: `imagenet`, `sha256:...`, or `scratch`.
        label_codes: position = class index.
        metrics: of the test split, by name; values may be nested.
        files: in the order of FILE_KINDS.
        version_id, version_name, version_digest: the dataset that it was trained on.
        requested_by: the account that asked for it, or None.
    """

    id: int
    run_id: int
    backbone: str
    weights: str
    label_codes: list[str]
    metrics: dict[str, Any]
    created_at: datetime
    version_id: int
    version_name: str
    version_digest: str
    requested_by: int | None
    files: tuple[ModelFile, ...]

    def file(self, kind: str) -> ModelFile:
        """Return the file of a kind. Raises NotFoundError."""
        return self._only(kind, {file.kind: file for file in self.files})

    def file_named(self, file_name: str) -> ModelFile:
        """Return a file by what it is called, such as `model.onnx`. Raises NotFoundError."""
        return self._only(file_name, {file.of_kind.file_name: file for file in self.files})

    def _only(self, asked: str, files: Mapping[str, ModelFile]) -> ModelFile:
        if asked not in files:
            raise NotFoundError(f"Model {self.id} has the files {', '.join(files) or '(none)'}, not {asked!r}.")
        return files[asked]


_files = (
    select(
        func.json_agg(
            func.json_build_object(
                *(part for name in ("kind", "key", "sha256", "size_bytes") for part in (name, model_files.c[name]))
            )
        )
    )
    .where(model_files.c.model_id == trained_models.c.id)
    .scalar_subquery()
)
_models = (
    select(
        trained_models,
        training_runs.c.version_id,
        dataset_versions.c.name.label("version_name"),
        dataset_versions.c.digest.label("version_digest"),
        training_runs.c.requested_by,
        _files.label("files"),
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
    files: Sequence[ModelFile],
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
    }
    model_id: int = connection.execute(
        insert(trained_models)
        .values(run_id=run_id, **values)
        .on_conflict_do_update(index_elements=[trained_models.c.run_id], set_=values)
        .returning(trained_models.c.id)
    ).scalar_one()
    save_answers(connection, model_id=model_id, answers=answers)
    connection.execute(delete(model_files).where(model_files.c.model_id == model_id))
    connection.execute(insert(model_files), [{"model_id": model_id, **asdict(file)} for file in files])
    return model_id


def model_by_id(connection: Connection, model_id: int) -> TrainedModel:
    """Return a model. Raises NotFoundError."""
    row = connection.execute(_models.where(trained_models.c.id == model_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no model with the number {model_id}.")
    return _model(row)


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
    return [_model(row) for row in connection.execute(page)]


def _model(row: Row[Any]) -> TrainedModel:
    written = {**row._mapping}
    files = (ModelFile(**file) for file in written.pop("files") or ())
    return TrainedModel(**written, files=tuple(sorted(files, key=lambda file: KIND_NAMES.index(file.kind))))
