"""Types of command-line arguments, for argparse."""

from argparse import ArgumentTypeError
from collections.abc import Callable


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """Make a reader of whole numbers from `least` to `most`, both included; None: without end."""
    expected = f"a whole number of at least {least:,}" if most is None else f"a whole number from {least:,} to {most:,}"

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError as error:
            raise ArgumentTypeError(f"{text!r} was given. Expected: {expected}.") from error
        if number < least or (most is not None and number > most):
            raise ArgumentTypeError(f"{text} was given. Expected: {expected}.")
        return number

    return read
