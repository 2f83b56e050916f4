"""Reading through the API: lists to their end, filters as the galleries', one of everything, errors, limits, the document."""

import json
import re

import pytest

from deep_images_hub.catalogue.images import gallery
from webapp.api.document import document
from webapp.api.limits import API_LIMIT
from webapp.api.operations import TAGS
from webapp.api.problems import CODES


def listed(client, path: str, noun: str) -> list[dict]:
    """Return all of a list, part by part."""
    found, following = [], path
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        assert (answer.headers.get("Link") is not None) == (answer.json["next"] is not None)
        found += answer.json[noun]
        following = answer.json["next"]
    return found


@pytest.mark.parametrize("sort", ["newest", "oldest", "quality", "size"])
def test_pictures_come_part_by_part_and_each_once(api_as, portal, sort) -> None:
    with portal.hub.engine.connect() as connection:
        newest = [picture.sha256 for picture in gallery(connection, label_id=None, limit=200)]
    found = [picture["sha256"] for picture in listed(api_as(None), f"/pictures?sort={sort}&limit=7", "pictures")]
    assert sorted(found) == sorted(newest)
    if sort in ("newest", "oldest"):
        assert found == (newest if sort == "newest" else newest[::-1])


def test_pictures_are_filtered_by_the_words_of_a_gallerys_address(api_as, visitor, portal) -> None:
    client = api_as(None)
    asked = "licence=cc0&licence=by-sa&min_quality=0.1&own=yes&sort=oldest&from=2020-01-01"
    found = listed(client, f"/pictures?label=/m/hk&{asked}&limit=2", "pictures")
    label = portal.label("/m/hk")
    page = visitor.get(f"/labels/{label.id}?{asked}").text
    assert [picture["sha256"] for picture in found] == re.findall(r'href="/images/([0-9a-f]{64})"', page)
    assert len(found) == 5
    assert client.get("/pictures/counts?label=/m/hk&licence=cc0").json["most"] == 5
    assert client.get("/pictures?at=2031-01&limit=1").json["pictures"] != []
    for wrong in ("sort=best", "min_quality=2", "from=today", "own=maybe", "licence=mine", "label=/m/none", "at=x", "lable=x"):
        answer = client.get(f"/pictures?{wrong}")
        assert answer.status_code == (404 if "label" in wrong else 400), wrong
        assert answer.json["detail"]


def test_labels_are_a_graph_with_counts(api_as) -> None:
    client = api_as(None)
    assert [label["code"] for label in listed(client, "/labels?limit=1", "labels")] == ["/m/food", "/m/empty"]
    under = listed(client, "/labels?under=/m/food&limit=1", "labels")
    assert sorted(label["code"] for label in under) == ["/m/apple", "/m/hk", "/m/script"]
    kitchen = client.get("/labels/by-code?code=/m/hk").json
    assert (kitchen["name"], kitchen["own_images"]) == ("Hell's Kitchen", 10)
    assert [label["code"] for label in kitchen["ancestors"]] == ["/m/food"]
    assert client.get(f"/labels/{kitchen['id']}").json == kitchen
    assert client.get("/labels/search?q=KITCH").json["labels"][0]["code"] == "/m/hk"
    short = listed(client, "/labels/by-count?max_images=10&limit=2", "labels")
    assert [label["subtree_images"] for label in short] == [0, 10, 10, 10]


