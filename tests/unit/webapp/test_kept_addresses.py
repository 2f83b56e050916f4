"""Addresses that are worked out once: never those of another host, another folder, or another value."""

import pytest
from flask import Flask, url_for

from webapp.kept_addresses import address


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/things/<thing>", "things.page", lambda thing: thing)
    return app


@pytest.mark.parametrize(
    "values", [{"thing": 1}, {"thing": True}, {"thing": "1 & 2"}, {"thing": 1, "on": None}, {"thing": 1, "of": ["a", "b"]}]
)
def test_address_is_what_url_for_gives(app: Flask, values: dict[str, object]) -> None:
    with app.test_request_context():
        assert [address("things.page", **values) for _ in range(2)] == [url_for("things.page", **values)] * 2  # type: ignore[arg-type]


def test_address_follows_the_folder_and_the_host_of_a_request(app: Flask) -> None:
    found = []
    for base in ("http://a.example/", "http://b.example/hub/"):
        with app.test_request_context(base_url=base):
            found += [address("things.page", thing=1), address("things.page", thing=1, _external=True)]
    assert found == ["/things/1", "http://a.example/things/1", "/hub/things/1", "http://b.example/hub/things/1"]
