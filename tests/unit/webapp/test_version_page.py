"""The composition of a version as its page shows it."""

from deep_images_hub.datasets.card import AttributionCount, LabelSplitCount
from webapp.version_page import composition, licence_rows


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