def test_picture_comes_with_its_verdicts_its_lineage_and_its_files(api_as, portal) -> None:
    client, sha256 = api_as(None), portal.images["/m/apple"][0]
    picture = client.get(f"/pictures/{sha256}").json
    assert (picture["label_code"], picture["licence"], picture["batch_key"]) == ("/m/apple", "cc0", "batch-0")
    assert picture["country_code"] == "DE"
    assert {verdict["check_name"] for verdict in picture["verdicts"]} >= {"bytes", "decode", "blurry"}
    assert [label["said_by"] for label in picture["labels"]] == ["supplier"]
    with client.get(picture["picture_url"]) as image:
        assert (image.mimetype, image.data[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    with client.get(picture["thumbnail_url"], headers={"If-None-Match": f'"{sha256}"'}) as image:
        assert image.status_code == 304


def test_latest_batches_name_no_keys_and_are_on_a_map(api_as) -> None:
    client = api_as(None)
    found = listed(client, "/latest-batches?limit=4", "batches")
    assert len(found) == 6
    assert all("key" not in batch for batch in found)
    assert len(listed(client, "/latest-batches?city=m5v%202t6", "batches")) == 1
    geojson = client.get("/latest-batches.geojson")
    assert geojson.mimetype == "application/geo+json"
    assert [feature["properties"]["label_code"] for feature in geojson.json["features"]] == ["/m/apple"]


def test_own_batch_comes_with_what_became_of_each_photograph(api_as) -> None:
    operator = api_as("operator")
    batch = operator.get("/batches/batch-1").json
    assert (batch["accepted_count"], batch["funnel"]["rejected"]) == (5, {"not_an_image": 1})
    files = listed(operator, "/batches/batch-1/files?limit=4", "files")
    assert [(file["position"], file["status"]) for file in files][-1] == (5, "rejected")
    assert operator.get("/batches/batch-1/report.csv").text.count("\r\n") == 7
    assert len(listed(operator, "/operations/batches?limit=5", "batches")) == 6
    assert operator.get("/operations/funnel").json["submitted"] == 36
    assert listed(operator, "/operations/runs", "runs")


def test_version_comes_with_its_composition_and_is_found_by_its_digest(api_as, portal) -> None:
    client = api_as(None)
    version = client.get(f"/versions/{portal.version_id}").json
    assert sum(sum(label["images"].values()) for label in version["labels"]) == version["image_count"]
    assert version["licences"] == {"by": 15, "cc0": 15}
    assert version["digest"] in version["bibtex"] + version["citation"]
    assert client.get(f"/versions/by-digest?digest={version['digest']}").json == version
    assert portal.version_id in [of["id"] for of in listed(client, "/versions?limit=1", "versions")]
    assert client.get(f"/versions/{portal.version_id}/croissant").json["@type"] == "sc:Dataset"
    pictures = listed(api_as("scientist"), f"/versions/{portal.version_id}/pictures?split=test&limit=6", "pictures")
    assert len(pictures) == version["test_count"]
    assert {picture["split"] for picture in pictures} == {"test"}


def test_model_comes_with_its_report(api_as, portal) -> None:
    client = api_as(None)
    model = client.get(f"/models/{portal.model_id}").json
    assert model["metrics"]["test_top1"] == model["test_top1"]
    assert "0" * 64 not in str(model), "an example on a picture that is hidden"
    assert {label["code"] for label in model["labels"]} == set(model["label_codes"])
    assert model["id"] in [of["id"] for of in listed(client, "/models?limit=1", "models")]
    premium = api_as("premium")
    for file in model["files"]:
        with premium.get(file["url"]) as answer:
            assert answer.headers["ETag"] == f'"{file["sha256"]}"'


@pytest.mark.parametrize(
    "cursor",
    ["x", "W10.AAAA", "", "%00", "MQ.zFQ8vNDJmMsOHgJIqM8IOp7jm_E"],
)
@pytest.mark.parametrize("path", ["/labels", "/pictures", "/versions", "/models", "/latest-batches"])
def test_cursor_that_was_made_up_is_refused(api_as, path, cursor) -> None:
    answer = api_as(None).get(f"{path}?cursor={cursor}")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_input")


def test_cursor_is_good_for_its_own_list_alone(api_as) -> None:
    client = api_as(None)
    cursor = re.search("cursor=(.*)", client.get("/pictures?limit=1").json["next"])[1]
    assert client.get(f"/latest-batches?cursor={cursor}").status_code == 400
    assert client.get(f"/pictures?sort=quality&cursor={cursor}").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/labels/999999", 404, "not_found"),
        ("GET", "/versions/99999999999999999999999", 404, "not_found"),
        ("GET", "/pictures/short", 404, "not_found"),
        ("DELETE", "/labels", 405, "method_not_allowed"),
        ("GET", "/labels?limit=0", 400, "invalid_input"),
        ("GET", "/labels/search", 400, "invalid_input"),
        ("POST", "/recipes/preview", 415, "unsupported_media_type"),
    ],
)
def test_error_is_a_problem_with_a_code(api_as, method, path, status, code) -> None:
    answer = api_as(None).open(method, path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert ("GET" in answer.headers.get("Allow", "")) == (status == 405)
    said = answer.json
    assert (said["code"], said["status"]) == (code, status)
    assert said["type"].endswith(f"/api#{code}")
    assert code in CODES
    assert said["detail"]


def test_answer_says_what_is_left_of_the_limit_of_all_operations_together(api_as) -> None:
    client = api_as("scientist")
    limit = int(API_LIMIT.split()[0])
    first, second = client.get("/hub"), client.get("/labels")
    assert first.headers["RateLimit-Policy"] == f'"default";q={limit};w=60'
    assert [int(re.search(r"r=(\d+)", of.headers["RateLimit"])[1]) for of in (first, second)] == [limit - 1, limit - 2]
    assert "Retry-After" not in first.headers
    assert "r=599" in api_as("premium").get("/hub").headers["RateLimit"]


def test_whoever_asks_too_often_is_told_when_to_come_back(api_as, portal) -> None:
    client = api_as("scientist")
    answers = [client.post("/recipes/preview", {"label_codes": ["/m/apple"]}) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    refused = answers[-1]
    assert refused.json["code"] == "too_many_requests"
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    assert "q=30;w=60" in refused.headers["RateLimit-Policy"]


def test_answer_that_is_known_is_not_sent_again(api_as) -> None:
    client = api_as(None)
    first = client.get("/labels")
    again = client.get("/labels", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert first.headers["Vary"] == "Authorization"


def test_document_says_every_operation_and_all_that_it_refers_to(api_as) -> None:
    answer = api_as(None).get("/openapi.json")
    said = answer.json
    assert said == json.loads(json.dumps(document()))
    assert said["openapi"].startswith("3.1")
    names = [operation["operationId"] for path in said["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names) > 45
    assert {operation["tags"][0] for path in said["paths"].values() for operation in path.values()} == set(TAGS)
    for reference in set(re.findall(r'"\$ref": ?"#/([^"]+)"', answer.text)):
        place = said
        for part in reference.split("/"):
            place = place[part]
    for path, operations in said["paths"].items():
        for operation in operations.values():
            declared = {of["name"] for of in operation["parameters"] if of["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))


def test_page_of_the_api_shows_every_operation_code_and_scope(visitor) -> None:
    html = visitor.get("/api").text
    for path, operations in document()["paths"].items():
        for operation in operations.values():
            assert f'id="{operation["operationId"]}"' in html
        assert f"/api/v1{path}" in html
    assert all(f'id="{code}"' in html for code in CODES)
