"""Sends the e-mails that people asked for on the portal, in a thread of its own: no request waits for a mail server."""

import threading
import time
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor

from deep_images_hub.account_messages import account_message
from deep_images_hub.catalogue.account_mails import AccountMail, end_mail, letter_for, take_account_mail
from deep_images_hub.errors import HubError, InvalidInputError, UnavailableError
from deep_images_hub.logs import open_log
from deep_images_hub.mail import CutOffError, Post, PutOffError, open_post
from deep_images_hub.wiring import Hub

# How long a mail server that could not be used is left alone before what waits is tried again.
_REST_S = 60.0
# How long one e-mail is left alone that the server takes later, perhaps: many tell strangers to come back after some minutes.
_PUT_OFF_S = 600.0

_log = open_log(__name__)


class MailPutOffError(PutOffError):
    """One e-mail waits again, and must not stand before the others."""

    def __init__(self, message: str, mail_id: int) -> None:
        """Name the e-mail."""
        super().__init__(message)
        self.mail_id = mail_id


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
        # When those that were put off are tried again, by their ids.
        self._put_off: dict[int, float] = {}
        self._timer: threading.Timer | None = None

    def nudge(self) -> Future[None]:
        """Say that something may wait. Returns at once; the future ends when all that waits was tried."""
        future = self._thread.submit(self._send_waiting)
        future.add_done_callback(_tell_defect)
        return future

    def _send_waiting(self) -> None:
        try:
            if time.monotonic() >= self._not_before:
                while self._send_next():
                    pass
        except HubError as error:
            _log.warning("account_mails_wait", problem=str(error))
            self._not_before = time.monotonic() + _REST_S
        finally:
            self._set_timer()

    def _send_next(self) -> bool:
        """Send the next e-mail that waits and was not put off. One that is put off now counts as dealt with."""
        now = time.monotonic()
        self._put_off = {mail_id: moment for mail_id, moment in self._put_off.items() if moment > now}
        try:
            return send_next(self._hub, self._post, except_ids=self._put_off)
        except MailPutOffError as error:
            _log.warning("account_mail_put_off", mail_id=error.mail_id, problem=str(error))
            self._put_off[error.mail_id] = now + _PUT_OFF_S
            return True

    def _set_timer(self) -> None:
        """See to it that somebody looks again when the rest is over, or something that was put off is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = time.monotonic()
        moment = self._not_before if self._not_before > now else min(self._put_off.values(), default=None)
        if moment is not None:
            self._timer = threading.Timer(max(0.0, moment - now), self.nudge)
            self._timer.daemon = True
            self._timer.start()


def send_next(hub: Hub, post: Post, *, except_ids: Collection[int] = ()) -> bool:
    """Send the next e-mail that waits. Returns whether there was one; one that is needless or refused counts as dealt with.

    Args:
        except_ids: e-mails that are left alone for now.

    Raises:
        UnavailableError: it could not be sent now, and waits again; or it was cut off, and does not.
        MailPutOffError: it waits again, and others may be sent meanwhile.
    """
    with hub.engine.begin() as connection:
        mail = take_account_mail(connection, except_ids=except_ids)
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
    except PutOffError as error:
        _end(hub, mail, "waiting", str(error))
        raise MailPutOffError(str(error), mail.id) from error
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
