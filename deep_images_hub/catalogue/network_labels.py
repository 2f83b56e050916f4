"""What models say of pictures that they were asked to tag. It stands beside a picture's label, and never changes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.embeddings import PendingImage

_UNTAGGED = """
    from dataset_items join images on images.id = dataset_items.image_id
    where dataset_items.version_id = :version_id and images.taken_down_at is null and not exists (
        select from network_labels where network_labels.model_id = :model_id and network_labels.image_id = images.id
    )"""


@dataclass(frozen=True)
class NetworkLabel:
    """What a model says of a picture.

    Attributes:
        class_indexes: of its labels, likeliest first; at least one.
        scores: their probabilities, 0..1.
    """

    image_id: int
    class_indexes: Sequence[int]
    scores: Sequence[float]


@dataclass(frozen=True)
class SaidOfPicture:
    """The likeliest label of a picture by a model, and where that model comes from."""

    model_id: int
    backbone: str
    version_name: str
    label_id: int
    label_name: str
    score: float


def untagged_pictures(
    connection: Connection, *, model_id: int, version_id: int, after_id: int = 0, limit: int
) -> list[PendingImage]:
    """Return pictures of a version that a model has not tagged, by id, after a picture's id; none that was taken down."""
    rows = connection.execute(
        text(
            f"select images.id as image_id, images.picture_key {_UNTAGGED} and images.id > :after_id"
            " order by images.id limit :limit"
        ),
        {"model_id": model_id, "version_id": version_id, "after_id": after_id, "limit": limit},
    )
    return [PendingImage(**row._mapping) for row in rows]


def untagged_count(connection: Connection, *, model_id: int, version_id: int) -> int:
    """Return how many pictures of a version a model has not tagged. For jobs, not for requests."""
    counted = connection.execute(text(f"select count(*) {_UNTAGGED}"), {"model_id": model_id, "version_id": version_id})
    return int(counted.scalar_one())


def add_network_labels(connection: Connection, *, model_id: int, said: Sequence[NetworkLabel]) -> int:
    """Write what a model says and return how many were new; what is there already stays as it is."""
    rows = sorted(said, key=lambda label: label.image_id)
    return connection.execute(
        text(
            "insert into network_labels (model_id, image_id, label_id, class_indexes, scores)"
            " select :model_id, said.image_id, labels.id, cast(said.class_indexes as smallint[]), cast(said.scores as real[])"
            " from unnest(cast(:image_ids as bigint[]), cast(:class_indexes as text[]), cast(:scores as text[]))"
            " as said (image_id, class_indexes, scores)"
            " join trained_models on trained_models.id = :model_id"
            " join labels on labels.code"
            " = trained_models.label_codes ->> cast((cast(said.class_indexes as smallint[]))[1] as integer)"
            " order by said.image_id on conflict (model_id, image_id) do nothing"
        ),
        {
            "model_id": model_id,
            "image_ids": [row.image_id for row in rows],
            "class_indexes": [_array(row.class_indexes) for row in rows],
            "scores": [_array(row.scores) for row in rows],
        },
    ).rowcount


def network_labels_of(connection: Connection, *, image_id: int, limit: int = 5) -> list[SaidOfPicture]:
    """Return what models say of a picture, the newest model first."""
    rows = connection.execute(
        text(
            "select network_labels.model_id, trained_models.backbone, dataset_versions.name as version_name,"
            " labels.id as label_id, labels.name as label_name, network_labels.scores[1] as score"
            " from network_labels join trained_models on trained_models.id = network_labels.model_id"
            " join training_runs on training_runs.id = trained_models.run_id"
            " join dataset_versions on dataset_versions.id = training_runs.version_id"
            " join labels on labels.id = network_labels.label_id"
            " where network_labels.image_id = :image_id order by network_labels.model_id desc limit :limit"
        ),
        {"image_id": image_id, "limit": limit},
    )
    return [SaidOfPicture(**row._mapping) for row in rows]


def _array(values: Sequence[float]) -> str:
    """Write numbers as PostgreSQL reads an array; rows of arrays of their own lengths cannot be passed as one array."""
    return "{" + ",".join(map(str, values)) + "}"
