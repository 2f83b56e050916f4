import pytest

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.object_store.keys import check_key
from deep_images_hub.uploads.upload import (
    MAX_FILENAME_CHARACTERS,
    NewFile,
    NewUpload,
    UploadFile,
    landed_key,
    new_part_key,
    new_upload_key,
    place_of,
    shown_filename,
)


def file_of(position: int = 0, filename: str = "1.jpg", **given: object) -> UploadFile:
    nothing = dict.fromkeys(("sha256", "object_key", "landed_sha256", "taken_at", "place_id", "expected_reason"))
    values = {**nothing, "size_bytes": 10, "received_bytes": 0, "is_examined": False, **given}
    return UploadFile(position=position, filename=filename, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("IMG_1.jpg", "IMG_1.jpg"),
        ("../../a.jpg", "a.jpg"),
        ("C:\\x\\a.jpg", "a.jpg"),
        ("a\0b\u202e.jpg", "a_b_.jpg"),
        ("  ", "photograph"),
        ("folder/", "photograph"),
        ("e\u0301.jpg", "é.jpg"),
    ],
)
def test_shown_filename_keeps_what_can_be_seen(name: str, shown: str) -> None:
    assert shown_filename(name) == shown


def test_shown_filename_of_a_long_name_keeps_its_suffix() -> None:
    shown = shown_filename("x" * 1000 + ".jpeg")
    assert (len(shown), shown[-5:]) == (MAX_FILENAME_CHARACTERS, ".jpeg")


def test_keys_are_the_stores_and_are_not_guessed() -> None:
    key = new_upload_key("Hell's Kitchen / <b>")
    assert key != new_upload_key("Hell's Kitchen / <b>")
    check_key(new_part_key(key, 1, 5_000))
    assert landed_key(key, file_of(2, "a.JPG")) == f"landing/{key}/000002.jpg"
    assert landed_key(key, file_of(2, "a.j p/g")) == f"landing/{key}/000002"


@pytest.mark.parametrize(
    "said", [{"licence": "mine"}, {"licence": "by", "attribution": "x" * 201}, {"licence": "by", "attribution": "a\u202eb"}]
)
def test_new_upload_that_cannot_be_kept_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        NewUpload(label_id=1, **said)


def test_new_file_with_a_wrong_sha256_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="64 digits"):
        NewFile("1.jpg", 10, "ABC")


def test_file_is_known_again_by_name_size_and_where_possible_sha256() -> None:
    first, second = "1" * 64, "2" * 64
    assert file_of(sha256=first).is_same_as(NewFile("1.jpg", 10, first))
    assert file_of(sha256=first).is_same_as(NewFile("1.jpg", 10))
    assert not file_of(sha256=first).is_same_as(NewFile("1.jpg", 10, second))
    assert not file_of().is_same_as(NewFile("1.jpg", 11))
    assert not file_of().is_same_as(NewFile("2.jpg", 10))


def test_place_is_that_of_most_photographs() -> None:
    assert place_of([file_of(number, place_id=place) for number, place in enumerate([None, 7, 8, 8])]) == 8
    assert place_of([file_of()]) is None
