"""What a model takes for what: the cells of its confusion matrix. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class MatrixCell:
    """A cell of a confusion matrix: so many pictures of one label were called another.

    Attributes:
        row, column: class indices of the label and of the answer.
        count: pictures.
        share: of the label's pictures, 0..1.
    """

    row: int
    column: int
    count: int
    share: float

    @property
    def is_right(self) -> bool:
        """Whether label and answer are the same."""
        return self.row == self.column


def matrix_cells(confusion: Sequence[Sequence[int]]) -> list[MatrixCell]:
    """Return the cells that hold pictures of a confusion matrix: rows are labels, columns are answers, both by class index."""
    cells = []
    for row, counts in enumerate(confusion):
        total = sum(counts)
        cells += [MatrixCell(row, column, count, count / total) for column, count in enumerate(counts) if count]
    return cells


def largest_confusions(cells: Sequence[MatrixCell], *, limit: int | None = None) -> list[MatrixCell]:
    """Return the cells of wrong answers, those with most pictures first; equal ones by their share of the label's."""
    wrong = [cell for cell in cells if not cell.is_right]
    return sorted(wrong, key=lambda cell: (-cell.count, -cell.share, cell.row, cell.column))[:limit]
