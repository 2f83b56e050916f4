"""What a model takes for what: its largest confusions, and the matrix as rows of a table. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.charts import MatrixCell

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


def largest_confusions(cells: Sequence[MatrixCell], *, limit: int | None = None) -> list[MatrixCell]:
    """Return the cells of wrong answers, those with most pictures first; equal ones by their share of the label's."""
    wrong = [cell for cell in cells if not cell.is_right]
    return sorted(wrong, key=lambda cell: (-cell.count, -cell.share, cell.row, cell.column))[:limit]


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
