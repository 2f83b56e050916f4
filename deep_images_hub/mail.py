"""Sending e-mail: by SMTP where a server is set, else as files in a folder, which is the laptop's and the demo's way."""

import os
import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from deep_images_hub.errors import InvalidInputError, SettingsError, UnavailableError
from deep_images_hub.settings import Settings

SMTP_TIMEOUT_S = 10.0
_PORTS = {"smtp": 25, "smtps": 465}
_DONE, _FORWARDED, _CLOSING = 250, 251, 421
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class CutOffError(UnavailableError):
    """The server was lost in the middle of a message: it may have taken it, or not."""


class PutOffError(UnavailableError):
    """The server takes this message later, perhaps; others may pass now."""


class Post(Protocol):
    """Whoever takes a message and sees to its delivery."""

    def send(self, message: EmailMessage, *, name: str) -> None:
        """Hand a message over.

        Args:
            message: under a policy of SMTP (CRLF, 7 bits).
            name: of the message, unique and fit for a file.

        Raises:
            InvalidInputError: this message is refused for good; others may pass.
            UnavailableError: it, and perhaps nothing, can be sent now; try later.
            PutOffError: so it is with this message, or whom it goes to, alone.
            CutOffError: it may have been sent; so may nothing else be now.
        """


@dataclass(frozen=True)
class FolderPost:
    """Writes each message into a file. Nobody but the account that runs this may read them."""

    folder: Path

    def send(self, message: EmailMessage, *, name: str) -> None:
        """Write the message to `<name>.eml`, whole or not at all."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = self.folder / f".{name}.{os.getpid()}"
            part.write_bytes(message.as_bytes())
            part.replace(self.folder / f"{name}.eml")
        except OSError as error:
            raise UnavailableError(f"E-mail cannot be written into {self.folder}: {error.strerror}.") from error


@dataclass(frozen=True)
class SmtpPost:
    """Hands messages to a mail server, each over a connection of its own.

    Attributes:
        is_tls: TLS from the first byte; else STARTTLS, wherever the server offers it and is another machine.
        user, password: given together or not at all; they never go over the net in the clear.
    """

    host: str
    port: int
    is_tls: bool = False
    user: str | None = None
    password: str | None = None

    def send(self, message: EmailMessage, *, name: str) -> None:
        """Hand the message over. Its name is for files, and says nothing here."""
        try:
            server = self._connected()
        except (smtplib.SMTPException, OSError) as error:
            raise self._unavailable(str(error)) from error
        try:
            self._hand_over(server, message)
        except ValueError as error:
            raise InvalidInputError(f"The message {name} cannot be sent as it is: {error}.") from error
        except (smtplib.SMTPException, OSError) as error:
            raise self._unavailable(str(error)) from error
        finally:
            # What was taken is taken, whatever becomes of the farewell.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _hand_over(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        """Say from whom, to whom and what. Step by step, since only a loss in the last one leaves open whether it was taken."""
        code, answer = server.mail(parseaddr(message["From"])[1])
        if code != _DONE:
            raise self._unavailable(f"{code} {_words(answer)}")
        code, answer = server.rcpt(parseaddr(message["To"])[1])
        if code not in (_DONE, _FORWARDED):
            raise self._refusal(code, answer)
        try:
            code, answer = server.data(message.as_bytes())
        except smtplib.SMTPDataError as error:
            raise self._refusal(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            raise CutOffError(f"The mail server at {self.host}:{self.port} was lost while it took a message: {error}.") from error
        if code != _DONE:
            raise self._refusal(code, answer)

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.is_tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=SMTP_TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=SMTP_TIMEOUT_S)
        try:
            server.ehlo_or_helo_if_needed()
            is_private = self.is_tls or self.host in _LOOPBACK
            if not is_private and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
                is_private = True
            if self.user is not None and self.password is not None:
                if not is_private:
                    raise self._unavailable("it offers no TLS, and the password must not go over the net in the clear")
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server

    def _refusal(self, code: int, answer: bytes | str) -> InvalidInputError | UnavailableError:
        """Return what a server's no to a message means: 4xx is for now, 5xx for good."""
        if code == _CLOSING:
            return self._unavailable(f"{code} {_words(answer)}")
        if 400 <= code < 500:
            return PutOffError(f"The mail server at {self.host}:{self.port} put the message off: {code} {_words(answer)}.")
        return InvalidInputError(f"The mail server refused the message: {code} {_words(answer)}.")

    def _unavailable(self, problem: str) -> UnavailableError:
        return UnavailableError(f"The mail server at {self.host}:{self.port} cannot be used: {problem}. Check HUB_SMTP_URL.")


def _words(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def plain_message(*, to: str, sender: str, subject: str, name: str, lines: Sequence[str]) -> EmailMessage:
    """Write an e-mail of plain text that nobody is to answer.

    Args:
        to: an address.
        sender: an address, or a name with an address: `Hub <hub@example.org>`.
        subject: one line.
        name: what its Message-ID is made of: should it arrive twice all the same, a mail program shows it once.

    Raises:
        InvalidInputError: the address cannot stand in a message.
    """
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    try:
        message["To"] = Address(addr_spec=to)
    except (ValueError, IndexError, AttributeError, HeaderParseError) as error:
        raise InvalidInputError(f"{to!r} cannot stand in an e-mail as an address.") from error
    message["From"] = sender
    message["Subject"] = subject
    message["Message-ID"] = f"<{name}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(lines) + "\n")
    return message


def open_post(settings: Settings) -> Post:
    """Return the way that the settings name for e-mail. Nothing is connected yet.

    Raises:
        SettingsError: smtp_url is not an address of a mail server, or mail_from none of a sender.
    """
    _, address = parseaddr(settings.mail_from)
    if address.count("@") != 1 or not settings.mail_from.isprintable():
        raise SettingsError(
            f"mail_from is {settings.mail_from!r}. Expected an address, or a name and an address: Hub <hub@host>."
        )
    if settings.smtp_url is None:
        return FolderPost(settings.home.resolve() / "mail")
    expected = "Expected smtp://[user:password@]host[:port], or smtps:// for TLS from the first byte."
    try:
        url = urlsplit(settings.smtp_url.get_secret_value())
        port = url.port
    except ValueError as error:
        raise SettingsError(f"smtp_url is not an address. {expected}") from error
    if url.scheme not in _PORTS or not url.hostname or url.path.strip("/") or url.query:
        raise SettingsError(f"smtp_url is not the address of a mail server. {expected}")
    if (url.username is None) != (url.password is None):
        raise SettingsError(f"smtp_url has a user or a password, and not both. {expected}")
    return SmtpPost(
        url.hostname,
        port or _PORTS[url.scheme],
        is_tls=url.scheme == "smtps",
        user=None if url.username is None else unquote(url.username),
        password=None if url.password is None else unquote(url.password),
    )
