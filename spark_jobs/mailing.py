"""The part of intake that tells people by e-mail, beside the work and never in its way.

Suppliers hear what became of their batches; whoever asked for pictures, voted for them or watches their label
hears that they are there.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from deep_images_hub.batches.report import batch_message
from deep_images_hub.catalogue.batch_mails import (
    mail_counts,
    mail_was_cut_off,
    mail_was_refused,
    mail_was_sent,
    put_mail_back,
    take_batch_mail,
)
from deep_images_hub.errors import HubError, InvalidInputError, UnavailableError
from deep_images_hub.mail import CutOffError, Post, open_post
from deep_images_hub.settings import Settings
from deep_images_hub.telling import send_next_notice, settle

# How long a mail server that could not be used is left alone.
_REST_S = 60.0


class Mailing:
    """Sends what waits, in a thread of its own, whenever it is told that there may be something. A context manager.

    Left in peace, it sends all that waits; left by an error or a Ctrl-C, it ends with the message that is being sent.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        """Name the catalogue and the post. Raises SettingsError when smtp_url is no mail server's address."""
        self._engine = engine
        self._post = open_post(settings)
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mailing")
        self._pass: Future[None] | None = None
        self._is_over = False
        self._not_before = 0.0
        self.sent = 0
        self.told = 0
        self.problem: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_over = kind is not None
        try:
            if kind is None:
                # Also raises a defect, if there was one: all work is done by now.
                self._thread.submit(self._send_waiting).result()
        finally:
            self._is_over = True
            self._thread.shutdown(wait=True)

    def nudge(self) -> None:
        """Say that something may wait. Returns at once."""
        is_idle = self._pass is None or self._pass.done()
        if is_idle and time.monotonic() >= self._not_before:
            self._pass = self._thread.submit(self._send_waiting)

    def report(self) -> list[str]:
        """Return lines that say what was sent and what was not. Call it when it is over."""
        lines = [f"{self.sent} e-mails to suppliers sent."] if self.sent else []
        if self.told:
            lines.append(f"{self.told} e-mails sent that what was wanted is there.")
        with self._engine.connect() as connection:
            counts = mail_counts(connection)
        if counts.waiting:
            lines.append(f"{counts.waiting} e-mails to suppliers wait for the next run: {self.problem or 'they came later'}")
        if counts.refused or counts.sending:
            lines.append(
                f"{counts.refused} e-mails were refused for good and {counts.sending} cut off on their way, which are not sent "
                "again: see batch_mails."
            )
        return lines

    def _send_waiting(self) -> None:
        """Send until nothing waits, or nothing can be sent now. Never raises an expected error: mail is no reason to stop."""
        try:
            while not self._is_over and send_next(self._engine, self._post, self._settings):
                self.sent += 1
            settle(self._engine)
            while not self._is_over and send_next_notice(self._engine, self._post, self._settings):
                self.told += 1
        except HubError as error:
            self.problem = str(error)
            self._not_before = time.monotonic() + _REST_S


def send_next(engine: Engine, post: Post, settings: Settings) -> bool:
    """Send the next e-mail that waits. Returns whether there was one; one that is refused for good counts as dealt with.

    Raises:
        UnavailableError: it could not be sent now, and waits again; or it was cut off, and does not.
    """
    with engine.begin() as connection:
        taken = take_batch_mail(connection)
    if taken is None:
        return False
    batch_id, result = taken
    try:
        post.send(
            batch_message(result, sender=settings.mail_from, portal_url=settings.portal_url), name=f"batch-{result.batch_key}"
        )
    except InvalidInputError as error:
        with engine.begin() as connection:
            mail_was_refused(connection, batch_id=batch_id, error=str(error))
    except CutOffError as error:
        with engine.begin() as connection:
            mail_was_cut_off(connection, batch_id=batch_id, error=str(error))
        raise
    except UnavailableError as error:
        with engine.begin() as connection:
            put_mail_back(connection, batch_id=batch_id, error=str(error))
        raise
    else:
        with engine.begin() as connection:
            mail_was_sent(connection, batch_id=batch_id)
    return True
