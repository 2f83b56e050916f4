"""One hub with a few real pictures for all tests of the portal, and clients that are signed in to it."""

import re
import secrets
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from deep_images_hub.api_tokens import scopes_of_role
from deep_images_hub.catalogue.api_tokens import create_token
from deep_images_hub.catalogue.users import User, create_user
from deep_images_hub.datasets.recipe import SplitFractions
from deep_images_hub.wiring import Hub
from models.evaluate import HeldOut, Label, judge, judge_scores
from models.learning_curve import learning_curve
from tests.builders import PASSWORD, HubBuilder, photographs
from tests.integration.portal.joining import Letters
from webapp import create_app
from webapp.security import limiter
from webapp.services import Services

if TYPE_CHECKING:
    from tests.integration.portal.keeping import KeepingHub

HALVES = SplitFractions(0.5, 0.0, 0.5)


class PortalHub(HubBuilder):
    """The hub under test: labels with awkward names, batches, accounts of every role, a dataset and its model."""

    version_id: int
    model_id: int
    images: dict[str, list[str]]

    def fill(self) -> "PortalHub":
        self.labels(
            {
                "/m/food": "Food",
                "/m/apple": "Apple",
                "/m/hk": "Hell's Kitchen",
                "/m/script": "<script>alert('label')</script>",
                "/m/empty": "Nothing yet",
            },
            under={"/m/apple": "/m/food", "/m/hk": "/m/food", "/m/script": "/m/food"},
        )
        self.images = {}
        for number, code in enumerate(["/m/apple", "/m/apple", "/m/hk", "/m/hk", "/m/script", "/m/script"]):
            self.images.setdefault(code, []).extend(
                self.batch(
                    f"batch-{number}",
                    code,
                    [*photographs(5, seed=f"{code} {number}"), b"<html>no picture</html>"],
                    supplier="Ada <b>Nowak</b>",
                    city="M5V 2T6" if number == 0 else None,
                    licence="by" if number % 2 else "cc0",
                    attribution='"><img src=x onerror=alert(1)>' if number == 3 else None,
                    hours=number,
                )
            )
        for role in ("supplier", "scientist", "premium", "operator"):
            self.user(role)
        version = self.version("/m/food", name="All <i>food</i>", fractions=HALVES)
        self.version_id = version.id
        truth = np.repeat([0, 1, 2], 5)
        said = np.array([0, 0, 0, 1, 2, 1, 1, 1, 1, 1, 2, 2, 2, 0, 0])
        names = [("/m/apple", "Apple"), ("/m/hk", "Hell's Kitchen"), ("/m/script", "<script>alert('label')</script>")]
        scores = 0.8 * np.eye(3)[said] + 0.2 / 3
        metrics = judge(scores, HeldOut(truth, truth, np.eye(3, dtype=bool)), [5, 5, 5], [Label(*name) for name in names])
        metrics["calibration"] = judge_scores(scores, truth, None)
        many = np.tile(truth, 4)
        features = (np.eye(3)[many] + np.random.default_rng(0).normal(0, 0.6, (60, 3))).astype(np.float32)
        test = features[::-1], many[::-1]
        metrics["learning_curve"] = learning_curve((features, many), test, [20, 20, 20], groups=np.arange(60), seed=0)
        apple, kitchen = self.images["/m/apple"], self.images["/m/hk"]
        right, wrong = ({"sha256": apple[0], "truth": 0, "said": said, "score": 0.9, "evidence": [[0, 99]]} for said in (0, 1))
        # The second one is no longer to be seen.
        gone = wrong | {"sha256": "0" * 64, "nearest": []}
        metrics["examples"] = {"right": [right], "wrong": [wrong | {"nearest": [kitchen[0], "1" * 64]}, gone]}
        metrics["none_of_these"] = {"threshold": 0.1, "rests_on": "held_out_looks", "images": 60, "test_share": 0.875}
        metrics["fine_tuning"] = {"top1": 0.25, "head_top1": 0.5, "images": 40, "is_published": False}
        self.model_id = self.model(version, metrics)
        return self


@pytest.fixture(scope="session")
def portal(hub_of) -> Iterator[PortalHub]:
    with hub_of() as hub:
        yield PortalHub(hub).fill()


@pytest.fixture(scope="session")
def app(portal: PortalHub) -> Flask:
    app = create_app(hub=portal.hub)
    app.config["TESTING"] = True
    return app


