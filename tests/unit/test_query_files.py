import re
from pathlib import Path

import pytest

from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.resources import resource
from deep_images_hub.verdicts import CHECKS, REASONS, REVIEW_REASONS

FOLDER = resource("sql/queries")
assert isinstance(FOLDER, Path)
FILES = sorted(FOLDER.glob("*.sql"))
ROOT = FOLDER.parent.parent
CODE = "\n".join(
    file.read_text(encoding="utf-8")
    for package in ("deep_images_hub", "spark_jobs", "webapp", "tests/integration")
    for file in (ROOT / package).rglob("*.py")
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_query_file_begins_with_its_question_and_names_its_parameters_and_columns(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    comment = "\n".join(line for line in lines if line.startswith("--"))
    parameters = load_query(file.stem)._bindparams

    assert lines[0].startswith("-- ")
    assert "-- Columns:" in comment
    assert [name for name in parameters if not re.search(rf"\b{name}\b", comment)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_query_file_reads_by_keyset_and_no_comment_reaches_the_driver(file: Path) -> None:
    statement = load_query(file.stem).text.lower()

    assert not re.search(r"\boffset\b", statement)
    assert "--" not in statement


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_query_file_is_used(file: Path) -> None:
    assert f'"{file.stem}"' in CODE


def test_effect_of_a_threshold_knows_the_reasons_in_the_order_in_which_they_count() -> None:
    in_order, for_review = re.findall(r"array\[([^\]]*)\] as", load_query("threshold_effect").text)
    assert re.findall(r"'(\w+)'", in_order) == [reason for reason in REASONS if reason in CHECKS]
    assert re.findall(r"'(\w+)'", for_review) == list(REVIEW_REASONS)
