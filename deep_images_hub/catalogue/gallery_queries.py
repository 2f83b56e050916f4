"""The statements behind `galleries`: made of parts, since order, direction and conditions differ from gallery to gallery.

Names of tables and columns come from the schema, and whatever somebody asks for is a parameter.
"""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, UnaryExpression, cast, func, literal, select, true, tuple_

from deep_images_hub.catalogue.tables import images, label_closure, labels, places, shown_images
from deep_images_hub.images.gallery_places import GalleryPlace
from deep_images_hub.images.picture_filter import PictureFilter

_KEYS = {"newest": "received_at", "oldest": "received_at", "quality": "quality_score", "size": "short_side_px"}
# Before and after whatever a key may be.
_ENDS = {"received_at": ("-infinity", "infinity"), "quality_score": ("-1", "2"), "short_side_px": ("-1", "2147483647")}

# A table's columns, or those of a selection from it.
_Columns = Any
_Rows = Select[Any]


class GalleryQueries:
    """The statements for one filter. Each selects rows of `shown_images`, first things first."""

    def __init__(self, wanted: PictureFilter, *, label_ids: Collection[int] | None, place_ids: Collection[int] | None) -> None:
        """Take a filter, with the labels and places that it means; None: all."""
        self.key = _KEYS[wanted.sort]
        self._is_ascending = wanted.sort == "oldest"
        conditions = _conditions(wanted, place_ids)
        self._bounds = [holds for column, holds in conditions if column == self.key]
        self._conditions = [holds for column, holds in conditions if column != self.key]
        self._label_ids = label_ids

    @property
    def is_plain(self) -> bool:
        """Whether nothing is asked but what the order goes by."""
        return not self._conditions

    def walk(self, after: GalleryPlace | None, limit: int) -> _Rows:
        """Select pictures of the hub, whatever else is asked."""
        return self._in_order(self._rows(after), shown_images.c).limit(limit)

    def walk_until_full(self, after: GalleryPlace | None, limit: int, *, walked: int) -> _Rows:
        """Select the first pictures that fit, among the first that a walk meets."""
        met = self.walk(after, walked).subquery("met")
        return self._in_order(select(met).where(*self._fits(met.c)), met.c).limit(limit)

    def end_of_walk(self, after: GalleryPlace | None, *, walked: int) -> _Rows:
        """Select the last picture that a walk meets, unless it met fewer: then it met all."""
        met = self.walk(after, walked).cte("met")
        is_long = select(func.count()).select_from(met).scalar_subquery() == walked
        return self._in_order(select(met).where(is_long), met.c, backwards=True).limit(1)

    def fetch(self, after: GalleryPlace | None, limit: int) -> _Rows:
        """Select all that fits, by whichever index finds it, and of these the first."""
        found = self._rows(after).where(*self._fits(shown_images.c)).cte("found").prefix_with("materialized")
        return self._in_order(select(found), found.c).limit(limit)

    def streams(self, label_id: int, after: GalleryPlace | None, limit: int, *, own_only: bool) -> _Rows:
        """Select pictures of a label, or of it and all under it, when nothing is asked but what the order goes by.

        Only labels whose first picture is among the first of all can have a picture on the page. These contenders are found with
        one step into an index a label, and only their pictures are read, no farther than to the first of the last contender.
        """
        under = select(label_closure.c.descendant_id.label("label_id")).where(label_closure.c.ancestor_id == label_id)
        of_label = (under.where(label_closure.c.depth == 0) if own_only else under).subquery("of_label")
        first_of_each = self._rows(after).where(shown_images.c.label_id == of_label.c.label_id)
        first = self._in_order(first_of_each, shown_images.c).limit(1).lateral("first")
        contenders = self._in_order(select(first).join_from(of_label, first, true()), first.c).limit(limit).cte("contenders")
        # As many contenders as the page is long fill it already: nothing after the first picture of the last of them is on it.
        key, last = shown_images.c[self.key], contenders.c[self.key]
        lowest, highest = (cast(literal(end), key.type) for end in _ENDS[self.key])
        extreme = select(func.max(last) if self._is_ascending else func.min(last)).having(func.count() == limit).scalar_subquery()
        bound = key <= func.coalesce(extreme, highest) if self._is_ascending else key >= func.coalesce(extreme, lowest)
        rest = self._rows(after).where(shown_images.c.label_id == contenders.c.label_id, bound)
        stream = self._in_order(rest, shown_images.c).limit(limit).lateral("stream")
        return self._in_order(select(stream).join_from(contenders, stream, true()), stream.c).limit(limit)

    def shown(self, page: _Rows) -> _Rows:
        """Select what a gallery shows of a page's pictures, and `key`: what the order goes by."""
        of_page = page.subquery("page")
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
                of_page.c[self.key].label("key"),
            )
            .join_from(of_page, images, images.c.id == of_page.c.image_id)
            .join(labels, labels.c.id == of_page.c.label_id)
        )
        return self._in_order(pictures, of_page.c)

    def traits(self, fitting: _Rows) -> _Rows:
        """Select what the facets are made of, for pictures that fit."""
        of_fitting = fitting.subquery("fitting")
        return select(
            of_fitting.c.licence,
            of_fitting.c.supplier_id,
            of_fitting.c.quality_score,
            of_fitting.c.short_side_px,
            of_fitting.c.is_reviewed,
            places.c.country_code,
            places.c.city,
        ).join_from(of_fitting, places, places.c.id == of_fitting.c.place_id, isouter=True)

    def _rows(self, after: GalleryPlace | None) -> _Rows:
        rows = select(shown_images).where(*(holds(shown_images.c) for holds in self._bounds))
        if after is None:
            return rows
        key = shown_images.c[self.key]
        at, place = tuple_(key, shown_images.c.image_id), tuple_(cast(literal(after.key), key.type), literal(after.image_id))
        return rows.where(at > place if self._is_ascending else at < place)

    def _fits(self, columns: _Columns) -> list[ColumnElement[bool]]:
        of_labels = [] if self._label_ids is None else [columns.label_id.in_(self._label_ids)]
        return [*of_labels, *(holds(columns) for holds in self._conditions)]

    def _in_order(self, rows: _Rows, columns: _Columns, *, backwards: bool = False) -> _Rows:
        by: tuple[UnaryExpression[Any], ...]
        if self._is_ascending != backwards:
            by = columns[self.key].asc(), columns.image_id.asc()
        else:
            by = columns[self.key].desc(), columns.image_id.desc()
        return rows.order_by(*by)


