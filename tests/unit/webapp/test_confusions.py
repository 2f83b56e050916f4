from deep_images_hub.model_reports.confusions import largest_confusions, matrix_cells
from webapp.confusions import Gap, TintedCell, matrix_rows

COUNTS = [[3, 1, 0, 0], [0, 0, 0, 4], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_matrix_rows_keep_every_column_and_gather_empty_cells() -> None:
    rows = matrix_rows(matrix_cells(COUNTS), 4)

    assert rows[0] == [TintedCell(0, 0, 3, 0.75, 4), TintedCell(0, 1, 1, 0.25, 2), Gap(2)]
    assert rows[1] == [Gap(3), TintedCell(1, 3, 4, 1.0, 4)]
    assert rows[3] == [Gap(4)]
    for row in rows:
        assert sum(cell.columns if isinstance(cell, Gap) else 1 for cell in row) == 4


def test_largest_confusions_leave_out_what_is_right_and_break_ties_by_share() -> None:
    found = largest_confusions(matrix_cells(COUNTS))

    assert [(cell.row, cell.column) for cell in found] == [(1, 3), (2, 1), (0, 1)]
    assert largest_confusions(matrix_cells(COUNTS), limit=1) == found[:1]


def test_matrix_cells_are_shares_of_the_label() -> None:
    cells = {(cell.row, cell.column): (cell.count, cell.share, cell.is_right) for cell in matrix_cells([[3, 1], [0, 0]])}
    assert cells == {(0, 0): (3, 0.75, True), (0, 1): (1, 0.25, False)}
