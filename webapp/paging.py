"""Places in long lists, as addresses name them."""

from deep_images_hub.errors import InvalidInputError


def cursor(value: str | None) -> int | None:
    """Read a place in a list from an address: None for its beginning. Raises InvalidInputError."""
    if not value:
        return None
    if not (value.isascii() and value.isdecimal()) or len(value) > 18:
        raise InvalidInputError(f"{value[:40]!r} is not a place in this list. Open the list again and go on from its first page.")
    return int(value)
