"""A recipe: which pictures a dataset is made of, said so that it can be said again.

Labels and pictures are named by code and by sha256, never by an id, so that a recipe means the same on every hub. Two recipes
that ask for the same thing have the same canonical JSON and the same digest. Pure: `freeze` applies it to the catalogue.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from rapidfuzz import fuzz, process

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.licences import LICENCES

SPLITS = ("train", "validation", "test")
MAX_LABELS = 2_000
MAX_SEED = 2**63 - 1
# Raised when the same fields come to mean something else; part of the digest.
RECIPE_FORMAT = 1

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class SplitFractions:
    """What share of each label's pictures goes where. They add up to 1; a split with 0 does not exist.

    Raises:
        InvalidInputError: a fraction lies outside 0..1, train is 0, or they do not add up to 1.
    """

    train: float = 0.7
    validation: float = 0.15
    test: float = 0.15

    def __post_init__(self) -> None:
        for split in SPLITS:
            # 0.1 + 0.2 and 0.3 are one fraction to their reader: rounded, they are one recipe too.
            object.__setattr__(self, split, round(float(getattr(self, split)), 6))
        fractions = (self.train, self.validation, self.test)
        if not all(0 <= fraction <= 1 for fraction in fractions) or abs(sum(fractions) - 1) > 1e-5:
            raise InvalidInputError(
                f"The splits are {fractions}; expected three fractions from 0 to 1 (train, validation, test) that add up to 1."
            )
        if self.train == 0:
            raise InvalidInputError("The split `train` is 0: nothing could be learnt from such a dataset. Give it a share.")

    def of(self, split: str) -> float:
        """Return the fraction of one of SPLITS."""
        return float(getattr(self, split))


@dataclass(frozen=True)
class Recipe:
    """What a dataset is to hold. Every condition must hold for a picture; the lists are sets, kept in order.

    Attributes:
        label_codes: pictures whose current label is one of these.
        with_descendants: and the labels under them too, each under its own name.
        pictures: sha256 of single pictures, wanted besides those of the labels.
        left_out: sha256 of pictures that are not wanted.
        max_per_label: at most so many pictures of a label, drawn by the seed; None: all.
        city: only pictures of batches from this city; None: from anywhere, or from nobody knows where.
        licences: only these licences; empty: any.
        min_quality: only pictures whose quality score is at least this, 0 (any) to 1.
        seed: draws pictures and splits.
        fractions: the splits.

    Raises:
        InvalidInputError: a value cannot be used; the message says which and what was expected.
    """

    label_codes: tuple[str, ...] = ()
    with_descendants: bool = True
    pictures: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    max_per_label: int | None = None
    city: str | None = None
    licences: tuple[str, ...] = ()
    min_quality: float = 0.0
    seed: int = 0
    fractions: SplitFractions = SplitFractions()

    def __post_init__(self) -> None:
        for name in ("label_codes", "pictures", "left_out", "licences"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))
        object.__setattr__(self, "min_quality", round(float(self.min_quality), 6))
        city = " ".join(unicodedata.normalize("NFC", self.city).split()) if self.city else None
        object.__setattr__(self, "city", city or None)
        self._check()

    def _check(self) -> None:
        if not self.label_codes and not self.pictures:
            raise InvalidInputError("The recipe names no label and no picture. Choose at least one.")
        if len(self.label_codes) > MAX_LABELS:
            raise InvalidInputError(
                f"The recipe names {len(self.label_codes)} labels; at most {MAX_LABELS} are possible. Name a label above them."
            )
        for sha256 in (*self.pictures, *self.left_out):
            if not _SHA256.fullmatch(sha256):
                raise InvalidInputError(f"{sha256!r} is not a picture: expected its sha256, 64 digits from 0-9a-f.")
        if self.max_per_label is not None and self.max_per_label < 1:
            raise InvalidInputError(f"max_per_label is {self.max_per_label}; expected 1 or more, or nothing for no limit.")
        for licence in self.licences:
            if licence not in LICENCES:
                raise InvalidInputError(f"{licence!r} is not a licence here. Expected some of: {', '.join(LICENCES)}.")
        if not 0 <= self.min_quality <= 1:
            raise InvalidInputError(f"min_quality is {self.min_quality}; expected a score from 0 (any) to 1 (best).")
        if not 0 <= self.seed <= MAX_SEED:
            raise InvalidInputError(f"The seed is {self.seed}; expected a whole number from 0 to {MAX_SEED}.")

    @property
    def body(self) -> dict[str, Any]:
        """The recipe as plain JSON values, every field named. `recipe_from_body` reads it again."""
        return {"format": RECIPE_FORMAT, **asdict(self)}

    @property
    def canonical_json(self) -> str:
        """The one spelling of this recipe: sorted keys, no spaces."""
        return json.dumps(self.body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def digest(self) -> str:
        """sha256 of the canonical JSON, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical_json.encode()).hexdigest()


