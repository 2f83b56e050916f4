import random

import pytest

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.images.examine import examine, limits_from_settings
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.defects import DEFAULT_RATES, DEFECTS, NO_DEFECTS, UNCHANGED, plant, rates_from_text
from deep_images_hub.simulation.scenes import render


@pytest.mark.parametrize("defect", sorted(set(DEFECTS) - UNCHANGED))
def test_planted_defect_is_found_or_forgiven_as_it_says(defect: str) -> None:
    limits = limits_from_settings(Settings())
    for index, label in enumerate(("Apple", "Lumo cola can", "Crunch cereal box", "Grove olive oil", "Striped mug")):
        honest = render(2, label, index)
        body, _ = plant(honest, defect, random.Random(index))
        assert body != honest
        assert examine(body, limits).reason == DEFECTS[defect].expected_reason, label


def test_planting_is_deterministic() -> None:
    honest = render(2, "Apple", 0)
    assert plant(honest, "near_duplicate", random.Random(5)) == plant(honest, "near_duplicate", random.Random(5))


def test_error_pages_are_never_the_same_file() -> None:
    assert plant(b"", "html", random.Random(1)) != plant(b"", "html", random.Random(2))


def test_defect_that_needs_a_sound_photograph_refuses_a_broken_one() -> None:
    with pytest.raises(InvalidInputError, match="broken already"):
        plant(b"no photograph", "blurry", random.Random(0))


def test_rates_are_read_from_words_and_lists() -> None:
    assert rates_from_text("none") == NO_DEFECTS == {}
    assert rates_from_text("default") == DEFAULT_RATES
    assert rates_from_text("truncated=0.5, dark=0.25") == {"truncated": 0.5, "dark": 0.25}


@pytest.mark.parametrize("text", ["", "all", "truncated", "truncated=many", "truncated=0.6,dark=0.6", "dark=-1", "unknown=0.1"])
def test_wrong_rates_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        rates_from_text(text)
