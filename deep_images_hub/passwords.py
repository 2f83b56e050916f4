"""Passwords: which are taken, and how they are kept. The rules are those of NIST SP 800-63B-4, section 3.1.1.2.

At least 15 characters of any kind, since nothing else is asked for at sign-in; no rules on which characters; none that is common,
made of the account's own words, repeated or in a row; no forced changes.
"""

import threading
import unicodedata
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from deep_images_hub.errors import InvalidInputError

MIN_PASSWORD_LENGTH = 15
# Longer ones are not even hashed: argon2's work grows with what it is given.
MAX_PASSWORD_LENGTH = 1_000

# Guesses that somebody needs who knows common passwords, words, keyboards and the account: fewer is as good as common.
_MIN_GUESSES = 10**10
# The estimate's work grows with the square of the length; what is strong up to here is strong.
_ESTIMATED_LENGTH = 72
_HUB_WORDS = ("deep", "images", "hub", "deepimages", "deepimageshub")

_hasher = PasswordHasher()
# The estimator keeps the words of the account at hand in a dictionary that all threads share.
_estimating = threading.Lock()


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, salt and parameters included."""
    return _hasher.hash(_normal(password))


def is_password(password: str, password_hash: str | None) -> bool:
    """Tell whether a password belongs to a hash. False for an account that has none, and for what is too long for a password."""
    if password_hash is None or len(password) > MAX_PASSWORD_LENGTH:
        return False
    try:
        return _hasher.verify(password_hash, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def check_password(password: str, *, owner_words: Iterable[str] = ()) -> None:
    """Refuse a password that is too short, too long, or among those that are guessed first.

    Args:
        owner_words: what an attacker knows of the account: its address, its name.

    Raises:
        InvalidInputError: it cannot be used; the message says why, and never repeats it.
    """
    length = len(password)
    if length < MIN_PASSWORD_LENGTH:
        raise InvalidInputError(
            f"The password has {length} characters. Expected at least {MIN_PASSWORD_LENGTH}: a few words in a row are easy to "
            "remember and hard to guess."
        )
    if length > MAX_PASSWORD_LENGTH:
        raise InvalidInputError(f"The password has {length:,} characters. At most {MAX_PASSWORD_LENGTH:,} are taken.")
    words = [part for word in owner_words for part in (word, *word.replace("@", " ").replace(".", " ").split())]
    with _estimating:
        estimate = zxcvbn(_normal(password)[:_ESTIMATED_LENGTH], user_inputs=[*words, *_HUB_WORDS])
    if estimate["guesses"] < _MIN_GUESSES:
        why = estimate["feedback"]["warning"] or "It is made of words or patterns that are tried first."
        raise InvalidInputError(f"This password is too easy to guess. {why} Choose another one, such as four unrelated words.")


def _normal(password: str) -> str:
    """Return the same characters in one form, whatever the keyboard or the system that they were typed on."""
    return unicodedata.normalize("NFKC", password)
