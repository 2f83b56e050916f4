import base64
import hashlib

import pytest

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.landing.download import Download
from deep_images_hub.landing.open_images import SkippedRows, downloads, labels_of_images

LABELS = """\
ImageID,Source,LabelName,Confidence
000a,verification,/m/apple,1
000a,verification,/m/pear,0
000b,crowdsource-verification,/m/apple,1.0
000b,verification,/m/pear,1
000c,verification,/m/unwanted,1
000d,machine,/m/apple,0.7
000e,verification,/m/apple,?
""".splitlines(keepends=True)
HEAD = "ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title,OriginalSize,OriginalMD5,Rotation\n"
MD5 = base64.b64encode(hashlib.md5(b"x").digest()).decode()
BY = "https://creativecommons.org/licenses/by/2.0/"


def row(**changes: str) -> str:
    fields = {
        "ImageID": "000a",
        "Subset": "train",
        "OriginalURL": "https://farm1.example.org/1_o.jpg",
        "OriginalLandingURL": "https://www.example.org/photos/1",
        "License": BY,
        "AuthorProfileURL": "https://www.example.org/people/ada",
        "Author": '"Ada ""the camera"" Berg"',
        "Title": '"one, two"',
        "OriginalSize": "1234",
        "OriginalMD5": MD5,
        "Rotation": "90.0",
    }
    return ",".join((fields | changes).values()) + "\n"


def read(*rows: str, labels: dict[str, str] | None = None) -> tuple[list[Download], dict[str, int]]:
    skipped = SkippedRows()
    found = list(downloads([HEAD, *rows], labels or {"000a": "/m/apple"}, skipped))
    return found, dict(skipped.by_reason)


def test_images_have_the_rarest_label_that_people_verified() -> None:
    assert labels_of_images(LABELS, {"/m/apple", "/m/pear"}) == {"000a": "/m/apple", "000b": "/m/pear"}
    assert labels_of_images(LABELS, {"/m/apple"}) == {"000a": "/m/apple", "000b": "/m/apple"}


def test_picture_of_the_list_says_where_it_is_and_whom_to_credit() -> None:
    (download,), skipped = read(row())
    assert download == Download(
        name="000a",
        url="https://farm1.example.org/1_o.jpg",
        label_code="/m/apple",
        licence="by",
        attribution=f'Ada "the camera" Berg, https://www.example.org/people/ada, {BY}',
        size_bytes=1234,
        md5=hashlib.md5(b"x").hexdigest(),
    )
    assert skipped == {}


def test_what_the_list_leaves_open_is_open() -> None:
    (download,), _ = read(row(OriginalSize="", OriginalMD5="", Author='"A\x01b"', AuthorProfileURL=""))
    assert (download.size_bytes, download.md5, download.attribution) == (None, None, f"A b, {BY}")
    (download,), _ = read(row(OriginalSize="1e9", OriginalMD5="not base64!"))
    assert (download.size_bytes, download.md5) == (None, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ImageID": "000z"}, "no label that is wanted"),
        ({"OriginalURL": ""}, "no id or address that can be used"),
        ({"OriginalURL": "file:///etc/passwd"}, "no id or address that can be used"),
        ({"OriginalURL": "https://example.org/a\x00.jpg"}, "no id or address that can be used"),
        ({"OriginalURL": "https://example.org/a b.jpg"}, "no id or address that can be used"),
        ({"OriginalURL": "https://example.org/é.jpg"}, "no id or address that can be used"),
        ({"License": "https://example.org/all-rights-reserved"}, "a licence that the hub does not take"),
        ({"License": "https://creativecommons.org/licenses/sampling/1.0/"}, "a licence that the hub does not take"),
    ],
)
def test_row_that_cannot_be_used_is_counted_by_reason(changes: dict[str, str], reason: str) -> None:
    assert read(row(**changes)) == ([], {reason: 1})


def test_name_that_would_lead_elsewhere_is_left_out() -> None:
    assert read(row(ImageID="../x"), labels={"../x": "/m/apple"}) == ([], {"no id or address that can be used": 1})


@pytest.mark.parametrize(
    ("licence", "code"),
    [("licenses/by-nc-sa/2.0/", "by-nc-sa"), ("publicdomain/zero/1.0/", "cc0"), ("publicdomain/mark/1.0/", "pdm")],
)
def test_licences_are_known_by_their_addresses(licence: str, code: str) -> None:
    (download,), _ = read(row(License=f"http://creativecommons.org/{licence}"))
    assert download.licence == code


def test_other_files_are_refused_by_the_column_that_is_missing() -> None:
    with pytest.raises(InvalidInputError, match=r"human-verified image labels: the column 'LabelName' is missing"):
        labels_of_images(["ImageID,Name\n", "1,2\n"], {"x"})
    with pytest.raises(InvalidInputError, match=r"image ids: the column 'ImageID' is missing"):
        list(downloads([], {}, SkippedRows()))
    with pytest.raises(InvalidInputError, match=r"After line 1 .* cannot be read"):
        read(row(Title='"' + "x" * 200_000 + '"'))