def recipe_from_body(body: Mapping[str, Any]) -> Recipe:
    """Read a recipe from JSON values; fields that are not given have their defaults.

    Raises:
        InvalidInputError: a field is unknown (the nearest one is named), has another type, or a value cannot be used.
    """
    known = {field.name for field in fields(Recipe)}
    values = {name: value for name, value in body.items() if name != "format"}
    for name in values:
        if name not in known:
            raise InvalidInputError(f"A recipe has no field {name!r}.{_did_you_mean(name, known)}")
    if body.get("format", RECIPE_FORMAT) != RECIPE_FORMAT:
        raise InvalidInputError(f"The recipe has format {body['format']!r}; this hub reads format {RECIPE_FORMAT}.")
    for name in ("label_codes", "pictures", "left_out", "licences"):
        if name in values:
            values[name] = _texts(name, values[name])
    for name, kinds in {"max_per_label": (int, type(None)), "seed": (int,), "min_quality": (int, float)}.items():
        _check_type(name, values, kinds)
    _check_type("city", values, (str, type(None)))
    if not isinstance(values.get("with_descendants", True), bool):
        raise InvalidInputError(f"with_descendants is {values['with_descendants']!r}; expected true or false.")
    if "fractions" in values:
        values["fractions"] = _fractions(values["fractions"])
    return Recipe(**values)


def check_label_codes(asked: Collection[str], known: Mapping[str, str]) -> None:
    """Raise InvalidInputError when a label code does not exist, naming the nearest that does.

    Args:
        asked: label codes of a recipe.
        known: names by code of the labels that exist.
    """
    for code in sorted(asked):
        if code not in known:
            raise InvalidInputError(f"There is no label {code!r}.{_nearest_label(code, known)} Labels are named by their code.")


def _nearest_label(asked: str, known: Mapping[str, str]) -> str:
    spellings = {code: code for code in known}
    # Somebody who writes a name where a code is expected means the label of that name.
    spellings.update({name.casefold(): code for code, name in known.items()})
    nearest = process.extractOne(asked.casefold(), list(spellings), scorer=fuzz.ratio, score_cutoff=55)
    if nearest is None:
        return ""
    code = spellings[nearest[0]]
    return f" The nearest is {code!r} ({known[code]})."


def _did_you_mean(name: str, known: Collection[str]) -> str:
    nearest = process.extractOne(name, sorted(known), scorer=fuzz.ratio, score_cutoff=55)
    return f" Did you mean {nearest[0]!r}?" if nearest else f" It has: {', '.join(sorted(known))}."


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        raise InvalidInputError(f"{name} is {value!r}; expected a list of texts.")
    return tuple(value)


def _check_type(name: str, values: Mapping[str, Any], kinds: tuple[type, ...]) -> None:
    value = values.get(name, kinds[0]())
    if not isinstance(value, kinds) or isinstance(value, bool):
        expected = " or ".join("nothing" if kind is type(None) else kind.__name__ for kind in kinds)
        raise InvalidInputError(f"{name} is {value!r}; expected {expected}.")


def _fractions(value: Any) -> SplitFractions:
    numbers = isinstance(value, Mapping) and all(
        isinstance(part, int | float) and not isinstance(part, bool) for part in value.values()
    )
    if not numbers or set(value) != set(SPLITS):
        raise InvalidInputError(f"fractions is {value!r}; expected three numbers: train, validation, test.")
    return SplitFractions(**value)
