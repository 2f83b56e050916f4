import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from deep_images_hub.landing.download import Download, NotFetched
from deep_images_hub.landing.fetching import Patience, fetch
from tests.integration.landing.web_server import Web, serving

BODY = b"a photograph" * 1000
PATIENCE = Patience(silence_s=30.0, tries=3, first_pause_s=1.0, longest_pause_s=30.0)


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as web:
        web.files["/1.jpg"] = BODY
        yield web


def fetched(
    url: str,
    size_bytes: int | None = None,
    md5: str | None = None,
    max_bytes: int = 1 << 20,
    patience: Patience = PATIENCE,
    only_public: bool = False,
) -> tuple[object, list[float]]:
    """Return what was fetched, and the pauses that were made."""
    pauses: list[float] = []
    download = Download("1", url, "apple", "by", None, size_bytes, md5)
    found = fetch(
        download, max_bytes=max_bytes, user_agent="tests", patience=patience, only_public=only_public, sleep=pauses.append
    )
    return found, pauses


def status(found: object) -> str:
    assert isinstance(found, NotFetched)
    return found.status


def test_photograph_is_fetched_and_held_against_the_list(web: Web) -> None:
    md5 = hashlib.md5(BODY).hexdigest()
    assert fetched(f"{web.url}/1.jpg", len(BODY), md5) == (BODY, [])
    assert fetched(f"{web.url}/1.jpg") == (BODY, [])
    for said in ({"size_bytes": 1}, {"md5": "0" * 32}, {"max_bytes": 100}):
        found, pauses = fetched(f"{web.url}/1.jpg", **said)  # type: ignore[arg-type]
        assert (status(found), pauses) == ("differs", [])


@pytest.mark.parametrize("fault", [500, 503, 429, "reset", "cut"])
def test_fault_from_outside_is_tried_again_with_growing_pauses(web: Web, fault: int | str) -> None:
    web.faults["/1.jpg"] = (fault, 2)
    found, pauses = fetched(f"{web.url}/1.jpg", len(BODY))
    assert found == BODY
    first, second = pauses
    assert 0.5 <= first <= 1.5
    assert 1.0 <= second <= 3.0

    web.faults["/1.jpg"] = (fault, 99)
    found, pauses = fetched(f"{web.url}/1.jpg", len(BODY))
    assert (status(found), len(pauses)) == ("waiting", 2)


def test_server_that_says_nothing_is_not_waited_for(web: Web) -> None:
    web.faults["/1.jpg"] = ("silence", 99)
    found, pauses = fetched(f"{web.url}/1.jpg", patience=replace(PATIENCE, silence_s=0.1))
    assert (status(found), len(pauses)) == ("waiting", 2)


def test_answer_that_takes_too_long_is_given_up(web: Web) -> None:
    found, pauses = fetched(f"{web.url}/1.jpg", patience=replace(PATIENCE, total_s=0.0))
    assert (status(found), len(pauses)) == ("waiting", 2)


def test_answer_that_never_ends_behind_its_body_is_given_up(web: Web) -> None:
    web.faults["/1.jpg"] = ("trailers", 99)
    found, pauses = fetched(f"{web.url}/1.jpg", patience=replace(PATIENCE, total_s=0.2))
    assert (status(found), len(pauses)) == ("waiting", 2)


def test_redirect_whose_body_never_ends_is_followed(web: Web) -> None:
    web.faults["/1.jpg"] = ("flood", 1)
    assert fetched(f"{web.url}/1.jpg", len(BODY)) == (BODY, [])


def test_this_machine_is_asked_for_nothing(web: Web) -> None:
    found, pauses = fetched(f"{web.url}/1.jpg", only_public=True)
    assert isinstance(found, NotFetched)
    assert found == NotFetched("waiting", "'127.0.0.1' leads to 127.0.0.1, which is no address of the public web")
    assert (pauses, web.asked) == ([], {})


@pytest.mark.parametrize("gone", [404, 410])
def test_what_is_gone_is_not_asked_for_again(web: Web, gone: int) -> None:
    web.faults["/1.jpg"] = (gone, 99)
    found, pauses = fetched(f"{web.url}/1.jpg")
    assert (status(found), pauses, web.asked["/1.jpg"]) == ("gone", [], 1)


def test_what_is_forbidden_is_left_for_another_day(web: Web) -> None:
    web.faults["/1.jpg"] = (403, 99)
    found, pauses = fetched(f"{web.url}/1.jpg")
    assert (status(found), pauses, web.asked["/1.jpg"]) == ("waiting", [], 1)


def test_server_that_sends_on_to_a_file_of_this_machine_gets_nothing(web: Web) -> None:
    web.faults["/1.jpg"] = ("file", 99)
    assert status(fetched(f"{web.url}/1.jpg")[0]) == "waiting"
    for url in ("file:///etc/passwd", "ftp://127.0.0.1/1", "http://[", "nonsense"):
        assert status(fetched(url)[0]) == "waiting"
