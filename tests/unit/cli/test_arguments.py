"""Whole numbers of a command line."""

from argparse import ArgumentTypeError

import pytest

from deep_images_hub.cli.arguments import whole_number


def test_bounds_are_included() -> None:
    assert [whole_number(1, 256)(text) for text in ("1", "256")] == [1, 256]
    assert whole_number(1)("1000000") == 1_000_000


@pytest.mark.parametrize("text", ["0", "257", "-3", "2.5", "many", ""])
def test_anything_else_is_told_with_what_was_expected(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=r"was given\. Expected: a whole number from 1 to 256\."):
        whole_number(1, 256)(text)
