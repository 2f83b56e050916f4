"""Reviews and reports through the API, on a hub of their own: what operators decide changes what others see."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions
from tests.builders import photographs
from tests.integration.portal.conftest import PortalHub
from webapp import create_app


@pytest.fixture(scope="module")
def portal(hub_of) -> Iterator[PortalHub]:
    with hub_of() as hub:
        filled = PortalHub(hub)
        filled.labels({"/m/food": "Food", "/m/apple": "Apple", "/m/pear": "Pear"}, under={"/m/apple": "/m/food"})
        filled.images = {"/m/apple": filled.batch("doubted", "/m/apple", photographs(6, seed="doubted"))}
        filled.version_id = filled.version("/m/apple").id
        with hub.engine.begin() as connection:
            ids = list(connection.execute(text("select id from submissions order by position limit 4")).scalars())
            changes = [DecisionChange(submission_id, "review", "label_agreement") for submission_id in ids]
            change_decisions(connection, changes=changes, cause="network")
        yield filled


@pytest.fixture(scope="module")
def app(portal: PortalHub) -> Flask:
    return create_app(hub=portal.hub)


def test_pictures_in_review_are_decided_once_and_taken_back(api_as) -> None:
    client = api_as("operator")
    first = client.get("/reviews?limit=1").json
    assert first["pictures"][0]["reason"] == "label_agreement"
    ids = [first["pictures"][0]["submission_id"]]
    ids += [picture["submission_id"] for picture in client.get(first["next"].replace("limit=1", "limit=9")).json["pictures"]]
    assert len(ids) == 4
    accepted = client.post(f"/reviews/{ids[0]}/accept").json
    assert (accepted["status"], accepted["in_review"]) == ("accepted", 3)
    late = client.post(f"/reviews/{ids[0]}/reject", {"reason": "blurry"})
    assert (late.status_code, late.json["code"]) == (409, "conflict")
    assert client.post(f"/reviews/{ids[1]}/relabel", {"label": "pear"}).json["status"] == "accepted"
    assert client.post(f"/reviews/{ids[2]}/reject", {"reason": "ugly"}).status_code == 400
    rejected = client.post(f"/reviews/{ids[2]}/reject", {"reason": "blurry"}).json
    assert (rejected["status"], rejected["reason"], rejected["in_review"]) == ("rejected", "blurry", 1)
    assert client.post(f"/decisions/{rejected['change_id']}/undo").json == {"submission_id": ids[2]}
    assert len(client.get("/reviews?label=/m/apple").json["pictures"]) == 2
    assert client.get("/labels/by-code?code=/m/pear").json["own_images"] == 1


def test_reported_pictures_are_kept_doubted_or_taken_down(api_as, portal) -> None:
    somebody, operator = api_as("supplier"), api_as("operator")
    kept, removed = portal.images["/m/apple"][4:]
    for sha256 in (kept, removed):
        assert somebody.post(f"/pictures/{sha256}/reports", {"reason": "rights", "note": "It is mine."}).status_code == 201
    again = somebody.post(f"/pictures/{kept}/reports", {"reason": "other"})
    assert (again.status_code, again.json["is_new"]) == (200, False)
    assert somebody.post(f"/pictures/{kept}/reports", {"reason": "boring"}).status_code == 400
    listed = operator.get("/reports?limit=1").json
    assert listed["pictures"][0]["reports"][0]["note"] == "It is mine."
    assert operator.get(listed["next"]).json["next"] is None
    assert operator.post(f"/reports/{kept}/keep").json["outcome"] == "kept"
    assert operator.post(f"/reports/{kept}/keep").json["code"] == "conflict"
    somebody.post(f"/pictures/{kept}/reports", {"reason": "wrong_label"})
    assert operator.post(f"/reports/{kept}/doubt").json["outcome"] == "review"
    taken = operator.post(f"/reports/{removed}/take-down").json
    assert taken["outcome"] == "taken_down"
    (patch,) = taken["patched_versions"]
    assert operator.get(f"/pictures/{removed}").status_code == 200
    assert somebody.get(f"/pictures/{removed}").status_code == 404
    before = somebody.get(f"/versions/{portal.version_id}").json
    assert (before["patched_by"], before["taken_down"]) == (patch, [removed])
    scientist = api_as("scientist")
    pictures = scientist.get(f"/versions/{portal.version_id}/pictures").json
    assert removed not in [picture["sha256"] for picture in pictures["pictures"]]
    assert pictures["digest"] == somebody.get(f"/versions/{patch}").json["digest"]
    changes = somebody.get(f"/versions/{patch}/changes?since={portal.version_id}&kind=removed").json
    assert (changes["removed"], changes["hidden"], changes["pictures"]) == (1, 1, [])
