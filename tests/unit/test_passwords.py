"""Which passwords are taken, and that what was hashed is known again however it was typed."""

import importlib.util
import unicodedata

import pytest

from deep_images_hub import passwords
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.passwords import MAX_PASSWORD_LENGTH, check_password, hash_password, is_password

OWNER = ("ada.lovelace@example.org", "Ada Lovelace")


@pytest.mark.parametrize(
    "password",
    [
        "wombat otter lemon",
        "correct horse battery",
        "W7hR9k2LmQz8xTn4",
        "пароль из трёх слов",
        "🍎" * 3 + " grows on the north wall",
        "correct horse battery " * 40,
    ],
)
def test_password_that_is_long_and_uncommon_is_taken(password: str) -> None:
    check_password(password, owner_words=OWNER)


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("", "has 0 characters. Expected at least 15"),
        ("Tr0ub4dor&3!", "has 12 characters"),
        ("x" * (MAX_PASSWORD_LENGTH + 1), "At most 1,000"),
        ("a" * 15, "too easy to guess"),
        ("123456789012345", "too easy to guess"),
        ("qwertyuiopasdfg", "too easy to guess"),
        ("iloveyouiloveyou", "too easy to guess"),
        ("passwordpassword", "too easy to guess"),
        ("adalovelace1815", "too easy to guess"),
        ("ada.lovelace@example.org", "too easy to guess"),
        ("deepimageshub2026", "too easy to guess"),
    ],
)
def test_password_that_is_short_or_guessed_first_is_refused_without_being_repeated(password: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        check_password(password, owner_words=OWNER)
    assert not password or password not in str(caught.value)


def test_password_is_known_again_in_another_form_of_unicode_and_no_other_is() -> None:
    composed = unicodedata.normalize("NFC", "Äpfel, Öl und Übermut")
    kept = hash_password(composed)
    assert kept.startswith("$argon2id$")
    assert is_password(unicodedata.normalize("NFD", composed), kept)
    assert not is_password(composed.lower(), kept)
    assert not is_password("x" * (MAX_PASSWORD_LENGTH + 1), kept)
    assert not is_password(composed, None)
    assert not is_password(composed, "no hash")


def test_hash_takes_the_work_that_rfc_9106_asks_for() -> None:
    # A module of its own: tests that sign in have the one that is shared do less.
    spec = passwords.__spec__
    anew = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(anew)
    assert anew.hash_password("wombat otter lemon").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
