"""A confusion matrix as rows of a table. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from deep_images_hub.model_reports.confusions import MatrixCell

# A larger matrix is no picture any more: its confusions are listed instead.
MATRIX_LABELS = 120
# Up to here the matrix stands open on the page; beyond, it waits to be unfolded: it has a link in every cell.
OPEN_LABELS = 30
_TINTS = 4


@dataclass(frozen=True)
class Gap:
    """Cells without pictures, side by side."""

    columns: int


@dataclass(frozen=True)
class TintedCell(MatrixCell):
    """A cell with pictures. tint: 1 to 4, by their share of the label's pictures."""

    tint: int


MatrixRow = list[TintedCell | Gap]


def matrix_rows(cells: Sequence[MatrixCell], label_count: int) -> list[MatrixRow]:
    """Return a matrix row by row, its empty cells gathered.

    Args:
        cells: those with pictures, by row, then column.
        label_count: of rows and of columns.
    """
    rows: list[MatrixRow] = [[] for _ in range(label_count)]
    reached = [0] * label_count
    for cell in cells:
        row = rows[cell.row]
        if cell.column > reached[cell.row]:
            row.append(Gap(cell.column - reached[cell.row]))
        tint = min(_TINTS, 1 + int(cell.share * _TINTS))
        row.append(TintedCell(cell.row, cell.column, cell.count, cell.share, tint))
        reached[cell.row] = cell.column + 1
    for row, columns in zip(rows, reached, strict=True):
        if columns < label_count:
            row.append(Gap(label_count - columns))
    return rows
