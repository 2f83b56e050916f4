import dataclasses

import numpy as np
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from deep_images_hub.catalogue.datasets import (
    DatasetVersion,
    VersionPicture,
    attribution_counts,
    candidates,
    label_split_counts,
    save_version,
    training_pictures,
    version_by_digest,
    version_by_id,
    version_items,
    versions,
)
from deep_images_hub.catalogue.embeddings import Embedding, add_embeddings, features_of
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.datasets.split import SplitCandidate
from deep_images_hub.errors import NotFoundError
from tests.integration.catalogue.planting import count_rows, plant_batch, plant_labels, plant_place

DIGEST = "d" * 64


@pytest.fixture(autouse=True)
def _labels(connection: Connection) -> None:
    plant_labels(connection)


def save(connection: Connection, recipe: Recipe, *, digest: str = DIGEST, name: str = "fruit") -> DatasetVersion:
    splits = ("train", "train", "validation", "test")
    pictures = [
        SplitCandidate(candidate, splits[at % 4], candidate.batch_key)
        for at, candidate in enumerate(candidates(connection, recipe=recipe))
    ]
    return save_version(connection, recipe=recipe, digest=digest, name=name, created_by=None, pictures=pictures)


@pytest.fixture
def planted(connection: Connection) -> dict[str, list[int]]:
    city = plant_place(connection, "Hell's Kitchen")
    return {
        "apple": plant_batch(connection, "b1", "apple", outcomes=["accepted"] * 4, place_id=city),
        "fruit": plant_batch(connection, "b2", "fruit", outcomes=["accepted", "blurry"], licence="cc0", supplier="bo"),
        "car": plant_batch(connection, "b3", "car", outcomes=["accepted"] * 2),
    }


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ({"label_codes": ("food",)}, ["apple"] * 4 + ["fruit"]),
        ({"label_codes": ("food",), "with_descendants": False}, []),
        ({"label_codes": ("food", "fruit", "car"), "with_descendants": False}, ["car"] * 2 + ["fruit"]),
        ({"label_codes": ("food",), "licences": ("cc0",)}, ["fruit"]),
        ({"label_codes": ("food", "car"), "city": "hell's kitchen"}, ["apple"] * 4),
        ({"label_codes": ("food",), "min_quality": 0.81}, []),
        ({"label_codes": ("food",), "min_quality": 0.8}, ["apple"] * 4 + ["fruit"]),
        ({"label_codes": ("x' or true --",)}, []),
    ],
)
def test_candidates_of_a_recipe_are_those_that_fit(
    connection: Connection, planted: dict[str, list[int]], given: dict, labels: list[str]
) -> None:
    found = candidates(connection, recipe=Recipe(**given))

    assert [candidate.label_code for candidate in found] == labels
    assert found == sorted(found, key=lambda candidate: (candidate.label_code, candidate.sha256))


def test_candidates_with_single_pictures_and_some_left_out(connection: Connection, planted: dict[str, list[int]]) -> None:
    cars = candidates(connection, recipe=Recipe(label_codes=("car",)))
    apples = candidates(connection, recipe=Recipe(label_codes=("apple",)))
    recipe = Recipe(label_codes=("apple",), pictures=(cars[0].sha256, apples[0].sha256), left_out=(apples[1].sha256,))

    assert candidates(connection, recipe=recipe) == [apples[0], *apples[2:], cars[0]]


def test_save_version_again_returns_the_first(connection: Connection, planted: dict[str, list[int]]) -> None:
    recipe = Recipe(label_codes=("food",), seed=2**63 - 1)

    first = save(connection, recipe)
    again = save(connection, recipe, name="another name")

    assert again == first
    assert count_rows(connection, "dataset_items") == 5
    assert (first.image_count, first.train_count, first.validation_count, first.test_count) == (5, 3, 1, 1)
    assert (first.label_count, first.size_bytes, first.recipe_body["seed"]) == (2, 2500, 2**63 - 1)
    assert version_by_digest(connection, DIGEST) == first == version_by_id(connection, first.id)
    with pytest.raises(NotFoundError):
        version_by_digest(connection, "e" * 64)


