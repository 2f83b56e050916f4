"""The dataset card: README.md of a download, for people, with the YAML front matter that dataset hubs read. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deep_images_hub.datasets.recipe import SPLITS
from deep_images_hub.licences import LICENCE_URLS

_SIZE_CATEGORIES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclass(frozen=True)
class LabelSplitCount:
    """How many pictures of a label a split has."""

    label_code: str
    label_name: str
    split: str
    image_count: int


@dataclass(frozen=True)
class AttributionCount:
    """How many pictures came under a licence with the same attribution text; None: the supplier asked for none."""

    licence: str
    attribution: str | None
    image_count: int


def dataset_card(
    *,
    name: str,
    digest: str,
    counts: Sequence[LabelSplitCount],
    attributions: Sequence[AttributionCount],
    folders: Mapping[str, str],
    layout: str,
    part: str = "",
    taken_down: int = 0,
) -> str:
    """Write the card of a version.

    Args:
        name: as its maker called it; may hold anything.
        digest: of its content.
        counts: all its labels and splits.
        attributions: all its licences.
        folders: folder names by label code.
        layout: what lies where, and how it is loaded; Markdown.
        part: what of the version this is, for people; empty: all of it.
        taken_down: pictures that versions before this patch had.
    """
    total = sum(count.image_count for count in counts)
    licences = sorted({attribution.licence for attribution in attributions})
    return "\n".join(
        [
            "---",
            # A JSON value is a YAML value, quoted whatever it holds.
            *(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in _front(name, total, licences).items()),
            "---",
            "",
            f"# {plain_markdown(name)}",
            "",
            *_summary(total, len({count.label_code for count in counts} if part else folders), digest, part),
            "",
            *_taken_down_section(taken_down),
            "## Layout",
            "",
            layout,
            "## Splits",
            "",
            "Pictures of one batch, and near-duplicates, never lie in two splits. A label with few batches may lack a split: its",
            "folder is there and empty, so that every split has the same class indices (torchvision: `allow_empty=True`).",
            "",
            *_split_table(counts, folders),
            "",
            "## Licences",
            "",
            "Each picture has its own, with its attribution, beside it; `LICENSES.csv` sums them up.",
            "",
            *(f"- {licence}: {LICENCE_URLS[licence]}" for licence in licences),
            "",
        ]
    )


def _taken_down_section(taken_down: int) -> list[str]:
    if not taken_down:
        return []
    return [
        "## Taken down",
        "",
        f"Pictures that an earlier version of this dataset had and that were taken down since: {taken_down:,}. This one has all",
        "others as they were. `manifest.json` names them by sha256, under `taken_down`: delete them from copies that you have.",
        "",
    ]


def split_names(counts: Iterable[LabelSplitCount]) -> list[str]:
    """Return the splits that have pictures, in their usual order."""
    present = {count.split for count in counts}
    return [split for split in SPLITS if split in present]


def _front(name: str, total: int, licences: Sequence[str]) -> dict[str, object]:
    return {
        "pretty_name": name,
        "license": _licence_tag(licences[0]) if len(licences) == 1 else "other",
        "task_categories": ["image-classification"],
        "annotations_creators": ["crowdsourced"],
        "size_categories": [next((tag for limit, tag in _SIZE_CATEGORIES if total < limit), "n>1M")],
    }


def _summary(images: int, labels: int, digest: str, part: str) -> list[str]:
    counted = f"{images:,} photographs of {labels:,} labels, from Deep Images Hub."
    if part:
        return [f"{counted} This is a part ({plain_markdown(part)}) of a dataset whose", f"content has the digest `{digest}`."]
    return [
        f"{counted} Its content has the digest",
        f"`{digest}`: whoever has a dataset with this digest has these pictures, labels and splits.",
    ]


def _split_table(counts: Sequence[LabelSplitCount], folders: Mapping[str, str]) -> list[str]:
    splits = split_names(counts)
    images = Counter({(count.label_code, count.split): count.image_count for count in counts})
    names = {count.label_code: count.label_name for count in counts}
    lines = [f"| label | folder | {' | '.join(splits)} |", f"| --- | --- |{' ---: |' * len(splits)}"]
    for code in sorted(names):
        cells = " | ".join(str(images[code, split]) for split in splits)
        lines.append(f"| {plain_markdown(names[code])} | {folders[code]} | {cells} |")
    return lines


def _licence_tag(licence: str) -> str:
    """Return a dataset hub's name of a licence code, e.g. `cc-by-4.0`."""
    if licence == "cc0":
        return "cc0-1.0"
    return "other" if licence == "pdm" else f"cc-{licence}-4.0"


def plain_markdown(text: str) -> str:
    """Return a name as text that Markdown neither formats nor breaks."""
    escaped = " ".join(text.split())
    for mark in "\\`*_[]<>|#":
        escaped = escaped.replace(mark, "\\" + mark)
    return escaped
