"""Asking the API: where it is, who asks, asking again when it is busy, and its errors as ours."""

import random
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from pydantic import ValidationError

from deep_images_hub.errors import (
    ConflictError,
    ForbiddenError,
    HubError,
    InvalidInputError,
    NotFoundError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
)
from deep_images_hub.wire.base import Problem

API_PATH = "/api/v1"
# Waits between tries double from the first, up to the longest; the hub may ask for a longer one.
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
LONGEST_ASKED_WAIT_S = 120.0

_BUSY = (429, 503)
_ERRORS: dict[int, type[HubError]] = {
    400: InvalidInputError,
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: InvalidInputError,
    415: InvalidInputError,
    429: TooManyRequestsError,
    503: UnavailableError,
}


class Transport:
    """The way to one hub. Safe to share between threads.

    Args:
        url: where people reach the portal.
        token: None: ask as anybody.
        tries: how often a request is tried that finds the hub busy, or no hub.
        timeout_s: longest wait for a connection, and for the next bytes of an answer.
    """

    def __init__(self, url: str, *, token: str | None, tries: int, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise InvalidInputError(f"{url!r} is no address of a hub. Expected something like https://hub.example.org.")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.tries = tries
        self._auth = _Bearer(token)
        self._timeout_s = timeout_s
        self._threads = threading.local()

    def json(self, method: str, path: str, **given: Any) -> Any:
        """Ask for JSON. given: as `request`."""
        with self.request(method, path, **given) as response:
            try:
                return response.json()
            except requests.JSONDecodeError as error:
                raise UnavailableError(
                    f"{response.url} answered with something else than JSON. Is it a hub's address?"
                ) from error

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        tries: int | None = None,
        may_repeat: bool = False,
        **given: Any,
    ) -> requests.Response:
        """Ask, and ask again while the hub is busy.

        Args:
            path: under the API, or an address that the hub gave, of which only the path counts: a token goes to no other host.
            tries: None: as many as this transport has.
            may_repeat: doing it twice is doing it once, whatever the method is.
            given: as for `requests.request`: params, json, data, files, stream.

        Raises:
            HubError: of the class of the answer's status, with the API's `code`.
            UnavailableError: no hub could be reached.
        """
        left = self.tries if tries is None else tries
        url = self._url(path)
        for attempt in range(left):
            is_last = attempt == left - 1
            try:
                response = self._session().request(
                    method,
                    url,
                    headers=dict(headers or {}),
                    auth=self._auth,
                    timeout=self._timeout_s,
                    allow_redirects=False,
                    **given,
                )
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                # Whether a request that changes something was done is not known then.
                if is_last or not (may_repeat or method in ("GET", "HEAD")):
                    raise UnavailableError(
                        f"No hub answers at {self.origin}: {error}. Check the address and the network."
                    ) from error
                wait_s = wait_before(attempt)
            else:
                if response.status_code < 300:
                    return response
                wait_s = wait_before(attempt, response.headers.get("Retry-After"))
                if response.status_code not in _BUSY or is_last or wait_s > LONGEST_ASKED_WAIT_S:
                    with response:
                        raise _error(response)
                response.close()
            time.sleep(wait_s)
        raise ValueError(f"A request is to be tried {left} times; expected 1 or more.")

    def _url(self, path: str) -> str:
        if "://" in path:
            parts = urlsplit(path)
            return urljoin(self.origin, parts._replace(scheme="", netloc="").geturl())
        return f"{self.origin}{API_PATH}{path}"

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = requests.Session()
            session.headers["User-Agent"] = "deep-images-hub-client"
        return session


class _Bearer(requests.auth.AuthBase):
    """Shows the token. A header alone would give way to a password of ~/.netrc."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def wait_before(attempt: int, asked: str | None = None) -> float:
    """Return how many seconds to wait before the next try.

    Args:
        attempt: of the try that failed, from 0.
        asked: what `Retry-After` says, in seconds; None, or a date: nothing.
    """
    # Never at the same time as everybody else who was turned away.
    own_s: float = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**attempt) * random.uniform(0.75, 1.25)
    return max(own_s, float(asked)) if asked and asked.isdecimal() else own_s


def _error(response: requests.Response) -> HubError:
    kind = _ERRORS.get(response.status_code, HubError)
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        error = kind(
            f"{response.request.method} {response.url} was answered with {response.status_code} {response.reason}, and not by "
            "the API of a hub. Check the address."
        )
        error.code = f"http_{response.status_code}"
        return error
    error = kind(problem.detail)
    error.code = problem.code
    return error
