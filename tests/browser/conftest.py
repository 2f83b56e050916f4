"""The portal on a real server, and a real Chromium that may reach nothing else and must have nothing to complain about."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from deep_images_hub.datasets.recipe import SplitFractions
from tests.builders import HubBuilder, photographs
from webapp import create_app
from webapp.security import limiter

# What comes at once on a machine of its own may take this long where everything runs at the same time.
_TIMEOUT_MS = 30_000
_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_USUAL_PLACES = ("/usr/bin", "/usr/local/bin", "/snap/bin")
_ARGUMENTS = (
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class _SilentHandler(WSGIRequestHandler):
    def log(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def builder(hub_of) -> Iterator[HubBuilder]:
    with hub_of() as hub:
        builder = HubBuilder(hub)
        builder.labels(
            {"fruit": "Fruit", "apple": "Apple", "pear": "Pear", "hk": "Hell's Kitchen"},
            under={"apple": "fruit", "pear": "fruit"},
        )
        for number in range(14):
            builder.batch(
                f"batch-{number}", ("apple", "pear")[number % 2], photographs(6, seed=number, size=(96 + 24 * (number % 3), 96))
            )
        builder.user("premium", "Grace")
        version = builder.version("fruit", name="Fruit so far", fractions=SplitFractions(0.5, 0.0, 0.5))
        builder.model(version)
        yield builder


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve a portal for as long as the context lasts; give its address."""

    def closed_in_the_end(*request: Any) -> Iterator[bytes]:
        # Werkzeug's server leaves an answer open where a browser hangs up once it has all of it, and the file behind it with it.
        with closing(app(*request)) as answer:
            yield from answer

    server = make_server("127.0.0.1", 0, closed_in_the_end, threaded=True, request_handler=_SilentHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def served_app(builder: HubBuilder) -> Flask:
    """The portal that is served."""
    return create_app(hub=builder.hub)


@pytest.fixture(scope="session")
def address(served_app: Flask) -> Iterator[str]:
    """Where the portal listens."""
    with served(served_app) as address:
        yield address


@pytest.fixture
def _forgotten_attempts(served_app: Flask) -> None:
    """A fast machine signs in more often in a minute than one person may."""
    with served_app.app_context():
        limiter.reset()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    places = os.pathsep.join((os.environ.get("PATH", ""), *_USUAL_PLACES))
    found = next((path for name in _CHROMIUM_NAMES if (path := shutil.which(name, path=places))), None)
    if found is None:
        pytest.fail(f"These tests need a Chromium: none of {', '.join(_CHROMIUM_NAMES)} was found. Install one.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, address: str, _forgotten_attempts: None) -> Callable[..., object]:
    """Give a way to open a page; at its end nothing may have gone wrong in it."""

    @contextmanager
    def open_one(*, has_scripts: bool = True, width_px: int = 1280, height_px: int = 800) -> Iterator[Page]:
        context = chromium.new_context(
            base_url=address, viewport={"width": width_px, "height": height_px}, java_script_enabled=has_scripts
        )
        context.set_default_timeout(_TIMEOUT_MS)
        expect.set_options(timeout=_TIMEOUT_MS)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: _note_foreign(request.url, address, complaints))
        page.on("requestfailed", lambda request: _note_failed(request, complaints))
        yield page
        context.close()
        assert complaints == []

    return open_one


def _note_foreign(url: str, address: str, complaints: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("blob", "data") and f"{parts.scheme}://{parts.netloc}" != address:
        complaints.append(f"foreign request: {url}")


def _note_failed(request, complaints: list[str]) -> None:
    # Leaving a page ends what it was still loading.
    if request.failure != "net::ERR_ABORTED":
        complaints.append(f"{request.url}: {request.failure}")
