"""Changing things through the API: freezing, exports, training, predictions; and bodies that mean harm."""

import hashlib
import io

import pytest

from tests.builders import one_colour, photograph

RECIPE = {"label_codes": ["/m/food"], "max_per_label": 4, "seed": 7, "fractions": {"train": 0.5, "validation": 0, "test": 0.5}}


def test_recipe_gives_what_its_preview_said_and_the_same_version_every_time(api_as) -> None:
    client = api_as("scientist")
    preview = api_as(None).post("/recipes/preview", RECIPE).json
    first = client.post("/versions", {"name": "Few", "recipe": RECIPE})
    again = client.post("/versions", {"name": "Another name", "recipe": {**RECIPE, "with_descendants": True}})
    assert (first.status_code, again.status_code) == (201, 200)
    version = first.json
    assert again.json == version
    assert (preview["image_count"], preview["size_bytes"]) == (version["image_count"], version["size_bytes"])
    assert preview["recipe_digest"] == version["recipe_digest"]
    by_split = {split: sum(of["images"].get(split, 0) for of in preview["labels"]) for split in ("train", "test")}
    assert by_split == {"train": version["train_count"], "test": version["test_count"]}


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({}, "names no label"),
        ({"label_codes": ["/m/aple"]}, "nearest is '/m/apple'"),
        ({"labels": ["/m/apple"]}, "did you mean 'label_codes'"),
        ({"label_codes": "/m/apple"}, "valid array"),
        ({"label_codes": ["/m/apple"], "seed": "1"}, "valid integer"),
        ({"label_codes": ["/m/apple"], "min_quality": 1e308}, "min_quality"),
        ({"label_codes": ["/m/apple"], "licences": ["mine"]}, "is not a licence"),
        ({"label_codes": ["/m/apple"], "pictures": ["x"]}, "is not a picture"),
        ({"label_codes": ["/m/apple"], "fractions": {"train": 0, "validation": 0.5, "test": 0.5}}, "split `train` is 0"),
        ({"label_codes": ["/m/ap\0ple"]}, "NUL character"),
        ({"label_codes": ["/m/empty"]}, None),
    ],
)
def test_recipe_that_cannot_be_is_refused_and_said_why(api_as, recipe, words) -> None:
    answer = api_as(None).post("/recipes/preview", recipe)
    if words is None:
        assert answer.json["image_count"] == 0
        answer, words = api_as("scientist").post("/versions", {"name": "None", "recipe": recipe}), "No picture fits"
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_input")
    assert words in answer.json["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"label_codes": ["\\ud800"]}',
        b"\xff\xfe",
        b'{"seed": NaN, "label_codes": ["/m/apple"]}',
        b"[" * 100_000,
        b'{"label_codes": ["/m/apple"], "seed": 1' + b"0" * 5_000 + b"}",
        b'{"label_codes": [' + b'"\\u0000",' * 3 + b"1]}",
    ],
    ids=range(10),
)
def test_body_that_is_no_request_is_refused(api_as, body) -> None:
    answer = api_as(None).open(
        "POST", "http://localhost/api/v1/recipes/preview", headers={"Content-Type": "application/json"}, data=body
    )
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_input")


def test_export_is_listed_and_its_files_go_on_where_they_were_broken_off(api_as, portal) -> None:
    client = api_as("scientist")
    manifest = client.get(f"/versions/{portal.version_id}/exports/webdataset?split=train&first=6").json
    assert manifest["part"] == {"split": "train", "first": "6"}
    file = manifest["files"][0]
    whole = client.get(file["url"])
    assert len(whole.data) == file["size_bytes"]
    rest = client.get(file["url"], headers={"Range": "bytes=100-", "If-Range": whole.headers["ETag"]})
    assert (rest.status_code, rest.data) == (206, whole.data[100:])
    known = client.get(f"/versions/{portal.version_id}/exports/webdataset?split=train&first=6").json["files"][0]
    assert known["sha256"] == hashlib.sha256(whole.data).hexdigest()
    stale = client.get(file["url"].replace("etag=", "etag=0"))
    assert (stale.status_code, stale.json["code"]) == (409, "conflict")
    beyond = client.get(file["url"], headers={"Range": "bytes=999999999-"})
    assert beyond.status_code == 416
    assert client.get(f"/versions/{portal.version_id}/exports/rar").json["code"] == "not_found"
    assert client.get(f"/versions/{portal.version_id}/exports/csv?split=dev").json["code"] == "invalid_input"
    assert client.get(f"/versions/{portal.version_id}/exports/csv/labels.csv?label=/m/hk").mimetype == "text/csv"


def test_training_is_asked_for_followed_and_cancelled(api_as, portal) -> None:
    client = api_as("premium")
    asked = client.post(f"/versions/{portal.version_id}/runs", {"backbone": "compact_vgg"})
    assert (asked.status_code, asked.json["status"]) == (201, "queued")
    run_id = asked.json["id"]
    followed = client.get(f"/runs/{run_id}").json
    assert (followed["has_ended"], followed["losses"]) == (False, {"loss": [], "validation_loss": []})
    assert run_id in [run["id"] for run in client.get("/runs").json["runs"]]
    assert client.post(f"/runs/{run_id}/cancel").json["status"] == "cancelled"
    again = client.post(f"/runs/{run_id}/cancel")
    assert (again.status_code, again.json["code"]) == (409, "conflict")
    refused = client.post(f"/versions/{portal.version_id}/runs", {"backbone": "gpt"})
    assert "is not trained here" in refused.json["detail"]


def test_model_answers_on_a_picture_as_a_body_and_in_a_form(api_as, portal) -> None:
    client, path = api_as("premium"), f"/models/{portal.model_id}/predictions"
    picture = photograph("try")
    raw = client.post(path, data=picture, headers={"Content-Type": "image/jpeg"}).json["answers"]
    form = client.post(path, data={"picture": (io.BytesIO(picture), "a.jpg")}, content_type="multipart/form-data")
    assert raw == form.json["answers"]
    assert sum(answer["score"] for answer in raw) == pytest.approx(1, abs=1e-4)
    far, near = (
        client.post(path, data=one_colour(*colour), headers={"Content-Type": "image/jpeg"}).json
        for colour in ((0, 0, 200), (200, 0, 0))
    )
    assert (far["is_none_of_these"], near["is_none_of_these"]) == (True, False)
    assert far["nearest_known"] < far["nearest_known_threshold"] < near["nearest_known"]
    assert len(far["answers"]) == 3
    for body in (b"", b"<html>"):
        refused = client.post(path, data=body, headers={"Content-Type": "image/jpeg"})
        assert (refused.status_code, refused.json["code"]) == (400, "invalid_input")
    too_large = client.post(path, data=b"x" * (portal.hub.settings.max_upload_bytes + 1))
    assert (too_large.status_code, too_large.json["code"]) == (413, "request_entity_too_large")
