"""A geocoding service of our own on a port, to see what is asked and how it goes when it does not answer."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from geopy.geocoders import Nominatim

from deep_images_hub.errors import UnavailableError
from deep_images_hub.places import Place
from deep_images_hub.places.geocoders import nominatim_geocoder


class Service(ThreadingHTTPServer):
    """Answers every search in Nominatim's way, with the status and places that it was given."""

    status = 200
    places: list[dict[str, object]] = []

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[tuple[dict[str, list[str]], str | None]] = []


class Answer(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.server.asked.append((parse_qs(urlsplit(self.path).query), self.headers["User-Agent"]))
        body = json.dumps(self.server.places).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as service:
        thread = Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield service
        service.shutdown()
        thread.join()


def nominatim(service: Service) -> Nominatim:
    return Nominatim(user_agent="hub-tests", domain=f"127.0.0.1:{service.server_port}", scheme="http", timeout=5)


def test_service_is_asked_for_parts_of_the_address_under_our_name(service: Service) -> None:
    address = {"city": "New York", "state": "New York", "country_code": "us"}
    service.places = [{"lat": "40.7638", "lon": "-73.9918", "display_name": "Hell's Kitchen", "address": address}]
    place = nominatim_geocoder(nominatim(service)).find("Hell's  Kitchen")
    assert place == Place("US", "New York", "New York", None, 40.76, -73.99)
    ((query, user_agent),) = service.asked
    assert (query["q"], query["addressdetails"], user_agent) == (["hell's kitchen"], ["1"], "hub-tests")


def test_service_that_knows_nothing_gives_none(service: Service) -> None:
    assert nominatim_geocoder(nominatim(service)).find("Atlantis") is None


def test_service_that_forbids_us_is_unavailable(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deep_images_hub.places.geocoders._PAUSE_AFTER_ERROR_S", 0.01)
    monkeypatch.setattr("deep_images_hub.places.geocoders._PAUSE_BETWEEN_QUERIES_S", 0.01)
    service.status = 403
    with pytest.raises(UnavailableError, match=r"'nominatim' did not say where 'Toronto' is.*HUB_GEOCODER=offline"):
        nominatim_geocoder(nominatim(service)).find("Toronto")
    assert len(service.asked) == 3
