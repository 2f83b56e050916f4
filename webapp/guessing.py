"""How often passwords may be guessed and e-mails be sent: on one account or address, from wherever, in all processes together.

An address is counted whether or not it has an account: nobody learns that from a refusal.
"""

from deep_images_hub.catalogue.attempts import count_attempt, forget_attempts_on, take_attempt_back
from deep_images_hub.errors import TooManyRequestsError
from webapp.services import hub

HOUR_S = 3600
# Wrong passwords an hour. NIST SP 800-63B-4 allows 100 in a row.
MAX_WRONG_PASSWORDS = 20
# E-mails of one purpose an hour to one address.
MAX_MAILS = 3


class TooManyAttemptsError(TooManyRequestsError):
    """It was tried too often; later it may be tried again."""


def count_guess(subject: str) -> None:
    """Count a password before it is looked at, so that guesses at the same moment count too.

    Raises:
        TooManyAttemptsError: too many wrong ones were given for this account, an e-mail address.
    """
    with hub().engine.begin() as connection:
        count = count_attempt(connection, deed="password", subject=subject, window_s=HOUR_S)
    if count > MAX_WRONG_PASSWORDS:
        raise TooManyAttemptsError(
            "Too many wrong passwords were given for this address, perhaps by somebody else. Wait an hour, or choose another "
            "password by e-mail: Forgot your password?"
        )


def forgive_guess(subject: str) -> None:
    """Take the last guess back: it was right."""
    with hub().engine.begin() as connection:
        take_attempt_back(connection, deed="password", subject=subject)


def allow_guesses(subject: str) -> None:
    """Let the password of an account be tried anew: its owner has just chosen another one, by a link to the address."""
    with hub().engine.begin() as connection:
        forget_attempts_on(connection, deed="password", subject=subject)


def may_mail(subject: str, purpose: str) -> bool:
    """Count an e-mail to an address, and tell whether it may be sent. Says the same of one without an account.

    Each purpose is counted by itself: nobody keeps an owner from a new password by signing up with their address.
    """
    with hub().engine.begin() as connection:
        return count_attempt(connection, deed=f"mail {purpose}", subject=subject, window_s=HOUR_S) <= MAX_MAILS
