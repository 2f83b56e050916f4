"""Sends the e-mails that people asked for on the portal, in a thread of its own: no request waits for a mail server."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from deep_images_hub.account_messages import account_message
from deep_images_hub.catalogue.account_mails import AccountMail, end_mail, letter_for, take_account_mail
from deep_images_hub.errors import HubError, InvalidInputError, UnavailableError
from deep_images_hub.logs import open_log
from deep_images_hub.mail import CutOffError, Post, open_post
from deep_images_hub.wiring import Hub

# How long a mail server that could not be used is left alone before what waits is tried again.
_REST_S = 60.0

_log = open_log(__name__)


class Posting:
    """Sends what waits whenever it is told that there may be something. Safe to share between threads.

    What waits is in the catalogue: where a process ends, the next one that is told sends what it left.
    """

    def __init__(self, hub: Hub) -> None:
        """Name the hub and its post. Raises SettingsError when smtp_url is no mail server's address."""
        self._hub = hub
        self._post: Post = open_post(hub.settings)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="posting")
        self._not_before = 0.0

    def nudge(self) -> Future[None]:
        """Say that something may wait. Returns at once; the future ends when all that waits was tried."""
        future = self._thread.submit(self._send_waiting)
        future.add_done_callback(_tell_defect)
        return future

    def _send_waiting(self) -> None:
        if time.monotonic() < self._not_before:
            return  # whoever began the rest also ends it
        try:
            while send_next(self._hub, self._post):
                pass
        except HubError as error:
            _log.warning("account_mails_wait", problem=str(error))
            self._not_before = time.monotonic() + _REST_S
            again = threading.Timer(_REST_S, self.nudge)
            again.daemon = True
            again.start()


def send_next(hub: Hub, post: Post) -> bool:
    """Send the next e-mail that waits. Returns whether there was one; one that is needless or refused counts as dealt with.

    Raises:
        UnavailableError: it could not be sent now, and waits again; or it was cut off, and does not.
    """
    with hub.engine.begin() as connection:
        mail = take_account_mail(connection)
        letter = None if mail is None else letter_for(connection, mail)
    if mail is None:
        return False
    if letter is None:
        _end(hub, mail, "needless")
        return True
    try:
        message = account_message(letter, sender=hub.settings.mail_from, portal_url=hub.settings.portal_address())
        post.send(message, name=f"account-{mail.id}")
    except InvalidInputError as error:
        _end(hub, mail, "refused", str(error))
    except CutOffError as error:
        _end(hub, mail, "sending", str(error))
        raise
    except UnavailableError as error:
        _end(hub, mail, "waiting", str(error))
        raise
    else:
        _end(hub, mail, "sent")
    return True


def _end(hub: Hub, mail: AccountMail, status: str, error: str | None = None) -> None:
    with hub.engine.begin() as connection:
        end_mail(connection, mail.id, status, error)


def _tell_defect(future: Future[None]) -> None:
    """Write down what nobody waits for: an error that is not an expected one."""
    error = None if future.cancelled() else future.exception()
    if error is not None:
        _log.error("account_mails_defect", error=repr(error))
