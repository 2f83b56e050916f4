"""Features of pictures: which are still to be computed, writing them, reading them for training."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from deep_images_hub.catalogue.engine import copy_rows

# How pgvector sends a halfvec: its dimension and a zero, 16 bits each, then float16 values, all in network order.
_WIRE_HEADER_BYTES = 4
_WIRE_FLOAT16 = np.dtype(">f2")
# Pictures that were rejected have no current label: nobody looks at them.
_PENDING = (
    "from images where exists (select from image_labels where image_labels.image_id = images.id and image_labels.is_current)"
    " and not exists (select from embeddings where embeddings.image_id = images.id and embeddings.model = :model)"
)


@dataclass(frozen=True)
class Embedding:
    """What a network makes of a picture.

    Attributes:
        features: (d,); kept as float16.
        class_indexes: ImageNet's classes that it takes the picture for, the most probable first; None: it has no such head.
        class_probabilities: of these, 0..1; None with them.
    """

    image_id: int
    features: NDArray[np.floating]
    class_indexes: Sequence[int] | None = None
    class_probabilities: Sequence[float] | None = None


@dataclass(frozen=True)
class PendingImage:
    """A picture without features of some model."""

    image_id: int
    picture_key: str


def pending_images(connection: Connection, *, model: str, after_id: int = 0, limit: int) -> list[PendingImage]:
    """Return pictures that have no features of a model yet, by id, after a picture's id.

    Args:
        model: backbone and digest of its weights.
    """
    rows = connection.execute(
        text(f"select images.id as image_id, picture_key {_PENDING} and images.id > :after_id order by images.id limit :limit"),
        {"model": model, "after_id": after_id, "limit": limit},
    )
    return [PendingImage(**row._mapping) for row in rows]


def pending_count(connection: Connection, *, model: str) -> int:
    """Return how many pictures have no features of a model yet. Reads the whole table: for jobs, not for requests."""
    count: int = connection.execute(text(f"select count(*) {_PENDING}"), {"model": model}).scalar_one()
    return count


def add_embeddings(connection: Connection, *, model: str, rows: Iterable[Embedding]) -> int:
    """Write what a network makes of pictures and return how many were new; those that are there already stay as they are.

    Args:
        model: backbone and digest of its weights.
    """
    connection.execute(
        text(
            "create temporary table if not exists incoming_embeddings"
            " (image_id bigint, features halfvec, class_indexes smallint[], class_probabilities real[]) on commit drop"
        )
    )
    connection.execute(text("truncate incoming_embeddings"))
    columns = ("image_id", "features", "class_indexes", "class_probabilities")
    copy_rows(connection, "incoming_embeddings", columns, (_copied(row) for row in rows))
    # In order of the key, so that two writers of the same pictures wait for each other instead of crossing.
    added = connection.execute(
        text(
            "insert into embeddings (image_id, model, features, class_indexes, class_probabilities)"
            " select image_id, :model, features, class_indexes, class_probabilities from incoming_embeddings order by image_id"
            " on conflict (image_id, model) do nothing"
        ),
        {"model": model},
    )
    return added.rowcount


def embeddings_of(connection: Connection, *, model: str, image_ids: Sequence[int]) -> dict[int, Embedding]:
    """Return what a network made of pictures, by image id; those that it has not seen are left out."""
    rows = connection.execute(
        text(
            "select image_id, halfvec_send(features) as features, class_indexes, class_probabilities"
            " from embeddings where model = :model and image_id = any(:image_ids)"
        ),
        {"model": model, "image_ids": list(image_ids)},
    )
    return {
        row.image_id: Embedding(row.image_id, _float16_features(row.features), row.class_indexes, row.class_probabilities)
        for row in rows
    }


def has_classes(connection: Connection, *, model: str) -> bool:
    """Say whether a network takes pictures for classes of ImageNet: whether its weights have a classification head."""
    found: bool = connection.execute(
        text("select exists (select from embeddings where model = :model and class_indexes is not null)"), {"model": model}
    ).scalar_one()
    return found


def features_of(
    connection: Connection, *, model: str, version_id: int, split: str | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the features of a dataset version's pictures, in the version's order.

    Pictures without features of the model are left out: compare the ids with the version's.

    Returns:
        image ids (n,) int64, and features (n, d) float32, which hold the kept float16 values; d is 0 when n is.
    """
    rows = connection.execute(
        text(
            "select dataset_items.image_id, halfvec_send(embeddings.features) as features"
            " from dataset_items join embeddings on embeddings.image_id = dataset_items.image_id and embeddings.model = :model"
            " where dataset_items.version_id = :version_id"
            " and (cast(:split as text) is null or dataset_items.split = :split)"
            " order by dataset_items.position"
        ),
        {"model": model, "version_id": version_id, "split": split},
        # Of this statement, not of the connection: what comes after may be no query.
        execution_options={"stream_results": True, "yield_per": 2_000},
    )
    image_ids: list[int] = []
    features: list[NDArray[np.float32]] = []
    for row in rows:
        image_ids.append(row.image_id)
        features.append(_float16_features(row.features).astype(np.float32))
    stacked = np.stack(features) if features else np.zeros((0, 0), np.float32)
    return np.asarray(image_ids, np.int64), stacked


def _float16_features(sent: bytes) -> NDArray[np.float16]:
    return np.frombuffer(sent, _WIRE_FLOAT16, offset=_WIRE_HEADER_BYTES).astype(np.float16)


def _copied(row: Embedding) -> tuple[object, ...]:
    """Write a row as PostgreSQL and pgvector read it."""
    bits = row.features.astype(np.float16).view(np.uint16).tolist()
    features = ",".join(map(_float16_texts().__getitem__, bits))
    return row.image_id, f"[{features}]", _array(row.class_indexes), _array(row.class_probabilities)


@cache
def _float16_texts() -> list[str]:
    """Return every float16 by its bits, in the five digits that always give the same float16 back: few, and soon written."""
    return [f"{number:.5g}" for number in np.arange(1 << 16, dtype=np.uint16).view(np.float16).tolist()]


def _array(values: Sequence[float] | None) -> str | None:
    return None if values is None else "{" + ",".join(map(str, values)) + "}"
