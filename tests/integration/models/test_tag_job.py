"""A model tags a dataset version and a folder, on a real Spark, catalogue and store."""

import csv
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from sqlalchemy import text

from deep_images_hub.catalogue.network_labels import network_labels_of
from deep_images_hub.errors import InvalidInputError, NotFoundError
from deep_images_hub.settings import Settings
from spark_jobs.tag import tag
from tests.builders import HubBuilder, one_colour, photograph, photographs
from tests.swift_server import SwiftServer


@pytest.fixture(scope="module")
def filled(hub_of) -> Iterator[HubBuilder]:
    with hub_of() as hub:
        builder = HubBuilder(hub)
        builder.labels({"/m/apple": "Apple", "/m/pear": "Pear"})
        for code in ("/m/apple", "/m/pear"):
            builder.batch(f"batch-{code[3:]}", code, photographs(4, seed=code))
        yield builder


def asked(model_id: int, **given: object) -> Namespace:
    return Namespace(**{"model": model_id, "version": None, "photos": None, "out": None, "top": 2} | given)


def test_version_is_tagged_once_and_keeps_its_labels(filled: HubBuilder, spark: SparkSession, capsys) -> None:
    version = filled.version("/m/apple", "/m/pear", name="Fruit")
    model_id = filled.model(version)
    current = text("select image_id, label_id from image_labels where is_current order by 1")
    with filled.hub.engine.connect() as connection:
        before = connection.execute(current).all()

    named = asked(model_id, version=f"Fruit/{version.digest[:12]}")
    assert tag(filled.hub, named, spark) == 0
    assert tag(filled.hub, named, spark) == 0

    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"tag: model {model_id} tagged {version.image_count} pictures of Fruit; 0 were passed over."
    assert said[1] == f"tag: model {model_id} tagged 0 pictures of Fruit; {version.image_count} were passed over."
    with filled.hub.engine.connect() as connection:
        assert connection.execute(current).all() == before
        rows = connection.execute(text("select image_id, label_id, class_indexes, scores from network_labels")).all()
        found = network_labels_of(connection, image_id=rows[0].image_id)
    assert len(rows) == version.image_count
    for row in rows:
        assert len(row.class_indexes) == len(row.scores) == 2
        assert row.scores[0] >= row.scores[1]
        assert sum(row.scores) == pytest.approx(1, abs=1e-4)
    assert [(one.model_id, one.version_name, one.label_id) for one in found] == [(model_id, "Fruit", rows[0].label_id)]
    with pytest.raises(NotFoundError, match="no dataset version"):
        tag(filled.hub, asked(model_id, version="Fruit/ffffffffff"), spark)
    with pytest.raises(InvalidInputError, match="NAME/DIGEST"):
        tag(filled.hub, asked(model_id, version="Fruit/%"), spark)


def test_folder_is_tagged_bad_files_are_named_and_what_is_new_later_is_added(
    filled: HubBuilder, spark: SparkSession, tmp_path: Path, capsys
) -> None:
    model_id = filled.model(filled.version("/m/apple", "/m/pear", name="Fruit"))
    place, out = tmp_path / "photos", tmp_path / "tags.csv"
    (place / "shelf").mkdir(parents=True)
    (place / "shelf" / "1.jpg").write_bytes(photograph("one"))
    (place / "2.jpg").write_bytes(photograph("two")[:900])
    (place / "notes.txt").write_text("no picture")
    given = asked(model_id, photos=str(place), out=str(out))

    assert tag(filled.hub, given, spark) == 0

    said = capsys.readouterr().out
    assert "2 files were looked at, 0 had been before" in said
    assert "1 files could not be looked at: 1 truncated." in said
    assert "2.jpg: truncated: " in said
    (place / "3.jpg").write_bytes(photograph("three"))
    assert tag(filled.hub, given, spark) == 0
    assert "1 files were looked at, 2 had been before" in capsys.readouterr().out
    with out.open(encoding="utf-8", newline="") as written:
        rows = {row["path"]: row for row in csv.DictReader(written)}
    assert sorted(rows) == ["2.jpg", "3.jpg", "shelf/1.jpg"]
    assert rows["2.jpg"]["label_1"] == ""
    assert float(rows["3.jpg"]["score_1"]) + float(rows["3.jpg"]["score_2"]) == pytest.approx(1, abs=1e-3)
    assert {rows["3.jpg"]["name_1"], rows["3.jpg"]["name_2"]} == {"Apple", "Pear"}


def test_prefix_of_a_bucket_is_tagged_and_what_is_beside_it_is_not(
    filled: HubBuilder, spark: SparkSession, tmp_path: Path, capsys, swift: SwiftServer
) -> None:
    model_id = filled.model(filled.version("/m/apple", "/m/pear", name="Fruit"))
    bucket, client = swift.new_bucket(), swift.client()
    for key in ("shelf/1.jpg", "shelf/left/2.jpg", "shelf-of-others/3.jpg"):
        client.put_object(Bucket=bucket, Key=key, Body=photograph(key))
    client.put_object(Bucket=bucket, Key="shelf/half.jpg", Body=photograph("half")[:900])
    of_s3 = {name: value for name, value in swift.settings("").items() if name != "store_url"}
    # The hub's own pictures stay in its folder.
    settings = Settings(**filled.hub.settings.model_dump() | of_s3)
    out = tmp_path / "tags.csv"

    assert tag(replace(filled.hub, settings=settings), asked(model_id, photos=f"s3://{bucket}/shelf", out=str(out)), spark) == 0

    assert f"s3://{bucket}/shelf: 3 files were looked at, 0 had been before" in capsys.readouterr().out
    with out.open(encoding="utf-8", newline="") as written:
        found = {row["path"]: row["label_1"] for row in csv.DictReader(written)}
    assert sorted(found) == ["1.jpg", "half.jpg", "left/2.jpg"]
    assert found["half.jpg"] == ""
    assert found["1.jpg"] in {"/m/apple", "/m/pear"}


def test_pictures_that_look_like_nothing_learned_get_no_label_and_are_counted(
    filled: HubBuilder, spark: SparkSession, tmp_path: Path, capsys
) -> None:
    version = filled.version("/m/apple", "/m/pear", name="Fruit")
    # No picture is redder than red: all of the version are none of these.
    model_id = filled.model(version, {"none_of_these": {"threshold": 1.01}})
    assert tag(filled.hub, asked(model_id, version=f"Fruit/{version.digest[:12]}"), spark) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"tag: model {model_id} tagged 0 pictures of Fruit; 0 were passed over."
        f" {version.image_count} look like nothing it learned from, and got no label."
    )
    with filled.hub.engine.connect() as connection:
        written = connection.execute(text("select count(*) from network_labels where model_id = :id"), {"id": model_id})
        assert written.scalar_one() == 0

    model_id = filled.model(version, {"none_of_these": {"threshold": 0.5}})
    place, out = tmp_path / "photos", tmp_path / "tags.csv"
    place.mkdir()
    for name, colour in (("blue", (0, 0, 200)), ("red", (200, 0, 0))):
        (place / f"{name}.jpg").write_bytes(one_colour(*colour))
    assert tag(filled.hub, asked(model_id, photos=str(place), out=str(out)), spark) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "tag: 1 files look like nothing the model learned from, and got no label."
    )
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["path"], row["label_1"] == "", row["is_none_of_these"]) for row in rows] == [
        ("blue.jpg", True, "true"),
        ("red.jpg", False, "false"),
    ]
