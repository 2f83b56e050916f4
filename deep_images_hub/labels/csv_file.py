"""Read labels from a plain CSV: a header line `label,parent`, then one line for each label and parent.

A label is its own code. A line without a parent makes a root; a label with several parents has several lines.
"""

from pathlib import Path

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.labels.graph import LabelGraph, graph_from_pairs
from deep_images_hub.labels.text_file import csv_rows

HEADER = ["label", "parent"]


def read_label_csv(file: Path) -> LabelGraph:
    """Return the labels of a CSV file.

    Raises:
        NotFoundError: the file does not exist.
        InvalidInputError: the file has another form; the message names the line.
    """
    pairs = []
    for number, row in csv_rows(file, HEADER):
        if len(row) > 2 or not row[0].strip():
            raise InvalidInputError(f"Line {number} of {file} is {','.join(row)!r}. Expected: label,parent.")
        pairs.append((row[0], row[1] if len(row) == 2 else None))
    if not pairs:
        raise InvalidInputError(f"{file} names no label. Expected lines of label,parent under the header line.")
    return graph_from_pairs(pairs)
