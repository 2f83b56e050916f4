"""What the pages of a dataset version show of its composition and its licences, and where its pictures stand. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from deep_images_hub.datasets.card import AttributionCount, LabelSplitCount, split_names
from deep_images_hub.errors import NotFoundError
from deep_images_hub.licences import LICENCE_URLS
from webapp.charts import BarPart, stacked_bar


@dataclass(frozen=True)
class LabelRow:
    """A label of a version.

    Attributes:
        images: by split, every split of the version in it.
        bar: as wide as the label has pictures, compared with the label that has most.
    """

    code: str
    name: str
    images: dict[str, int]
    bar: list[BarPart]

    @property
    def total(self) -> int:
        """All its pictures."""
        return sum(self.images.values())


@dataclass(frozen=True)
class Composition:
    """The labels of a version, those with most pictures first, and its splits.

    Attributes:
        splits: those that have pictures, in their usual order.
        images: by split.
        bar: the splits, one behind the other.
        untested: labels without a picture in the test.
    """

    splits: list[str]
    images: dict[str, int]
    bar: list[BarPart]
    labels: list[LabelRow]
    untested: int


@dataclass(frozen=True)
class LicenceRow:
    """A licence of a version. share: of the pictures, 0..1. named: how many different attributions it asks for."""

    licence: str
    url: str
    image_count: int
    share: float
    named: int


def composition(counts: Sequence[LabelSplitCount]) -> Composition:
    """Put the counts of a version in order for its page. With hundreds of labels that takes longer than the rest of it."""
    splits = split_names(counts)
    images = Counter({(count.label_code, count.split): count.image_count for count in counts})
    names = {count.label_code: count.label_name for count in counts}
    by_label = {code: {split: images[code, split] for split in splits} for code in names}
    largest = max((sum(of.values()) for of in by_label.values()), default=1)
    labels = [LabelRow(code, names[code], of, stacked_bar(of, full=largest)) for code, of in by_label.items()]
    labels.sort(key=lambda label: (-label.total, label.name.casefold(), label.code))
    totals = {split: sum(of[split] for of in by_label.values()) for split in splits}
    return Composition(
        splits=splits,
        images=totals,
        bar=stacked_bar(totals, full=sum(totals.values())),
        labels=labels,
        untested=sum(not of.get("test") for of in by_label.values()),
    )


def positions_of(counts: Sequence[LabelSplitCount], label_code: str | None) -> range:
    """Return where a version's pictures stand, or those of one label: it goes by label.

    Args:
        counts: of the version, by label code.

    Raises:
        NotFoundError: the version has no such label.
    """
    images = Counter[str]()
    for count in counts:
        images[count.label_code] += count.image_count
    if label_code is None:
        return range(images.total())
    if label_code not in images:
        raise NotFoundError(f"This dataset has no label with the code {label_code[:100]!r}.")
    start = 0
    for code, of in images.items():
        if code == label_code:
            break
        start += of
    return range(start, start + images[label_code])


def licence_rows(attributions: Sequence[AttributionCount]) -> list[LicenceRow]:
    """Sum the attributions of a version up by licence, the most frequent first."""
    images: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for of in attributions:
        images[of.licence] += of.image_count
        named[of.licence] += of.attribution is not None
    total = images.total()
    return [
        LicenceRow(licence, LICENCE_URLS[licence], count, count / total, named[licence])
        for licence, count in images.most_common()
    ]
