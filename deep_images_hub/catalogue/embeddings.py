"""Features of pictures: which are still to be computed, writing them, reading them for training."""

from collections.abc import Iterable
from dataclasses import dataclass

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


def add_embeddings(connection: Connection, *, model: str, rows: Iterable[tuple[int, NDArray[np.floating]]]) -> int:
    """Write features of pictures and return how many were new; those that are there already stay as they are.

    Args:
        model: backbone and digest of its weights.
        rows: (image id, features (d,)); kept as float16.
    """
    connection.execute(
        text("create temporary table if not exists incoming_embeddings (image_id bigint, features halfvec) on commit drop")
    )
    connection.execute(text("truncate incoming_embeddings"))
    copy_rows(connection, "incoming_embeddings", ("image_id", "features"), ((image_id, _literal(of)) for image_id, of in rows))
    # In order of the key, so that two writers of the same pictures wait for each other instead of crossing.
    added = connection.execute(
        text(
            "insert into embeddings (image_id, model, features)"
            " select image_id, :model, features from incoming_embeddings order by image_id"
            " on conflict (image_id, model) do nothing"
        ),
        {"model": model},
    )
    return added.rowcount


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
        features.append(np.frombuffer(row.features, _WIRE_FLOAT16, offset=_WIRE_HEADER_BYTES).astype(np.float32))
    stacked = np.stack(features) if features else np.zeros((0, 0), np.float32)
    return np.asarray(image_ids, np.int64), stacked


def _literal(features: NDArray[np.floating]) -> str:
    """Write features as pgvector reads them, in the fewest digits that give the same float16 back."""
    return "[" + ",".join(map(str, features.astype(np.float16).tolist())) + "]"
