"""Freezing and downloading on a real catalogue and store: the same content everywhere, and a folder that Keras reads."""

import csv
import hashlib
import io
import json
import zipfile
from collections import defaultdict
from pathlib import Path

import pytest

from deep_images_hub.catalogue.datasets import version_items
from deep_images_hub.datasets.download import open_export, write_zip
from deep_images_hub.datasets.exports import export as exports_export
from deep_images_hub.datasets.exports import files
from deep_images_hub.datasets.exports.formats import FORMATS
from deep_images_hub.datasets.exports.image_folder import ImageFolderZip
from deep_images_hub.datasets.freeze import freeze
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.errors import InvalidInputError, NotFoundError
from deep_images_hub.object_store.keys import picture_key
from tests.builders import photographs
from tests.integration.datasets.conftest import BATCHES, RECIPE, fill


def zip_of(filled, version) -> ImageFolderZip:
    return ImageFolderZip(open_export(version, engine=filled.hub.engine, store=filled.hub.store))


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


@pytest.fixture(scope="module")
def folder(filled, version, tmp_path_factory) -> Path:
    """The unpacked download."""
    file = io.BytesIO()
    write_zip(version, engine=filled.hub.engine, store=filled.hub.store, file=file)
    path = tmp_path_factory.mktemp("download")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(path)
    return path


def test_same_recipe_on_a_hub_filled_in_another_order_has_the_same_digest(version, hub_of) -> None:
    with hub_of() as hub:
        other = fill(hub, list(reversed(BATCHES)))
        with other.hub.engine.begin() as connection:
            again = freeze(connection, RECIPE, name="Other name", created_by=None)
    assert (again.digest, again.recipe_digest) == (version.digest, version.recipe_digest)


def test_freezing_again_gives_the_same_version(filled, version) -> None:
    with filled.hub.engine.begin() as connection:
        assert freeze(connection, RECIPE, name="Another name", created_by=None) == version


def test_no_batch_lies_in_two_splits_and_every_label_with_three_batches_is_tested(filled, version) -> None:
    with filled.hub.engine.connect() as connection:
        pictures = {split: list(version_items(connection, version.id, split)) for split in ("train", "validation", "test")}
    assert sum(map(len, pictures.values())) == version.image_count == 50
    groups = defaultdict(set)
    for split, of_split in pictures.items():
        for picture in of_split:
            groups[picture.group_key].add(split)
        assert {picture.label_code for picture in of_split} >= {"/m/apple", "/m/apple2", "/m/hk"}
    assert all(len(splits) == 1 for splits in groups.values())
    assert groups["lone"] == {"train"}


def test_recipe_with_unknown_label_names_the_nearest(filled) -> None:
    with filled.hub.engine.begin() as connection, pytest.raises(InvalidInputError, match=r"nearest is '/m/apple'"):
        freeze(connection, Recipe(label_codes=("/m/appel",)), name="x", created_by=None)


def test_recipe_with_unknown_picture_is_refused(filled) -> None:
    with filled.hub.engine.begin() as connection, pytest.raises(InvalidInputError, match="no picture with the sha256 000"):
        freeze(connection, Recipe(pictures=("0" * 64,)), name="x", created_by=None)


def test_download_loads_with_keras_as_it_is(folder) -> None:
    import keras

    names = None
    for split in ("train", "validation", "test"):
        loaded = keras.utils.image_dataset_from_directory(str(folder / split), image_size=(32, 32), verbose=False)
        names = names or loaded.class_names
        # `validation` and `test` have no picture of one label, and count the classes alike all the same.
        assert loaded.class_names == names == ["apple-m-apple", "apple-m-apple2", "hells-kitchen", "lone"]
        assert len(loaded.file_paths) == len(rows_of(folder / split / "metadata.csv"))


