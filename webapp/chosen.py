"""What somebody has chosen so far: kept in the signed session, and turned into a recipe. Pure."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from deep_images_hub.datasets.recipe import SPLITS, Recipe, SplitFractions
from deep_images_hub.errors import ConflictError, InvalidInputError

# A session is a cookie, and browsers keep cookies up to 4 kB: a picture takes 7 characters of it, a label of Open Images as many.
MAX_LABELS = 80
MAX_SINGLE_PICTURES = 300

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Selection:
    """Labels by code, single pictures by id, and pictures that are not wanted, by id too."""

    label_codes: tuple[str, ...] = ()
    pictures: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """How many things were chosen."""
        return len(self.label_codes) + len(self.pictures)

    @property
    def room(self) -> int:
        """How many more single pictures fit, chosen or left out."""
        return MAX_SINGLE_PICTURES - len(self.pictures) - len(self.left_out)

    def with_label(self, code: str) -> "Selection":
        """Add a label. Raises ConflictError when there is no room for it."""
        if code in self.label_codes:
            return self
        if len(self.label_codes) >= MAX_LABELS:
            raise ConflictError(
                f"The selection holds {MAX_LABELS} labels, and no more fit. "
                "Choose a label above them: what is under it comes along."
            )
        return replace(self, label_codes=(*self.label_codes, code))

    def only_with(self, image_ids: Container[int]) -> "Selection":
        """Forget all other single pictures, chosen or left out."""
        pictures, left_out = (tuple(id_ for id_ in ids if id_ in image_ids) for ids in (self.pictures, self.left_out))
        return replace(self, pictures=pictures, left_out=left_out)

    def without_label(self, code: str) -> "Selection":
        """Take a label out."""
        return replace(self, label_codes=_without(self.label_codes, code))

    def with_picture(self, image_id: int) -> "Selection":
        """Add a single picture, and leave it out no longer."""
        return replace(self, pictures=self._room(self.pictures, image_id), left_out=_without(self.left_out, image_id))

    def without_picture(self, image_id: int) -> "Selection":
        """Take a single picture out."""
        return replace(self, pictures=_without(self.pictures, image_id))

    def leaving_out(self, image_id: int) -> "Selection":
        """Leave a picture out, whichever label it comes with."""
        return replace(self, left_out=self._room(self.left_out, image_id), pictures=_without(self.pictures, image_id))

    def readmitting(self, image_id: int) -> "Selection":
        """Leave a picture out no longer."""
        return replace(self, left_out=_without(self.left_out, image_id))

    def _room(self, pictures: tuple[int, ...], image_id: int) -> tuple[int, ...]:
        if image_id in pictures:
            return pictures
        if self.room <= 0:
            raise ConflictError(
                f"The selection holds {MAX_SINGLE_PICTURES} single pictures, and no more fit. "
                "Choose labels, which hold any number."
            )
        return (*pictures, image_id)


def selection_from_session(kept: Mapping[str, Any] | None) -> Selection:
    """Read a selection from a session; None: nothing was chosen."""
    kept = kept or {}
    return Selection(tuple(kept.get("labels", ())), tuple(kept.get("picture_ids", ())), tuple(kept.get("left_out_ids", ())))


def session_from_selection(selection: Selection) -> dict[str, list[str] | list[int]]:
    """Return a selection as a session keeps it."""
    return {
        "labels": list(selection.label_codes),
        "picture_ids": list(selection.pictures),
        "left_out_ids": list(selection.left_out),
    }


def recipe_from_form(
    selection: Selection, sha256s: Mapping[int, str], form: Mapping[str, str], licences: tuple[str, ...]
) -> Recipe:
    """Join what was chosen with the options of the form on the selection's page; an empty field has its default.

    Args:
        sha256s: of the single pictures, chosen or left out, by id.

    Raises:
        InvalidInputError: a value cannot be used; the message says which and what was expected.
    """
    return Recipe(
        label_codes=selection.label_codes,
        # A box that is not ticked is not sent, so that the form says with another field that it was there.
        with_descendants=form.get("with_descendants") == "1" or "options" not in form,
        pictures=tuple(sha256s[image_id] for image_id in selection.pictures),
        left_out=tuple(sha256s[image_id] for image_id in selection.left_out),
        max_per_label=_whole_number(form, "max_per_label"),
        city=form.get("city") or None,
        licences=licences,
        min_quality=_number(form, "min_quality") or 0.0,
        seed=_whole_number(form, "seed") or 0,
        fractions=_fractions(form),
    )


def _fractions(form: Mapping[str, str]) -> SplitFractions:
    percentages = [_number(form, split) for split in SPLITS]
    if all(percentage is None for percentage in percentages):
        return SplitFractions()
    return SplitFractions(*(round((percentage or 0) / 100, 6) for percentage in percentages))


def _whole_number(form: Mapping[str, str], name: str) -> int | None:
    value = form.get(name, "").strip()
    if not value:
        return None
    if not value.isascii() or not value.isdecimal() or len(value) > 19:
        raise InvalidInputError(f"{name.replace('_', ' ')} is {value[:40]!r}; expected a whole number, or nothing.")
    return int(value)


def _number(form: Mapping[str, str], name: str) -> float | None:
    value = form.get(name, "").strip()
    try:
        return float(value) if value else None
    except ValueError:
        raise InvalidInputError(f"{name.replace('_', ' ')} is {value[:40]!r}; expected a number, or nothing.") from None


def _without(values: tuple[_Value, ...], value: _Value) -> tuple[_Value, ...]:
    return tuple(kept for kept in values if kept != value)
