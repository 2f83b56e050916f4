"""Read labels from a plain CSV: a header line `label,parent`, then one line for each label and parent.

A label is its own code. A line without a parent makes a root; a label with several parents has several lines.
"""

import csv
from pathlib import Path

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.labels.graph import LabelGraph, graph_from_pairs
from deep_images_hub.labels.text_file import open_text

HEADER = ["label", "parent"]


def read_label_csv(file: Path) -> LabelGraph:
    """Return the labels of a CSV file.

    Raises:
        NotFoundError: the file does not exist.
        InvalidInputError: the file has another form; the message names the line.
    """
    pairs = []
    with open_text(file) as lines:
        rows = csv.reader(lines, strict=True)
        try:
            header = [cell.strip().lower() for cell in next(rows, [])]
            if header != HEADER:
                raise InvalidInputError(f"{file} begins with {','.join(header)!r}. Expected the header line 'label,parent'.")
            for row in rows:
                if not any(cell.strip() for cell in row):
                    continue
                if len(row) > 2 or not row[0].strip():
                    raise InvalidInputError(f"Line {rows.line_num} of {file} is {','.join(row)!r}. Expected: label,parent.")
                pairs.append((row[0], row[1] if len(row) == 2 else None))
        except csv.Error as error:
            raise InvalidInputError(f"Line {rows.line_num} of {file} is not CSV: {error}.") from error
    if not pairs:
        raise InvalidInputError(f"{file} names no label. Expected lines of label,parent under the header line.")
    return graph_from_pairs(pairs)
