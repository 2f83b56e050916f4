"""What owners of accounts read: every kind of letter, whatever the name in it."""

import pytest

from deep_images_hub.account_messages import Letter, account_message
from deep_images_hub.accounts import LINK_PURPOSES, MAIL_PURPOSES
from deep_images_hub.errors import InvalidInputError

SENDER, PORTAL = "The Hub <hub@example.net>", "https://hub.example.net/"


@pytest.mark.parametrize("kind", [*MAIL_PURPOSES, "have_account", "closed"])
def test_letter_of_each_kind_is_whole_and_holds_its_link_where_it_needs_one(kind: str) -> None:
    letter = Letter(kind, "ada@example.org", "Ada", "tOk-en_" * 6 if kind in LINK_PURPOSES else None)
    message = account_message(letter, sender=SENDER, portal_url=PORTAL)
    words = message.get_content()
    assert (message["To"], message["From"], message["Auto-Submitted"]) == ("ada@example.org", SENDER, "auto-generated")
    assert "{" not in words
    assert ("https://hub.example.net/links/tOk-en_" in words) == (kind in LINK_PURPOSES)
    assert "https://hub.example.net//" not in words
    assert letter.token is None or letter.token not in repr(letter)


def test_name_of_many_lines_adds_no_header_and_no_second_link() -> None:
    name = "Ada\r\nBcc: all@example.org\n\nhttps://evil.example {link}"
    message = account_message(Letter("sign_up", "ada@example.org", name, "token"), sender=SENDER, portal_url=PORTAL)
    assert message["Bcc"] is None
    assert message.get_content().splitlines()[0] == "Dear Ada Bcc: all@example.org https://evil.example {link},"


@pytest.mark.parametrize("email", ["a@b@c", "a b@c", "x@y\r\nBcc: z@example.org", "<>@x", "a@["])
def test_address_that_cannot_stand_in_a_message_is_refused(email: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot stand in an e-mail"):
        account_message(Letter("closed", email, None), sender=SENDER, portal_url=PORTAL)
