import csv
import io

import pytest

from deep_images_hub.datasets.exports.lists import csv_blocks
from deep_images_hub.spreadsheets import harmless_cell

HOSTILE = ['=HYPERLINK("http://evil.example")', "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＠x"]


@pytest.mark.parametrize("cell", HOSTILE, ids=repr)
def test_cell_that_a_spreadsheet_would_run_begins_with_an_apostrophe(cell) -> None:
    assert harmless_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Apple", "/m/014j1m", "a=b", "'s-Hertogenbosch", "", None, -3, 0.5], ids=repr)
def test_other_cell_stays_what_it_is(cell) -> None:
    assert harmless_cell(cell) is cell


def test_no_list_of_a_dataset_holds_a_formula() -> None:
    text = b"".join(csv_blocks(("label", "class_index"), [(cell, -1) for cell in HOSTILE])).decode()
    read = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert all(row[0].startswith("'") for row in read)
    assert {row[1] for row in read} == {"-1"}
