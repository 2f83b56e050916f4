"""Which part of a dataset version an export is of. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from deep_images_hub.datasets.recipe import SPLITS
from deep_images_hub.errors import InvalidInputError

# More of a split than this is a dataset of its own: freeze one with a limit per label.
MAX_FIRST = 10_000


@dataclass(frozen=True)
class Part:
    """A part of a version; without any of these, the whole. They hold together: ten pictures of one label's test split.

    Class indices are those of the whole version, whatever the part is, so that parts can be put together.

    Attributes:
        split: only this one of SPLITS.
        label_code: only pictures of this label.
        first: at most so many pictures of each split, of each label by its share; more pictures hold the fewer ones.
    """

    split: str | None = None
    label_code: str | None = None
    first: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the version."""
        return self == Part()

    @property
    def query(self) -> dict[str, str]:
        """Return the part as `part_from_query` reads it."""
        named = {"split": self.split, "label": self.label_code, "first": self.first}
        return {name: str(value) for name, value in named.items() if value is not None}

    @property
    def key(self) -> str:
        """The one spelling of this part; empty: the whole."""
        return urlencode(self.query)


def part_from_query(query: Mapping[str, str], *, label_codes: Collection[str]) -> Part:
    """Read a part from the values of an address; an empty value is none.

    Args:
        query: may hold other values too.
        label_codes: of the version.

    Raises:
        InvalidInputError: a value names nothing that the version has.
    """
    split, label_code, first = (query.get(name) or None for name in ("split", "label", "first"))
    if split is not None and split not in SPLITS:
        raise InvalidInputError(f"{split[:40]!r} is not a split. Expected one of: {', '.join(SPLITS)}.")
    if label_code is not None and label_code not in label_codes:
        raise InvalidInputError(
            f"This dataset has no label {label_code[:60]!r}. Expected the code of one of its {len(label_codes)} labels, "
            "as its labels.csv names them."
        )
    if first is not None and not (first.isascii() and first.isdecimal() and len(first) <= 9 and 1 <= int(first) <= MAX_FIRST):
        raise InvalidInputError(f"first is {first[:40]!r}; expected a whole number from 1 to {MAX_FIRST}, or nothing for all.")
    return Part(split=split, label_code=label_code, first=int(first) if first else None)
