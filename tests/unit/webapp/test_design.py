"""Colours of the stylesheet against what WCAG 2.2 AA asks for, in both schemes."""

import re

import pytest

from webapp.design import PAIRS, STYLESHEET, colours, contrast, contrasts, sizes

STYLE = STYLESHEET.read_text(encoding="utf-8")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    # The grey that is known as the lightest to be read on white.
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("pair", contrasts(STYLE), ids=lambda pair: f"{pair.ink} on {pair.ground}")
def test_colours_are_far_enough_apart_in_light_and_dark(pair) -> None:
    assert pair.is_enough, pair.ratios


def test_browsers_that_know_light_alone_get_the_same_light() -> None:
    plain = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", STYLE))
    assert plain == {name: light for name, (light, _) in colours(STYLE).items()}
    # What they skip is all that they do not know.
    assert "light-dark(" not in STYLE.partition("@supports (color: light-dark(")[0]


def test_stylesheet_has_what_the_design_page_shows() -> None:
    assert {name for ink, ground, _ in PAIRS for name in (ink, ground)} <= colours(STYLE).keys()
    assert {"text-m", "space-4", "radius"} <= sizes(STYLE).keys()