@pytest.fixture(autouse=True)
def _forgotten_attempts(app: Flask) -> None:
    with app.app_context():
        limiter.reset()


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask, portal: PortalHub) -> Callable[[str], FlaskClient]:
    """Give a client that has signed in with an account of a role."""

    def sign_in(role: str) -> FlaskClient:
        client = app.test_client()
        answer = client.post(
            "/sign-in",
            data={"email": portal.users[role].email, "password": PASSWORD, "csrf_token": token(client, "/sign-in")},
        )
        assert answer.status_code == 302
        return client

    return sign_in


@pytest.fixture
def letters(app, portal: PortalHub) -> Iterator[Letters]:
    """Give what was sent since the test began, once all of it is."""
    folder = portal.hub.settings.home / "mail"

    def read() -> list[EmailMessage]:
        services: Services = app.extensions["services"]
        services.posting.nudge().result(timeout=30)
        files = sorted(folder.glob("account-*.eml"), key=lambda file: int(file.stem.partition("-")[2]))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]  # type: ignore[misc]

    _empty(portal)
    yield read
    _empty(portal)


def _empty(portal: PortalHub) -> None:
    with portal.hub.engine.begin() as connection:
        connection.execute(text("delete from account_mails"))
        connection.execute(text("delete from attempts"))
    for file in (portal.hub.settings.home / "mail").glob("account-*.eml"):
        file.unlink()


@pytest.fixture
def hub_with(hub_of) -> Iterator["Callable[..., KeepingHub]"]:
    """Give a way to make a hub whose downloads are kept, from the settings given by name."""
    from tests.integration.portal.keeping import KeepingHub

    opened = []

    def make(**given: object) -> "KeepingHub":
        opened.append(hub_of(**given))
        return KeepingHub(opened[-1].__enter__()).ready()

    yield make
    for one in opened:
        one.__exit__(None, None, None)


class ApiClient:
    """Asks the API of a portal with a token, or without one."""

    def __init__(self, app: Flask, token: str | None) -> None:
        self.token = token
        self._client = app.test_client()

    def get(self, path: str, **given: object):
        return self.open("GET", path, **given)

    def post(self, path: str, body: object = None, **given: object):
        return self.open("POST", path, **({"json": body} if body is not None else {}), **given)

    def open(self, method: str, path: str, headers: dict[str, str] | None = None, **given: object):
        shown = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        # An address that an answer gave, or a path under the API.
        address = path.removeprefix("http://localhost") if "://" in path else f"/api/v1{path}"
        return self._client.open(address, method=method, headers={**shown, **(headers or {})}, **given)


def api_token(hub: Hub, user: User, *scopes: str) -> str:
    """Make a token of an account, with some scopes or all that its role allows."""
    with hub.engine.begin() as connection:
        allowed = list(scopes or scopes_of_role(user.role))
        return create_token(connection, user=user, name="of a test", scopes=allowed, lifetime_days=7)[1]


@pytest.fixture(scope="session")
def _api_tokens() -> dict[tuple[object, ...], str]:
    return {}


@pytest.fixture(scope="session")
def _programs() -> dict[tuple[object, ...], User]:
    return {}


@pytest.fixture
def api_as(app: Flask, portal: PortalHub, _api_tokens, _programs) -> Callable[..., ApiClient]:
    """Give a client of the API with a token of a role's account, with some scopes or all that the role allows."""

    def of(role: str | None, *scopes: str) -> ApiClient:
        if role is None:
            return ApiClient(app, None)
        # Accounts of their own, that no other test closes: without a password they are quickly made.
        account = (id(portal), role)
        if account not in _programs:
            with portal.hub.engine.begin() as connection:
                email = f"program-{secrets.token_hex(3)}@example.org"
                _programs[account] = create_user(connection, email=email, display_name="A program", role=role)
        key = (*account, *scopes)
        if key not in _api_tokens:
            _api_tokens[key] = api_token(portal.hub, _programs[account], *scopes)
        return ApiClient(app, _api_tokens[key])

    return of


def token(client: FlaskClient, page: str = "/selection") -> str:
    """Return the token of a page's forms."""
    html = client.get(page).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    if found is None:
        return token(client, "/sign-in")
    return found[1]


def send(client: FlaskClient, path: str, **fields: object):
    """Send a form with its token."""
    return client.post(path, data={**fields, "csrf_token": token(client, "/sign-in")}, content_type="multipart/form-data")
