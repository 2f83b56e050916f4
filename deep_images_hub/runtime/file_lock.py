"""One process at a time: an advisory lock on a file, freed by the system when its holder ends, however it ends."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deep_images_hub.errors import UnavailableError

_POLL_S = 0.05


@contextmanager
def locked(path: Path, *, timeout_s: float) -> Iterator[None]:
    """Hold the lock of a file, made when missing, for the length of the block. Not reentrant.

    Raises:
        UnavailableError: another process kept the lock for longer than `timeout_s`.
        OSError: the file cannot be made.
    """
    deadline = time.monotonic() + timeout_s
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise UnavailableError(
                        f"Another command has held {path} for {timeout_s:.0f} s. Wait for it to end, or end it, and try again."
                    ) from error
                time.sleep(_POLL_S)
        yield
