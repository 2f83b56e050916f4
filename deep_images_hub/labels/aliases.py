"""Read what else labels are called from a CSV: a header line `label,also_called`, then one line for each label and word."""

from pathlib import Path

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.labels.graph import MAX_TEXT_LENGTH, clean_text
from deep_images_hub.labels.text_file import csv_rows

HEADER = ["label", "also_called"]


def read_aliases(file: Path) -> list[tuple[str, str]]:
    """Return pairs of a label, by code or name, and what else it is called.

    Raises:
        NotFoundError: the file does not exist.
        InvalidInputError: the file has another form; the message names the line.
    """
    pairs = []
    for number, row in csv_rows(file, HEADER):
        cells = [clean_text(cell) for cell in row]
        if len(cells) != 2 or not all(0 < len(cell) <= MAX_TEXT_LENGTH for cell in cells):
            raise InvalidInputError(
                f"Line {number} of {file} is {','.join(row)[:MAX_TEXT_LENGTH]!r}. Expected: label,also_called, "
                f"each of 1 to {MAX_TEXT_LENGTH} characters."
            )
        pairs.append((cells[0], cells[1]))
    return pairs
