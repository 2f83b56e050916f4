"""The description of a dataset is valid Croissant, is on its page, and what it says of files is true."""

import copy
import hashlib
import json
import logging
import re

import pytest

from tests.builders import PASSWORD
from tests.integration.portal.conftest import send


@pytest.fixture(scope="module")
def described(app, portal) -> dict:
    client = app.test_client()
    send(client, "/sign-in", email=portal.users["scientist"].email, password=PASSWORD)
    # The description has the zip from when its sha256 is known: when somebody had it.
    assert client.get(f"/datasets/{portal.version_id}/download").data
    answer = client.get(f"/datasets/{portal.version_id}/croissant.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/ld+json")
    return json.loads(answer.data)


@pytest.mark.filterwarnings("ignore")
def test_description_is_valid_croissant_and_its_records_load(described, signed_in, portal, tmp_path, caplog, monkeypatch) -> None:
    monkeypatch.setenv("CROISSANT_CACHE", str(tmp_path / "cache"))
    import mlcroissant

    client = signed_in("scientist")
    files = [file for file in described["distribution"] if file["@type"] == "cr:FileObject"]
    for file in files:
        # The library fetches; here it finds what it would have fetched.
        body = client.get(file["contentUrl"].removeprefix("http://localhost")).data
        assert hashlib.sha256(body).hexdigest() == file["sha256"], file["name"]
        assert int(file.get("contentSize", f"{len(body)} B").split()[0]) == len(body)
        (tmp_path / file["name"]).write_bytes(body)
    mapping = {file["@id"]: str(tmp_path / file["name"]) for file in files}

    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(copy.deepcopy(described), mapping=mapping)

    assert dataset.metadata.ctx.issues.errors == set()
    assert caplog.text == ""
    assert str(dataset.metadata.version) == "1.0.0"
    records = list(dataset.records("pictures"))
    assert {record["pictures/sha256"].decode() for record in records} == {
        sha256 for images in portal.images.values() for sha256 in images
    }
    assert {record["pictures/split"].decode() for record in records} == {"train", "test"}
    labels = {record["labels/label_code"].decode(): record["labels/class_index"] for record in dataset.records("labels")}
    assert all(labels[record["pictures/label_code"].decode()] == record["pictures/class_index"] for record in records)
    images = {record["images/sha256"].decode(): record["images/image"] for record in dataset.records("images")}
    assert images.keys() == {record["pictures/sha256"].decode() for record in records}
    assert all(image.size[0] > 0 for image in images.values())
    assert [record["splits/name"] for record in dataset.records("splits")] == ["train", "test"]


def test_description_says_what_the_ledger_knows(described, portal) -> None:
    assert described["isLiveDataset"] is False
    assert described["license"] == [
        "https://creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org/publicdomain/zero/1.0/",
    ]
    assert described["citeAs"].startswith("@misc{deepimageshub-")
    assert "in 6 batches" in described["rai:dataCollection"]
    assert "5 of 30 photographs have a city" in described["rai:personalSensitiveInformation"][0]
    assert described["rai:dataCollectionTimeframe"] == ["2026-02-25", "2026-03-01"]


def test_description_is_on_the_page_and_hostile_names_end_nothing(visitor, described, portal) -> None:
    page = visitor.get(f"/datasets/{portal.version_id}").text
    embedded = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(embedded) == described
    assert described["name"] == "All <i>food</i>"
    assert "<" not in embedded
    assert "<script>alert('label')</script>" in described["keywords"]
