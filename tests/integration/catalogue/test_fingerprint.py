from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import Connection, text

from deep_images_hub.catalogue.embeddings import Embedding, add_embeddings
from deep_images_hub.catalogue.fingerprint import fingerprint
from deep_images_hub.catalogue.tables import metadata
from deep_images_hub.resources import resource
from tests.integration.catalogue.planting import plant_batch, plant_labels, plant_place


def test_fingerprint_covers_every_table() -> None:
    query = resource("sql/queries/fingerprint.sql").read_text(encoding="utf-8")

    missing = [name for name in metadata.tables if f"select '{name}'" not in query and f"'{name}'," not in query]

    # What a job that was killed left there says nothing: the next one removes it. Changes of counts are added to the counts. What
    # batches gave to versions, and what is known and kept of exported files, is found in versions. What is being uploaded is no
    # batch yet.
    of_versions = {"export_files", "kept_files", "version_batches"}
    not_yet = {"staged_decisions", "uploads", "upload_files", "upload_parts"}
    keys_to_accounts = {"account_mails", "api_tokens", "attempts"}
    # What became of each try at a run, until it ended, depends on who was killed when.
    assert set(missing) == {"facet_changes", "training_changes"} | of_versions | not_yet | keys_to_accounts


def plant(connection: Connection, order: tuple[str, ...]) -> None:
    plant_labels(connection)
    place_id = plant_place(connection, "Berlin")
    for key in order:
        (first, *_) = plant_batch(connection, key, outcomes=["accepted", "blurry", "accepted"], place_id=place_id)
        add_embeddings(connection, model="m", rows=[Embedding(first, np.ones(3, np.float32))])


def test_fingerprint_is_the_same_in_whatever_order_rows_were_written(hub_of: Callable) -> None:
    found = []
    for order in (("b1", "b2", "b3"), ("b3", "b1", "b2")):
        with hub_of() as hub, hub.engine.begin() as connection:
            # Ids that differ, as those of a transaction that was rolled back would.
            connection.execute(
                text("select nextval(pg_get_serial_sequence('images', 'id')) from generate_series(1, :n)"),
                {"n": len(found) * 7 + 1},
            )
            plant(connection, order)
            found.append(fingerprint(connection))

    assert found[0] == found[1]
    assert {name: of.row_count for name, of in found[0].items()} == {
        "labels": 10,
        "label_edges": 7,
        "label_closure": 10 + 9,
        "label_counts": 10,
        "facet_counts": 7,
        "shown_images": 6,
        "users": 1,
        "places": 1,
        "batches": 3,
        "submissions": 9,
        "images": 9,
        "image_labels": 6,
        "verdicts": 9,
        "embeddings": 3,
    }


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("update label_counts set subtree_images = subtree_images + 1", {"label_counts"}),
        ("update verdicts set score = 0.0500001 where score = 0.05::real", {"verdicts"}),
        ("update submissions set reason = 'dark' where reason = 'blurry' and position = 1", {"submissions"}),
        ("delete from embeddings", {"embeddings"}),
        ("update images set quality_score = 0.7", {"images"}),
        ("update batches set attribution = null", {"batches"}),
        ("update images set created_at = now() + interval '1 day'", set()),
        ("update batches set closed_at = now()", set()),
    ],
)
def test_fingerprint_of_changed_rows_differs_in_their_table_alone(
    connection: Connection, statement: str, tables: set[str]
) -> None:
    plant(connection, ("b1",))
    before = fingerprint(connection)

    assert connection.execute(text(statement)).rowcount > 0

    after = fingerprint(connection)
    assert {name for name in before if before[name] != after.get(name)} == tables
