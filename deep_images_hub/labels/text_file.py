"""Open a label file for reading, with errors for people."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from deep_images_hub.errors import InvalidInputError, NotFoundError


@contextmanager
def open_text(file: Path) -> Iterator[TextIO]:
    """Open a UTF-8 file, with or without a byte order mark, line ends as they are.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: it is a folder, may not be read, or is not UTF-8.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            yield stream
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {file}. Give the path of a label file.") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"{file} is not text in UTF-8: {error.reason} at byte {error.start}. Save it as UTF-8."
        ) from error
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror}.") from error


def csv_rows(file: Path, header: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV below its header line, each with the number of its line; those that are blank are left out.

    Raises:
        NotFoundError, InvalidInputError: as `open_text`; the header is another one, or a line is not CSV.
    """
    with open_text(file) as lines:
        rows = csv.reader(lines, strict=True)
        try:
            found = [cell.strip().lower() for cell in next(rows, [])]
            if found != header:
                raise InvalidInputError(f"{file} begins with {','.join(found)!r}. Expected the header line {','.join(header)!r}.")
            for row in rows:
                if any(cell.strip() for cell in row):
                    yield rows.line_num, row
        except csv.Error as error:
            raise InvalidInputError(f"Line {rows.line_num} of {file} is not CSV: {error}.") from error