def test_records_load_with_tensorflow_and_their_checksums_hold(filled, version, tmp_path) -> None:
    import tensorflow as tf

    export = open_export(version, engine=filled.hub.engine, store=filled.hub.store)
    with filled.hub.engine.connect() as connection:
        pictures = {picture.sha256: picture for picture in version_items(connection, version.id, "train")}
    file = FORMATS["tfrecord"].files(export)[0]
    assert file.name == "food-train.tfrecord-00000-of-00001"
    (tmp_path / file.name).write_bytes(b"".join(file.blocks()))
    seen = set()
    # TensorFlow checks both checksums of every record.
    for record in tf.data.TFRecordDataset(str(tmp_path / file.name)):
        features = tf.train.Example.FromString(record.numpy()).features.feature
        picture = pictures[features["image/sha256"].bytes_list.value[0].decode()]
        assert features["image/class/label"].int64_list.value == [export.class_indices[picture.label_code]]
        assert features["image/class/text"].bytes_list.value == [export.names[picture.label_code].encode()]
        assert features["image/encoded"].bytes_list.value == [filled.hub.store.read(picture.picture_key)]
        assert len(features["image/attribution"].bytes_list.value) == (picture.attribution is not None)
        seen.add(picture.sha256)
    assert seen == set(pictures)


def test_download_has_a_row_and_an_honest_hash_for_every_picture(folder, filled, version) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["digest"] == version.digest
    listed = {entry["path"]: entry for entry in manifest["files"]}
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {*listed, "manifest.json"}
    for path, entry in listed.items():
        body = (folder / path).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (entry["size_bytes"], entry["sha256"])
    rows = [
        row | {"split": split} for split in ("train", "validation", "test") for row in rows_of(folder / split / "metadata.csv")
    ]
    assert len(rows) == version.image_count
    for row in rows:
        assert (folder / row["split"] / row["file_name"]).read_bytes() == filled.hub.store.read(picture_key(row["sha256"]))
    by_label = {row["label_code"]: row for row in rows}
    assert by_label["/m/hk"]["label"] == "Hell's Kitchen"
    assert by_label["/m/apple"]["attribution"] == 'Ada "Ace", 2026\nand friends'
    assert by_label["/m/apple"]["licence_url"] == "https://creativecommons.org/licenses/by/4.0/"
    assert by_label["/m/lone"]["attribution"] == ""
    assert {row["city"] for row in rows} == {"", "Köln"}
    classes = {row["label_code"]: row["class_index"] for row in rows_of(folder / "labels.csv")}
    assert all(row["class_index"] == classes[row["label_code"]] for row in rows)
    licences = {row["licence"]: int(row["images"]) for row in rows_of(folder / "LICENSES.csv")}
    assert licences == {"by": 48, "cc0": 2}
    assert "@example.org" not in "".join(path.read_text() for path in folder.rglob("*.csv"))


def test_card_has_front_matter_that_yaml_reads(filled, folder) -> None:
    import yaml

    _, front, card = (folder / "README.md").read_text().split("---\n", 2)
    assert yaml.safe_load(front) == {
        "pretty_name": "Food",
        "license": "other",
        "task_categories": ["image-classification"],
        "annotations_creators": ["crowdsourced"],
        "size_categories": ["n<1K"],
    }
    assert "50 photographs of 4 labels" in card
    assert "| Lone | lone | 2 | 0 | 0 |" in card


def test_download_with_many_pictures_of_a_label_has_numbered_folders(filled, version, monkeypatch) -> None:
    monkeypatch.setattr(exports_export, "MAX_FILES_IN_FOLDER", 3)
    download = zip_of(filled, version)
    made = b"".join(download.blocks())
    assert download.size_bytes() == len(made)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        folders = [name.rsplit("/", 1)[0] for name in archive.namelist() if name.endswith(".jpg")]
    assert all(folders.count(folder) <= 3 for folder in folders)
    assert {folder for folder in folders if folder.startswith("train/lone")} == {"train/lone"}
    assert "train/hells-kitchen/0000" in folders


def test_download_of_unknown_length_is_the_same_zip(filled, version, monkeypatch) -> None:
    whole = b"".join(zip_of(filled, version).blocks())
    monkeypatch.setattr(files, "LENGTH_KNOWN_UP_TO_IMAGES", 1)
    download = zip_of(filled, version)
    assert download.size_bytes() is None
    assert b"".join(download.blocks()) == whole


def test_download_whose_picture_is_gone_stops(filled) -> None:
    filled.batch("gone", "/m/lone", photographs(1, seed="gone"))
    version = filled.version("/m/lone", name="Gone")
    with filled.hub.engine.connect() as connection:
        last = list(version_items(connection, version.id))[-1]
    filled.hub.store.delete(last.picture_key)
    with pytest.raises(NotFoundError):
        list(zip_of(filled, version).blocks())
