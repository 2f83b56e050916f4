"""The statements behind `galleries`: made of parts, since order, direction and conditions differ from gallery to gallery.

Names of tables and columns come from the schema, and whatever somebody asks for is a parameter: a statement of one form is made
once and kept, since making it takes longer than running it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    UnaryExpression,
    bindparam,
    cast,
    func,
    literal,
    select,
    true,
    tuple_,
)

from deep_images_hub.catalogue.tables import images, label_closure, labels, places, shown_images
from deep_images_hub.images.gallery_places import GalleryPlace
from deep_images_hub.images.picture_filter import MAX_ID, PictureFilter

_KEYS = {"newest": "received_at", "oldest": "received_at", "quality": "quality_score", "size": "short_side_px"}
# Before and after whatever a key may be.
_ENDS = {"received_at": ("-infinity", "infinity"), "quality_score": ("-1", "2"), "short_side_px": ("-1", "2147483647")}
_KEPT_STATEMENTS = 512
# What facets are made of.
_TRAITS = ("licence", "supplier_id", "quality_score", "short_side_px", "is_reviewed", "place_id")

# A table's columns, or those of a selection from it.
_Columns = Any
_Rows = Select[Any]


@dataclass(frozen=True)
class _Condition:
    """Something that a filter may ask for: the column that it is about, and what must hold of it and of a parameter."""

    column: str
    holds: Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]
    is_list: bool = False

    def of(self, columns: _Columns, name: str) -> ColumnElement[bool]:
        """Return the condition for some rows, with a parameter of that name."""
        column = columns[self.column]
        if self.is_list:
            return self.holds(column, bindparam(name, expanding=True))
        # Scores are kept in single precision: 0.7 is not 0.7 otherwise.
        return self.holds(column, cast(bindparam(name), shown_images.c[self.column].type))


def _is_one_of(column: ColumnElement[Any], values: ColumnElement[Any]) -> ColumnElement[bool]:
    return column.in_(values)


_CONDITIONS = {
    "label_ids": _Condition("label_id", _is_one_of, is_list=True),
    "place_ids": _Condition("place_id", _is_one_of, is_list=True),
    "licences": _Condition("licence", _is_one_of, is_list=True),
    "received_since": _Condition("received_at", lambda column, value: column >= value),
    "received_until": _Condition("received_at", lambda column, value: column < value),
    "taken_since": _Condition("taken_at", lambda column, value: column >= value),
    "taken_until": _Condition("taken_at", lambda column, value: column < value),
    "min_quality": _Condition("quality_score", lambda column, value: column >= value),
    "max_quality": _Condition("quality_score", lambda column, value: column <= value),
    "min_side_px": _Condition("short_side_px", lambda column, value: column >= value),
    "max_side_px": _Condition("short_side_px", lambda column, value: column <= value),
    "is_reviewed": _Condition("is_reviewed", lambda column, value: column == value),
    "supplier_id": _Condition("supplier_id", lambda column, value: column == value),
}


@dataclass(frozen=True)
class GalleryForm:
    """What the statement of a gallery looks like, whatever its parameters are.

    Attributes:
        reading: `streams` (of a label and labels under it, when nothing else is asked), `walk` (likewise, of the hub), `fetch`
            (all that fits, sorted), or `walk_until_full` (what fits among the first that a walk meets).
        conditions: names of _CONDITIONS.
        has_place: it begins after a picture.
    """

    reading: str
    sort: str
    own_only: bool
    conditions: tuple[str, ...]
    has_place: bool = False

    @property
    def key(self) -> str:
        """The column that the order goes by."""
        return _KEYS[self.sort]


class GalleryQueries:
    """The statements for one filter, with their parameters."""

    def __init__(
        self,
        wanted: PictureFilter,
        *,
        label_id: int | None,
        label_ids: Collection[int] | None,
        place_ids: Collection[int] | None,
        walked: int | None,
    ) -> None:
        """Take a filter, with the labels and places that it means; None: all.

        Args:
            walked: how many pictures are looked at for a page at most; None: so few can fit that all are fetched.
        """
        asked = {
            "place_ids": None if place_ids is None else list(place_ids),
            "licences": list(wanted.licences) or None,
            f"{wanted.time}_since": wanted.since_time,
            f"{wanted.time}_until": wanted.until_time,
            **{name: getattr(wanted, name) for name in ("min_quality", "max_quality", "min_side_px", "max_side_px")},
            "is_reviewed": wanted.is_reviewed,
            "supplier_id": wanted.supplier_id,
        }
        self._parameters: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        is_plain = all(_CONDITIONS[name].column == _KEYS[wanted.sort] for name in self._parameters)
        if is_plain:
            reading = "walk" if label_id is None else "streams"
        else:
            reading = "fetch" if walked is None else "walk_until_full"
            if label_ids is not None:
                self._parameters["label_ids"] = list(label_ids)
        self._form = GalleryForm(reading, wanted.sort, wanted.own_only, tuple(self._parameters))
        self._parameters |= {"label_id": label_id, "walked": walked}

    @property
    def is_cut_short(self) -> bool:
        """Whether reading a page ends when many pictures were looked at, whether the page is full or not."""
        return self._form.reading == "walk_until_full"

    def pictures(self, after: GalleryPlace | None, limit: int) -> tuple[_Rows, Mapping[str, Any]]:
        """Select the columns of `images.Picture`, and `key`: what the order goes by."""
        return self._with_parameters(_pictures, after, limit)

    def traits(self, limit: int) -> tuple[_Rows, Mapping[str, Any]]:
        """Select what facets are made of, for the first pictures that fit."""
        return self._with_parameters(_traits, None, limit)

    def end_of_walk(self, after: GalleryPlace | None) -> tuple[_Rows, Mapping[str, Any]]:
        """Select `key` and image_id of the last picture that a walk looks at; nothing where it comes to the end before."""
        return self._with_parameters(_end_of_walk, after, None)

    def _with_parameters(
        self, made: Callable[[GalleryForm], _Rows], after: GalleryPlace | None, limit: int | None
    ) -> tuple[_Rows, Mapping[str, Any]]:
        place = {} if after is None else {"after_key": after.key, "after_image_id": after.image_id}
        return made(replace(self._form, has_place=after is not None)), {**self._parameters, **place, "limit": limit}


@lru_cache(_KEPT_STATEMENTS)
def _pictures(form: GalleryForm) -> _Rows:
    page = _first_fitting(form).subquery("page")
    pictures = (
        select(
            images.c.id.label("image_id"),
            images.c.sha256,
            labels.c.id.label("label_id"),
            labels.c.code.label("label_code"),
            labels.c.name.label("label_name"),
            images.c.picture_key,
            images.c.thumbnail_key,
            images.c.width_px,
            images.c.height_px,
            page.c[form.key].label("key"),
        )
        .join_from(page, images, images.c.id == page.c.image_id)
        .join(labels, labels.c.id == page.c.label_id)
    )
    return _in_order(form, pictures, page.c)


@lru_cache(_KEPT_STATEMENTS)
def _traits(form: GalleryForm) -> _Rows:
    # Any of them, where all are found anyway: nothing is sorted, and no more of them are read than are given.
    is_any = form.reading == "fetch"
    first = _found(form, *_TRAITS).limit(bindparam("limit")) if is_any else _first_fitting(form)
    fitting = first.subquery("fitting")
    traits = (fitting.c[name] for name in _TRAITS if name != "place_id")
    return select(*traits, places.c.country_code, places.c.city).join_from(
        fitting, places, places.c.id == fitting.c.place_id, isouter=True
    )


@lru_cache(_KEPT_STATEMENTS)
def _end_of_walk(form: GalleryForm) -> _Rows:
    # No other columns: the index has these. The skip is of as many as the walk may look at, and never of pages.
    last = bindparam("walked", type_=Integer) - 1
    keys = _rows(form, _bounds(form)).with_only_columns(shown_images.c[form.key].label("key"), shown_images.c.image_id)
    return _in_order(form, keys, shown_images.c).offset(last).limit(1)


def _first_fitting(form: GalleryForm) -> _Rows:
    """Select rows of `shown_images`, first things first."""
    if form.reading == "walk":
        return _walk(form, "limit")
    if form.reading == "streams":
        return _streams(form)
    if form.reading == "fetch":
        found = _found(form, "image_id", "label_id", form.key)
        return _in_order(form, found, found.selected_columns).limit(bindparam("limit"))
    met = _walk(form, "walked").subquery("met")
    others = (name for name in form.conditions if name not in _bounds(form))
    rows = select(met).where(*(_CONDITIONS[name].of(met.c, name) for name in others))
    return _in_order(form, rows, met.c).limit(bindparam("limit"))


def _found(form: GalleryForm, *columns: str) -> _Rows:
    """Select columns of all that fits, in no order: by whichever indexes find it, never by walking one that has the order."""
    rows = _rows(form, form.conditions).with_only_columns(*(shown_images.c[name] for name in columns))
    return select(rows.cte("found").prefix_with("materialized"))


def _walk(form: GalleryForm, limit: str) -> _Rows:
    """Select pictures of the hub in their order, whatever is asked besides."""
    return _in_order(form, _rows(form, _bounds(form)), shown_images.c).limit(bindparam(limit))


def _streams(form: GalleryForm) -> _Rows:
    """Select pictures of a label, or of it and all under it, when nothing is asked but what the order goes by.

    Only labels whose first picture is among the first of all can have a picture on the page. These contenders are found with one
    step into an index a label, and only their pictures are read, no farther than to the first of the last contender.
    """
    under = select(label_closure.c.descendant_id.label("label_id")).where(label_closure.c.ancestor_id == bindparam("label_id"))
    of_label = (under.where(label_closure.c.depth == 0) if form.own_only else under).subquery("of_label")
    limit = bindparam("limit", type_=Integer)
    is_ascending = form.sort == "oldest"
    rows = _rows(form, _bounds(form))
    # No other columns: the index has these.
    keys = rows.with_only_columns(*(shown_images.c[name] for name in ("label_id", form.key, "image_id")))
    first_of_each = keys.where(shown_images.c.label_id == of_label.c.label_id)
    first = _in_order(form, first_of_each, shown_images.c).limit(1).lateral("first")
    contenders = _in_order(form, select(first).join_from(of_label, first, true()), first.c).limit(limit).cte("contenders")
    # As many contenders as the page is long fill it already: nothing after the first picture of the last of them is on it.
    is_full = select(func.count()).select_from(contenders).scalar_subquery() == limit
    last = _in_order(form, select(contenders).where(is_full), contenders.c, backwards=True).limit(1).cte("last")
    key, lowest, highest = shown_images.c[form.key], *_ENDS[form.key]
    bound = tuple_(
        func.coalesce(select(last.c[form.key]).scalar_subquery(), cast(literal(highest if is_ascending else lowest), key.type)),
        func.coalesce(select(last.c.image_id).scalar_subquery(), literal(MAX_ID if is_ascending else 0, BigInteger)),
    )
    at = tuple_(key, shown_images.c.image_id)
    rest = rows.where(shown_images.c.label_id == contenders.c.label_id, at <= bound if is_ascending else at >= bound)
    stream = _in_order(form, rest, shown_images.c).limit(limit).lateral("stream")
    return _in_order(form, select(stream).join_from(contenders, stream, true()), stream.c).limit(limit)


def _rows(form: GalleryForm, conditions: Collection[str]) -> _Rows:
    rows = select(shown_images).where(*(_CONDITIONS[name].of(shown_images.c, name) for name in conditions))
    if not form.has_place:
        return rows
    key = shown_images.c[form.key]
    at = tuple_(key, shown_images.c.image_id)
    place = tuple_(cast(bindparam("after_key"), key.type), bindparam("after_image_id"))
    return rows.where(at > place if form.sort == "oldest" else at < place)


def _bounds(form: GalleryForm) -> list[str]:
    """Return the conditions on what the order goes by."""
    return [name for name in form.conditions if _CONDITIONS[name].column == form.key]


def _in_order(form: GalleryForm, rows: _Rows, columns: _Columns, *, backwards: bool = False) -> _Rows:
    by: tuple[UnaryExpression[Any], ...]
    if (form.sort == "oldest") != backwards:
        by = columns[form.key].asc(), columns.image_id.asc()
    else:
        by = columns[form.key].desc(), columns.image_id.desc()
    return rows.order_by(*by)
