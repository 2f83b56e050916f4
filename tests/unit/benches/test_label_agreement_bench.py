"""How the bench of wrong labels counts."""

import pytest

from deep_images_hub.benches.label_agreement import Judged, quality
from deep_images_hub.errors import InvalidInputError

JUDGED = [
    Judged(0.05, is_wrong=True, is_sibling=False),
    Judged(0.15, is_wrong=True, is_sibling=True),
    Judged(0.90, is_wrong=True, is_sibling=False),
    Judged(None, is_wrong=True, is_sibling=True),
    Judged(0.10, is_wrong=False, is_sibling=False),
    *[Judged(0.80, is_wrong=False, is_sibling=False)] * 8,
    Judged(None, is_wrong=False, is_sibling=False),
]


def test_quality_counts_what_could_not_be_judged_as_not_doubted() -> None:
    found = quality(JUDGED, 0.2)

    assert found.recall == 0.5
    assert found.recall_between_kinds == 0.5
    assert found.honest_doubted == 0.1
    assert found.precision == pytest.approx(2 / 3, abs=1e-4)
    assert quality(JUDGED, 0.01).precision is None


def test_quality_without_any_wrong_label_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="0 of 10 pictures have a wrong label"):
        quality([one for one in JUDGED if not one.is_wrong], 0.2)
