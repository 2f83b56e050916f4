from email.policy import SMTP

import pytest

from deep_images_hub.demand.messages import DecidedProposal, MetDemand, StartedRun, notice_message
from deep_images_hub.errors import InvalidInputError


def met(**given: object) -> MetDemand:
    values = {
        "notice_id": 7,
        "to_email": "ann@example.org",
        "to_name": "Ann",
        "label_name": "Apple",
        "label_id": 3,
        "city": None,
        "images": 1204,
        "target_images": 1200,
        "has_asked": True,
    }
    return MetDemand(**{**values, **given})


def message(notice, portal_url: str | None = "https://hub.example.org/"):
    return notice_message(notice, sender="Hub <hub@example.org>", portal_url=portal_url)


def test_whoever_asked_is_told_how_many_there_are_and_where_to_look() -> None:
    told = message(met(city="Toronto"))
    assert told["Subject"] == "1,204 pictures of Apple: what was wanted is there"
    assert told["Message-ID"] == "<notice.7@example.org>"
    body = told.get_content()
    assert "wanted of Apple from around Toronto" in body
    assert "You asked for them" in body
    assert "https://hub.example.org/labels/3" in body
    assert "You wanted to know" in message(met(has_asked=False), portal_url=None).get_content()


def test_names_write_no_headers_and_no_lines() -> None:
    hostile = "Apple\r\nBcc: all@example.org\n\nDear"
    told = message(met(label_name=hostile, to_name=hostile))
    assert told["Bcc"] is None
    assert b"\nBcc" not in told.as_bytes(policy=SMTP)
    with pytest.raises(InvalidInputError):
        message(met(to_email="a@b\r\nBcc: c@d"))


@pytest.mark.parametrize(
    ("status", "label", "subject", "words"),
    [
        ("accepted", "Pink Lady", "The label Pink Lady is here", "It is here now: Pink Lady"),
        ("merged", "Apple", "Pomme is called Apple here", "found by both names"),
        ("refused", None, "No label for Pomme", "It was not added"),
    ],
)
def test_whoever_proposed_a_label_is_told_the_answer(status, label, subject, words) -> None:
    told = message(DecidedProposal(1, "a@b.org", "Ann", "Pomme", status, label, label and 5, "As it is."))
    assert told["Subject"] == subject
    body = told.get_content()
    assert words in body
    assert "An operator adds: As it is." in body
    assert ("/labels/5" in body) == (label is not None)


def test_whoever_waited_for_pictures_is_told_that_training_begins_and_where_to_look() -> None:
    told = message(StartedRun(9, "a@b.org", "Ann", 12, "Fruit\r\nBcc: x@y", 1204))
    assert told["Subject"] == "Fruit Bcc: x@y: the pictures are there, training begins"
    body = told.get_content()
    assert "frozen anew for it, with 1,204 pictures" in body
    assert "https://hub.example.org/runs/12" in body
