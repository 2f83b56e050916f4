import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deep_images_hub.batches.report import CSV_COLUMNS, FileReport, csv_lines

REFUSED = FileReport(
    position=0,
    filename='o\'neil, "best".jpg',
    size_bytes=1000,
    status="rejected",
    reason="blurry",
    detail=None,
    score=0.1234,
    threshold=0.26,
    image_sha256="a" * 64,
    width_px=400,
    height_px=300,
    is_public=False,
    cause="redecide",
    changed_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
)


def read(*files: FileReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(csv_lines(files)), newline="")))


def test_report_says_of_each_file_what_became_of_it_in_words() -> None:
    accepted = replace(
        REFUSED, position=1, status="accepted", reason=None, score=None, threshold=None, cause=None, changed_at=None
    )

    refused_row, accepted_row = read(REFUSED, accepted)

    assert refused_row == {
        "position": "0",
        "file": 'o\'neil, "best".jpg',
        "size_bytes": "1000",
        "status": "rejected",
        "reason": "blurry",
        "in_words": "blurred",
        "detail": "",
        "score": "0.1234",
        "threshold": "0.26",
        "sha256": "a" * 64,
        "changed_by": "a threshold was moved",
        "changed_at": "2026-03-01T12:00:00+00:00",
    }
    assert [accepted_row[name] for name in ("status", "reason", "in_words", "score", "changed_by")] == [
        "accepted",
        "",
        "",
        "",
        "",
    ]


def test_report_of_nothing_is_its_header() -> None:
    assert "".join(csv_lines([])) == ",".join(CSV_COLUMNS) + "\r\n"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum(a1)", "\tx", "\r=1"])
def test_file_name_that_a_spreadsheet_would_run_is_only_a_text(name: str) -> None:
    (row,) = read(replace(REFUSED, filename=name))

    assert row["file"] == "'" + name


@pytest.mark.parametrize("name", ["a\nb.jpg", 'x",=1', "漢.jpg", "ends with -"])
def test_odd_file_name_comes_back_as_it_was(name: str) -> None:
    (row,) = read(replace(REFUSED, filename=name))

    assert row["file"] == name
