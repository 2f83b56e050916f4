import pytest

from deep_images_hub.demand.rules import Progress, checked_name, checked_note, checked_target, target_for_training
from deep_images_hub.errors import InvalidInputError


def test_progress_ends_at_the_target() -> None:
    assert [(Progress(have, 200).missing, Progress(have, 200).share) for have in (0, 50, 200, 900)] == [
        (200, 0.0),
        (150, 0.25),
        (0, 1.0),
        (0, 1.0),
    ]


@pytest.mark.parametrize(("given", "target"), [("1", 1), (" 1,000 ", 1000), (100_000, 100_000), ("007", 7)])
def test_target_is_read_as_people_write_it(given, target) -> None:
    assert checked_target(given) == target


@pytest.mark.parametrize("given", ["", "0", "-1", "1.5", "100001", "9" * 40, "²", "NaN"])
def test_target_that_is_no_number_of_pictures_is_refused(given) -> None:
    with pytest.raises(InvalidInputError, match="from 1 to 100,000"):
        checked_target(given)


def test_note_keeps_its_lines_and_has_an_end() -> None:
    assert checked_note(" one\r\ntwo ") == "one\ntwo"
    assert checked_note("  ") is None
    with pytest.raises(InvalidInputError, match="The reason has 501 characters"):
        checked_note("a" * 501, "reason")


def test_name_is_kept_as_labels_names_are() -> None:
    assert checked_name("  Hell's \t Kitchen ") == "Hell's Kitchen"
    assert checked_name("<script>alert(1)</script>") == "<script>alert(1)</script>"


def test_training_pictures_are_a_part_of_what_is_asked_for() -> None:
    # 70 of 100 are learnt from: 140 of 200 would be.
    assert target_for_training(has=70, needs=70, train_share=0.7) == 200
    assert target_for_training(has=70, needs=1, train_share=0.7) == 102
    with pytest.raises(InvalidInputError):
        target_for_training(has=70_000, needs=1, train_share=0.7)
