"""What accounts' owners read in their mail. Pure."""

from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid, parseaddr

from deep_images_hub.errors import InvalidInputError


@dataclass(frozen=True)
class Letter:
    """What is said to an address.

    Attributes:
        kind: a key of what can be said: a purpose of a link or a notice, `have_account` or `closed`.
        name: of whoever has the address; None: unknown.
        token: of its link; None where it has none.
    """

    kind: str
    email: str
    name: str | None
    token: str | None = field(default=None, repr=False)


# Subject and paragraphs. {link} is the letter's own, {portal} the portal's address; a line that is only an address stays whole.
_WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "sign_up": (
        "Confirm your address",
        (
            "somebody, probably you, signed up with this address. Choose a password, and your account is ready:",
            "{link}",
            "The link works once, within a day. If it was not you, leave it alone: there is no account until it is used.",
        ),
    ),
    "invitation": (
        "Your account",
        (
            "an operator made an account for you. Choose a password, and it is ready:",
            "{link}",
            "The link works once, within a week. After that, ask for another one:",
            "{portal}/forgot-password",
        ),
    ),
    "reset": (
        "Choose another password",
        (
            "somebody, probably you, forgot the password of this account. Choose another one:",
            "{link}",
            "The link works once, within an hour. If it was not you, leave it alone: your password stays as it is.",
        ),
    ),
    "new_address": (
        "Confirm your new address",
        (
            "this is to become the address of an account. Confirm it:",
            "{link}",
            "The link works once, within a day. If this is not your doing, leave it alone: nothing changes.",
        ),
    ),
    "have_account": (
        "You have an account",
        (
            "somebody, probably you, gave this address to sign up or for another account. It has an account already. Sign in:",
            "{portal}/sign-in",
            "If you forgot the password, choose another one:",
            "{portal}/forgot-password",
        ),
    ),
    "closed": (
        "Your account is closed",
        ("somebody, probably you, asked for a link to this account. An operator closed it. Ask the operators of the hub.",),
    ),
    "password_changed": (
        "Your password was changed",
        (
            "your password was changed just now, and every session before has ended. API tokens may still be good:",
            "{portal}/account/tokens",
            "If it was not you, choose another one at once, and tell an operator of the hub:",
            "{portal}/forgot-password",
        ),
    ),
    "account_deleted": (
        "Your account is deleted",
        (
            "your account is deleted: this hub has forgotten your name, your address and your password.",
            "Pictures that you gave under a licence stay. Their credits name a former supplier, or you where that was asked for.",
            "If it was not you, tell an operator of the hub. There is no way back.",
        ),
    ),
    "address_changed": (
        "Your account has another address",
        (
            "your account has another address from now on, and this one is no longer its own.",
            "If it was not you, tell an operator of the hub at once.",
        ),
    ),
}


def account_message(letter: Letter, *, sender: str, portal_url: str) -> EmailMessage:
    """Write the e-mail of a letter.

    Args:
        sender: an address, or a name with an address: `Hub <hub@example.org>`.
        portal_url: where people reach the portal.

    Raises:
        InvalidInputError: the address cannot stand in a message.
    """
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    try:
        message["To"] = Address(addr_spec=letter.email)
    except (ValueError, IndexError, AttributeError, HeaderParseError) as error:
        raise InvalidInputError(f"{letter.email!r} cannot stand in an e-mail as an address.") from error
    portal = portal_url.rstrip("/")
    subject, paragraphs = _WORDS[letter.kind]
    message["From"] = sender
    message["Subject"] = f"{subject}: Deep Images Hub"
    message["Message-ID"] = make_msgid("account", parseaddr(sender)[1].rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    greeting = f"Dear {' '.join(letter.name.split())}," if letter.name else "Hello,"
    words = [paragraph.format(link=link_address(portal, letter.token or ""), portal=portal) for paragraph in paragraphs]
    message.set_content("\n\n".join([greeting, *words]) + "\n")
    return message


def link_address(portal_url: str, token: str) -> str:
    """Return the address of the page that a link's token opens."""
    return f"{portal_url.rstrip('/')}/links/{token}"