def test_versions_by_pages_are_newest_first(connection: Connection, planted: dict[str, list[int]]) -> None:
    saved = [save(connection, Recipe(label_codes=("food",), seed=seed)) for seed in range(3)]

    page = versions(connection, limit=2)

    assert page == [saved[2], saved[1]]
    assert versions(connection, before_id=page[-1].id) == [saved[0]]
    assert version_by_digest(connection, DIGEST) == saved[0]


def test_version_items_stream_in_order_of_position_by_split(connection: Connection, planted: dict[str, list[int]]) -> None:
    version = save(connection, Recipe(label_codes=("food",)))

    everything = list(version_items(connection, version.id))

    assert [picture.position for picture in everything] == list(range(5))
    assert [picture.position for picture in version_items(connection, version.id, "train")] == [0, 1, 4]
    apple, fruit = everything[0], everything[4]
    assert (apple.label_code, apple.licence, apple.attribution, apple.city) == ("apple", "by", "Photo by Ada", "Hell's Kitchen")
    assert (fruit.label_code, fruit.licence, fruit.attribution, fruit.city) == ("fruit", "cc0", "Photo by Bo", None)
    assert fruit.picture_size_bytes == 500


def test_counts_of_a_version_by_split_and_by_attribution(connection: Connection, planted: dict[str, list[int]]) -> None:
    version = save(connection, Recipe(label_codes=("food",)))

    counts = [dataclasses.astuple(count) for count in label_split_counts(connection, version.id)]
    attributions = [dataclasses.astuple(count) for count in attribution_counts(connection, version.id)]

    assert counts == [
        ("apple", "Apple", "test", 1),
        ("apple", "Apple", "train", 2),
        ("apple", "Apple", "validation", 1),
        ("fruit", "Fruit", "train", 1),
    ]
    assert attributions == [("by", "Photo by Ada", 4), ("cc0", "Photo by Bo", 1)]


def test_features_of_a_version_come_in_its_order(connection: Connection, planted: dict[str, list[int]]) -> None:
    version = save(connection, Recipe(label_codes=("food",)))
    pictures = training_pictures(connection, version.id)
    rows = [Embedding(picture.image_id, np.full(3, picture.position, np.float32)) for picture in reversed(pictures)]
    add_embeddings(connection, model="m", rows=rows[1:])

    image_ids, features = features_of(connection, model="m", version_id=version.id)

    assert image_ids.tolist() == [picture.image_id for picture in pictures][:4]
    assert features.dtype == np.float32
    assert features.tolist() == [[float(position)] * 3 for position in range(4)]
    assert features_of(connection, model="m", version_id=version.id, split="test")[1].tolist() == [[3.0] * 3]


GROW = """
    update dataset_versions set created_at = created_at - interval '1 s';
    insert into dataset_items (version_id, position, image_id, label_id, split, group_key)
    select version_id, 99, (select max(id) from images), label_id, 'train', 'x' from dataset_items limit 1
"""


@pytest.mark.parametrize(
    "statement", ["update dataset_items set split = 'test'", "delete from dataset_items", GROW], ids=["change", "shrink", "grow"]
)
def test_content_of_a_version_cannot_be_changed_later(
    connection: Connection, planted: dict[str, list[int]], statement: str
) -> None:
    save(connection, Recipe(label_codes=("food",)))

    with pytest.raises(IntegrityError, match=r"[Ff]reeze a new"):
        connection.execute(text(statement))


@pytest.mark.parametrize("name", ["version_pictures", "version_shard", "version_first"])
def test_columns_of_a_versions_pictures_are_in_the_order_in_which_they_are_read(connection: Connection, name: str) -> None:
    query = load_query(name)
    asked = connection.execute(query, dict.fromkeys(query.compile().params))
    assert tuple(asked.keys()) == VersionPicture._fields
