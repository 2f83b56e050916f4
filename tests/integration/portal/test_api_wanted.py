"""Demand through the API: the same as on the pages, for programs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text


@pytest.fixture(autouse=True)
def _nothing_stays(portal) -> Iterator[None]:
    yield
    with portal.hub.engine.begin() as connection:
        for table in ("notices", "demand_votes", "demands", "watches", "label_proposals"):
            connection.execute(text(f"delete from {table}"))


def test_program_asks_votes_watches_and_takes_back(api_as, portal) -> None:
    scientist, premium, anybody = api_as("scientist"), api_as("premium"), api_as(None)
    asked = scientist.post("/demands", json={"label": "Apple", "target_images": 400, "note": "<b>", "place": "Toronto"})
    assert (asked.status_code, asked.json["outcome"]) == (201, "new")
    again = premium.post("/demands", json={"label": "/m/apple", "target_images": 300, "place": "Toronto, CA"})
    assert (again.status_code, again.json) == (200, {"id": asked.json["id"], "outcome": "voted"})
    scientist.post("/demands", json={"label": "Food", "target_images": 900})

    (first, second) = anybody.get("/demands?order=missing").json["demands"]
    assert (first["label_name"], first["have_images"], second["city"]) == ("Food", 30, "Toronto")
    (near,) = premium.get("/demands?near=Hamilton,+CA&km=200").json["demands"]
    assert 50 < near["distance_km"] < 80
    assert near["has_voted"]
    part = anybody.get("/demands?limit=1").json
    assert [one["id"] for one in part["demands"] + anybody.get(part["next"]).json["demands"]] == [second["id"], first["id"]]
    assert anybody.get("/demands?label=/m/apple").json["demands"] == [second]
    assert anybody.get("/demands?near=Toronto&km=33").status_code == 400

    vote = f"/demands/{first['id']}/vote"
    assert [premium.post(vote).json["outcome"] for _ in range(2)] == ["voted", "unchanged"]
    assert premium.post(f"/demands/{first['id']}/withdraw").json["code"] == "forbidden"
    assert scientist.post(f"/demands/{first['id']}/withdraw").json["outcome"] == "passed on"
    assert premium.post(f"/demands/{first['id']}/withdraw").json["outcome"] == "withdrawn"
    assert premium.post(vote).status_code == 409
    assert premium.post(f"/demands/{second['id']}/take-vote-back").json["outcome"] == "taken back"
    assert [one["status"] for one in premium.get("/demands/mine").json["demands"]] == ["withdrawn"]

    label_id = portal.label("/m/apple").id
    assert premium.post(f"/labels/{label_id}/watch").json == {"label_id": label_id, "is_watched": True}
    assert premium.get("/demands").json["demands"][0]["is_watched"]
    assert not premium.post(f"/labels/{label_id}/stop-watching").json["is_watched"]


def test_program_proposes_labels_and_operators_answer(api_as) -> None:
    scientist, operator = api_as("scientist"), api_as("operator")
    for name in ("Cherimoya", "Pomme rouge", "Nonsense"):
        assert scientist.post("/label-proposals", json={"name": name, "parent": "Food", "target_images": 60}).status_code == 201
    assert scientist.post("/label-proposals", json={"name": "nonsense"}).json == {"is_new": False}
    first = operator.get("/label-proposals?limit=2").json
    fruit, apple, nonsense = first["proposals"] + operator.get(first["next"]).json["proposals"]
    assert (fruit["name"], fruit["parent_code"]) == ("Cherimoya", "/m/food")
    accept = operator.post(f"/label-proposals/{fruit['id']}/accept", json={"name": "Cherimoya", "parent": "Food"})
    assert accept.json["status"] == "accepted"
    assert operator.post(f"/label-proposals/{apple['id']}/merge", json={"label": "Apple"}).json["status"] == "merged"
    assert operator.post(f"/label-proposals/{nonsense['id']}/refuse", json={"reason": "It is none."}).status_code == 200
    assert operator.post(f"/label-proposals/{nonsense['id']}/refuse", json={"reason": "It is none."}).status_code == 409
    assert {one["label_name"] for one in scientist.get("/demands/mine").json["demands"]} == {"Cherimoya", "Apple"}
