"""What a model finds in a picture, laid over the part of it that the model saw."""

import pytest

from webapp.heat import heat


def test_map_covers_the_middle_square_that_the_network_sees() -> None:
    found = heat([[1.0, 2.0], [4.0, 0.5]], width_px=512, height_px=256)

    assert (found.width, found.height) == (512, 256)
    first, *_, last = found.cells
    assert (first.x, first.y, first.width, first.height) == (144, 16, 112, 112)
    assert (last.x, last.y) == (256, 128)
    assert [cell.opacity for cell in found.cells] == pytest.approx([0.2, 0.4, 0.8, 0.1])


def test_what_speaks_against_an_answer_is_not_shown() -> None:
    assert [cell.opacity for cell in heat([[-5.0, 1.0]], width_px=9, height_px=9).cells] == [0.8]
    assert heat([[-5.0, 0.0]], width_px=9, height_px=9).cells == ()
