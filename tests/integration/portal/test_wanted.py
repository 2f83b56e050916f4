"""What is wanted, as people see it: who may do what with it, what stays of hostile words, and one click from a model's page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from deep_images_hub.catalogue.labels import label_by_code
from tests.integration.portal.conftest import send

HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture(autouse=True)
def _nothing_stays(portal) -> Iterator[None]:
    yield
    with portal.hub.engine.begin() as connection:
        for table in ("notices", "demand_votes", "demands", "watches", "label_proposals"):
            connection.execute(text(f"delete from {table}"))


@pytest.fixture(scope="module")
def kept() -> dict[str, FlaskClient]:
    return {}


@pytest.fixture
def signed_in(kept: dict[str, FlaskClient], signed_in: Callable[[str], FlaskClient]) -> Callable[[str], FlaskClient]:
    """Give a client that signed in once for all tests of this module: hashing passwords is dear."""

    def sign_in(role: str) -> FlaskClient:
        if role not in kept:
            kept[role] = signed_in(role)
        return kept[role]

    return sign_in


def ask(client, label: str = "/m/apple", target: object = 500, **fields: object):
    return send(client, "/wanted", label=label, target=target, **fields)


def demand_ids(portal) -> list[int]:
    with portal.hub.engine.connect() as connection:
        return list(connection.execute(text("select id from demands order by id")).scalars())


def column(portal, statement: str) -> list[object]:
    with portal.hub.engine.connect() as connection:
        return list(connection.execute(text(statement)).scalars())


def test_what_somebody_asks_for_is_everywhere_where_people_look(portal, signed_in, visitor) -> None:
    scientist = signed_in("scientist")
    assert ask(scientist, "Apple", note=HOSTILE, next="/wanted").location == "/wanted"
    label_id = portal.label("/m/apple").id
    for address in ("/wanted", "/", f"/labels/{label_id}"):
        page = visitor.get(address).text
        assert "<strong>10</strong> of 500" in page, address
        assert "490 missing" in page
        assert HOSTILE not in page
    listed = visitor.get("/wanted").text
    assert "&lt;script&gt;alert(1)" in listed
    assert listed.count("/thumbnail.jpg") == 4
    assert "Sign in to ask" in listed
    assert "example.org" not in listed
    assert "Take it back" in scientist.get("/wanted").text
    assert "/send?label=/m/apple" in listed.replace("%2F", "/")


def test_others_vote_and_take_it_back_and_only_the_asker_withdraws(portal, signed_in) -> None:
    scientist, premium = signed_in("scientist"), signed_in("premium")
    ask(scientist)
    (demand,) = demand_ids(portal)
    for _ in range(2):
        assert send(premium, f"/wanted/{demand}/vote").status_code == 302
    assert column(portal, "select vote_count from demands") == [1]
    assert 'aria-pressed="true"' in premium.get("/wanted").text
    answer = send(premium, f"/wanted/{demand}/withdraw")
    assert answer.status_code == 403
    assert "Only they can take it back" in answer.text
    send(premium, f"/wanted/{demand}/take-vote-back")
    assert column(portal, "select vote_count from demands") == [0]
    send(scientist, f"/wanted/{demand}/withdraw")
    assert send(premium, f"/wanted/{demand}/vote").status_code == 409
    assert "taken back" in scientist.get("/wanted/mine").text
    assert "taken back" not in premium.get("/wanted/mine").text
    assert send(premium, "/wanted/999999/vote").status_code == 404


def test_operator_closes_what_should_not_be_asked(portal, signed_in) -> None:
    ask(signed_in("scientist"), note="rude")
    assert send(signed_in("operator"), f"/wanted/{demand_ids(portal)[0]}/withdraw").status_code == 302
    assert column(portal, "select status from demands") == ["withdrawn"]


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"label": "Apple", "target": "10"}, 409, "10 pictures of Apple are here already"),
        ({"label": "Apple", "target": "lots"}, 400, "no number of pictures"),
        ({"label": "Apple", "target": "500", "note": "x" * 501}, 400, "at most 500 are taken"),
        ({"label": "Apple", "target": "500", "place": "Nowhere at all"}, 400, "No place is known as"),
        ({"label": "", "target": "500"}, 400, "Say first of what"),
        ({"label": f"Dragonfruit{HOSTILE}", "target": "500"}, 404, "Propose it as a new label"),
    ],
)
def test_asking_that_cannot_be_says_why_and_keeps_what_was_typed(portal, signed_in, fields, status, words) -> None:
    answer = send(signed_in("scientist"), "/wanted", **fields)
    assert answer.status_code == status
    assert words in answer.text
    assert HOSTILE not in answer.text
    if fields["label"] == "Apple":
        assert 'value="Apple"' in answer.text
    assert demand_ids(portal) == []


def test_demand_near_a_place_is_found_from_there_and_told_to_suppliers_of_there(portal, signed_in, visitor) -> None:
    ask(signed_in("scientist"), "Hell's Kitchen", 50, place="Toronto")
    ask(signed_in("scientist"), "Apple", 600)
    near = visitor.get("/wanted?near=Hamilton,+CA&km=200").text
    assert "km away" in near
    assert "Kitchen" in near
    assert "600" not in near
    far = visitor.get("/wanted?near=Berlin&km=50").text
    assert "Nothing is wanted of around there" in far
    assert "No place is known as" in visitor.get("/wanted?near=Nowhere+at+all").text
    assert visitor.get("/wanted?near=Toronto&km=7").status_code == 200
    with portal.hub.engine.begin() as connection:
        connection.execute(
            text(
                "update batches set supplier_id = :id, place_id = (select place_id from demands where place_id is not null)"
                " where key = 'batch-5'"
            ),
            {"id": portal.users["supplier"].id},
        )
    page = signed_in("supplier").get("/batches").text
    assert "Wanted near Toronto" in page
    assert "Kitchen" in page


@pytest.mark.parametrize("address", ["?order=x", "?after=1", "?after=a-b", "?after=-", "?after=1-2-3", f"?order={'x' * 999}"])
def test_address_that_cannot_be_is_refused(visitor, address) -> None:
    assert visitor.get(f"/wanted{address}").status_code == 400


def test_place_beyond_every_number_is_one_in_the_list(portal, signed_in, visitor) -> None:
    ask(signed_in("scientist"))
    for after in (f"{'9' * 18}-1", f"1-{'9' * 18}"):
        assert "of 500" in visitor.get(f"/wanted?after={after}").text


def test_list_goes_on_page_by_page(portal, signed_in, visitor, monkeypatch) -> None:
    monkeypatch.setattr("webapp.wanted.DEMANDS_PAGE", 2)
    for target in (100, 200, 300):
        ask(signed_in("scientist"), target=target)
    first = visitor.get("/wanted?order=missing").text
    assert [int(of) for of in re.findall(r"</strong> of (\d+)", first)] == [300, 200]
    more = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert more is not None
    assert [int(of) for of in re.findall(r"</strong> of (\d+)", visitor.get(more[1].replace("&amp;", "&")).text)] == [100]


def test_watching_is_switched_on_the_labels_page(portal, signed_in) -> None:
    premium = signed_in("premium")
    page = f"/labels/{portal.label('/m/apple').id}"
    assert send(premium, "/wanted/watch", label="/m/apple", next=page).location == page
    assert "Watching" in premium.get(page).text
    assert "Apple" in premium.get("/wanted/mine").text
    send(premium, "/wanted/stop-watching", label="/m/apple", next="//evil.example")
    assert column(portal, "select count(*) from watches") == [0]
    assert send(premium, "/wanted/watch", label="/m/none").status_code == 404


def test_model_page_asks_for_what_its_labels_need_with_one_click(portal, signed_in, visitor) -> None:
    page = visitor.get(f"/models/{portal.model_id}").text
    assert "Sign in to ask the crowd" in page
    scientist = signed_in("scientist")
    page = scientist.get(f"/models/{portal.model_id}").text
    goal = re.search(r'name="goal" value="([^"]+)"', page)
    codes = re.findall(r'name="label_code" value="([^"]+)"', page)
    assert goal is not None
    assert codes
    answer = send(scientist, f"/models/{portal.model_id}/demand", goal=goal[1], label_code=codes[0])
    assert answer.status_code == 302
    assert len(demand_ids(portal)) == 1
    send(scientist, f"/models/{portal.model_id}/demand", goal=goal[1])
    assert column(portal, "select count(*) from demands where target_images > 10 and vote_count = 0") == [len(codes)]
    assert "Somewhere" not in scientist.get("/wanted").text
    send(scientist, f"/models/{portal.model_id}/demand", goal="0.123")
    assert "nothing was measured" in scientist.get("/wanted").text


def test_dataset_that_is_too_short_to_train_asks_for_what_it_lacks_with_one_click(portal, signed_in) -> None:
    version = portal.version("/m/food", name="One of each", max_per_label=1)
    scientist = signed_in("scientist")
    page = f"/datasets/{version.id}"
    assert "too few: " in scientist.get(page).text
    assert "Ask the crowd for their pictures" in scientist.get(page).text
    assert send(scientist, f"{page}/demand").location == page
    assert "Pictures of 3 labels are wanted now" in scientist.get(page).text
    assert column(portal, "select target_images from demands") == [100] * 3


def test_proposed_label_is_answered_by_an_operator_alone(portal, signed_in) -> None:
    scientist, operator = signed_in("scientist"), signed_in("operator")
    send(scientist, "/wanted/new-label", name=f"Dragon {HOSTILE}", parent="Food", target="40", note=HOSTILE)
    answer = send(scientist, "/wanted/new-label", name="Thing", parent="No such label")
    assert answer.status_code == 404
    assert 'value="Thing"' in answer.text
    (proposal,) = column(portal, "select id from label_proposals")
    assert "waits for an operator" in scientist.get("/wanted/mine").text
    page = operator.get("/wanted/proposals").text
    assert HOSTILE not in page
    assert "They would put it under Food" in page
    assert 'Proposed <span class="numeric">1' in operator.get("/review").text

    assert send(scientist, f"/wanted/proposals/{proposal}/accept", name="Dragon fruit", parent="Food").status_code == 403
    answer = send(operator, f"/wanted/proposals/{proposal}/accept", name="Dragon fruit", parent="Nothing at all")
    assert answer.status_code == 404
    assert send(operator, f"/wanted/proposals/{proposal}/refuse", reason=" ").status_code == 400
    assert send(operator, f"/wanted/proposals/{proposal}/accept", name="Dragon fruit", parent="food").status_code == 302
    assert send(operator, f"/wanted/proposals/{proposal}/refuse", reason="Too late").status_code == 409
    with portal.hub.engine.connect() as connection:
        label = label_by_code(connection, "Dragon fruit")
    assert "40 pictures wanted" in scientist.get(f"/labels/{label.id}").text
    assert "Dragon fruit" in scientist.get("/wanted/mine").text


def test_operator_recognises_or_refuses_what_is_proposed(portal, signed_in) -> None:
    scientist, operator = signed_in("scientist"), signed_in("operator")
    for name in ("Pomme", "Nonsense"):
        send(scientist, "/wanted/new-label", name=name)
    same, nonsense = column(portal, "select id from label_proposals order by id")
    send(operator, f"/wanted/proposals/{same}/merge", label="Apple")
    send(operator, f"/wanted/proposals/{nonsense}/refuse", reason="Nobody can photograph it.")
    page = scientist.get("/wanted/mine").text
    assert "here already" in page
    assert "Nobody can photograph it." in page
    assert "Apple" in scientist.get("/labels?q=pomme").text


def test_nobody_asks_too_often(signed_in) -> None:
    scientist = signed_in("scientist")
    statuses = [send(scientist, "/wanted/watch", label="/m/apple").status_code for _ in range(31)]
    assert statuses == [302] * 30 + [429]