def _conditions(
    wanted: PictureFilter, place_ids: Collection[int] | None
) -> list[tuple[str, Callable[[_Columns], ColumnElement[bool]]]]:
    """Return what a filter asks for besides the label, each with the column that it is about."""
    time, since, until = f"{wanted.time}_at", wanted.since_time, wanted.until_time
    quality = shown_images.c.quality_score.type

    asked: list[tuple[bool, str, Callable[[_Columns], ColumnElement[bool]]]] = [
        (place_ids is not None, "place_id", lambda of: of.place_id.in_(place_ids)),
        (bool(wanted.licences), "licence", lambda of: of.licence.in_(wanted.licences)),
        (since is not None, time, lambda of: of[time] >= since),
        (until is not None, time, lambda of: of[time] < until),
        # Scores are kept in single precision: 0.7 is not 0.7 otherwise.
        (
            wanted.min_quality is not None,
            "quality_score",
            lambda of: of.quality_score >= cast(literal(wanted.min_quality), quality),
        ),
        (
            wanted.max_quality is not None,
            "quality_score",
            lambda of: of.quality_score <= cast(literal(wanted.max_quality), quality),
        ),
        (wanted.min_side_px is not None, "short_side_px", lambda of: of.short_side_px >= wanted.min_side_px),
        (wanted.max_side_px is not None, "short_side_px", lambda of: of.short_side_px <= wanted.max_side_px),
        (wanted.is_reviewed is not None, "is_reviewed", lambda of: of.is_reviewed.is_(wanted.is_reviewed)),
        (wanted.supplier_id is not None, "supplier_id", lambda of: of.supplier_id == wanted.supplier_id),
    ]
    return [(column, holds) for is_asked, column, holds in asked if is_asked]
