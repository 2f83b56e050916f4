"""The composition of a version as its page shows it, and where its pictures stand."""

import pytest

from deep_images_hub.datasets.card import AttributionCount, LabelSplitCount
from deep_images_hub.errors import NotFoundError
from webapp.version_page import composition, licence_rows, positions_of


def test_composition_has_the_largest_label_first_and_bars_that_add_up() -> None:
    counts = (
        LabelSplitCount("/m/a", "Apple", "train", 3),
        LabelSplitCount("/m/b", "Bread", "test", 2),
        LabelSplitCount("/m/b", "Bread", "train", 6),
    )
    shown = composition(counts)
    assert (shown.splits, shown.images, shown.untested) == (["train", "test"], {"train": 9, "test": 2}, 1)
    assert [(label.name, label.total) for label in shown.labels] == [("Bread", 8), ("Apple", 3)]
    assert [(part.name, part.start, part.width) for part in shown.labels[0].bar] == [("train", 0, 75), ("test", 75, 25)]
    assert [(part.name, part.start, part.width) for part in shown.labels[1].bar] == [("train", 0, 37.5)]
    assert sum(part.width for part in shown.bar) == 100


def test_licences_are_summed_up_with_the_names_that_they_ask_for() -> None:
    rows = licence_rows([AttributionCount("by", "Ada", 1), AttributionCount("by", "Bo", 2), AttributionCount("cc0", None, 9)])
    assert [(row.licence, row.image_count, row.share, row.named) for row in rows] == [("cc0", 9, 0.75, 0), ("by", 3, 0.25, 2)]


def test_pictures_of_a_label_stand_together_behind_those_of_labels_before() -> None:
    counts = [
        LabelSplitCount("/m/a", "Apple", "test", 1),
        LabelSplitCount("/m/a", "Apple", "train", 3),
        LabelSplitCount("/m/b", "Bread", "train", 6),
    ]
    assert positions_of(counts, None) == range(10)
    assert (positions_of(counts, "/m/a"), positions_of(counts, "/m/b")) == (range(4), range(4, 10))
    with pytest.raises(NotFoundError, match="no label with the code '/m/c'"):
        positions_of(counts, "/m/c")
