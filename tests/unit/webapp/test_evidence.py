"""What a model finds in a picture, laid over the part of it that the model saw."""

import pytest

from webapp.evidence import evidence_map


def test_map_covers_the_middle_square_that_the_network_sees() -> None:
    found = evidence_map([[1.0, 2.0], [4.0, 0.0]], width_px=512, height_px=256)

    assert (found.width, found.height) == (512, 256)
    assert (found.left, found.top, found.side) == (144, 16, 224)
    first, *_, last = found.shades
    assert (first.x, first.y, first.width, first.height) == (144, 16, 112, 112)
    assert (last.x, last.y) == (256, 128)


def test_place_that_speaks_most_has_no_shade_and_what_speaks_against_it_has_all() -> None:
    found = evidence_map([[1.0, 4.0, -3.0]], width_px=9, height_px=9)

    assert [shade.opacity for shade in found.shades] == [
        pytest.approx(0.75 * found.frame_opacity, abs=0.01),
        0,
        found.frame_opacity,
    ]
    assert {shade.opacity for shade in evidence_map([[-5.0, 0.0]], width_px=9, height_px=9).shades} == {found.frame_opacity}
