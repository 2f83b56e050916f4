"""Fetch a photograph from the web: in bounded time, size and number of tries, and held against what is known of it."""

import hashlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError

from deep_images_hub.landing.download import Download, NotFetched
from deep_images_hub.landing.web import NotPublicError, open_web

_BLOCK_BYTES = 1 << 16
_GONE = (404, 410)
# Of the client's errors, those that time may heal; and all of the server's.
_TRANSIENT = (408, 425, 429)


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Attributes:
        silence_s: longest wait for the next bytes.
        total_s: longest time for one try, whatever trickles in.
        tries: of one photograph in one run.
        first_pause_s: between the first two tries; doubles each time, and is drawn from half to one and a half of that.
        longest_pause_s: also where a server asks for more (Retry-After).
    """

    silence_s: float = 15.0
    total_s: float = 60.0
    tries: int = 3
    first_pause_s: float = 1.0
    longest_pause_s: float = 30.0


def fetch(
    download: Download,
    *,
    max_bytes: int,
    user_agent: str,
    patience: Patience = Patience(),
    only_public: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> bytes | NotFetched:
    """Return a photograph's bytes, or why there are none. Tries again what may be for reasons outside of it, with growing pauses.

    Args:
        max_bytes: more are not read.
        only_public: not from this machine, nor from its network.
    """
    failed = _Failed("never tried")
    for number in range(patience.tries):
        ends = time.monotonic() + patience.total_s
        opened = partial(
            open_web, download.url, user_agent=user_agent, silence_s=patience.silence_s, ends=ends, only_public=only_public
        )
        found = _try(opened, max_bytes)
        if isinstance(found, bytes):
            return _checked(found, download)
        if isinstance(found, NotFetched):
            return found
        failed = found
        if not failed.is_worth_a_try:
            break
        if number + 1 < patience.tries:
            pause = patience.first_pause_s * 2**number * random.uniform(0.5, 1.5)
            sleep(min(max(pause, failed.asked_pause_s), patience.longest_pause_s))
    return NotFetched("waiting", failed.problem)


@dataclass(frozen=True)
class _Failed:
    """A try that failed for outside reasons."""

    problem: str
    is_worth_a_try: bool = True
    asked_pause_s: float = 0.0


def _try(opened: Callable[[], HTTPResponse], max_bytes: int) -> bytes | NotFetched | _Failed:
    try:
        with opened() as answer:
            return _body(answer, max_bytes)
    except HTTPError as error:
        error.close()
        return _from_status(error.code, error.headers.get("Retry-After", ""))
    except NotPublicError as error:
        return _Failed(str(error), is_worth_a_try=False)
    except (OSError, HTTPException, ValueError) as error:
        # URLError is an OSError, and ValueError is an address that is none. A server's own words may be in it.
        said = f"{type(error).__name__}: {error}"
        return _Failed("".join(letter if letter.isprintable() else "?" for letter in said)[:300])


def _body(answer: HTTPResponse, max_bytes: int) -> bytes | NotFetched | _Failed:
    body = bytearray()
    # What has come, be it little: `read` would wait for a whole block, however slowly it trickles in.
    while block := answer.read1(_BLOCK_BYTES):
        body += block
        if len(body) > max_bytes:
            return NotFetched("differs", f"It has more than {max_bytes} bytes.")
    announced = answer.headers.get("Content-Length", "")
    if announced.isdecimal() and len(body) < int(announced):
        return _Failed(f"the answer was cut off after {len(body)} of {announced} bytes")
    return bytes(body)


def _from_status(status: int, retry_after: str) -> NotFetched | _Failed:
    if status in _GONE:
        return NotFetched("gone", f"The server answered {status}.")
    is_transient = status in _TRANSIENT or status >= 500
    asked = float(retry_after) if retry_after.isdecimal() and len(retry_after) < 6 else 0.0
    return _Failed(f"the server answered {status}", is_worth_a_try=is_transient, asked_pause_s=asked)


def _checked(body: bytes, download: Download) -> bytes | NotFetched:
    if download.size_bytes not in (None, len(body)):
        return NotFetched("differs", f"It has {len(body)} bytes; the list says {download.size_bytes}.")
    digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
    if download.md5 not in (None, digest):
        return NotFetched("differs", f"Its MD5 is {digest}; the list says {download.md5}.")
    return body
