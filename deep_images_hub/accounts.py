"""Who may do what: the four roles, and passwords as argon2id hashes."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

ROLES = ("supplier", "scientist", "premium", "operator")
MIN_PASSWORD_LENGTH = 12

# What a role may do beyond reading: the portal's routes name one of these, never a role.
PERMISSIONS: dict[str, frozenset[str]] = {
    "supplier": frozenset({"submit"}),
    "scientist": frozenset({"submit", "freeze", "download"}),
    "premium": frozenset({"submit", "freeze", "download", "train", "predict"}),
    "operator": frozenset({"submit", "freeze", "download", "train", "predict", "operate"}),
}

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, salt and parameters included."""
    return _hasher.hash(password)


def is_password(password: str, password_hash: str | None) -> bool:
    """Tell whether a password belongs to a hash. False for an account that has none."""
    if password_hash is None:
        return False
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
