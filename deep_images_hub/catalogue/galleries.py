"""Galleries: the pictures of a label, or of the hub, that fit a filter, in one of four orders, page by page, by bounded work.

What a page reads depends on how many pictures can fit, which the kept counts say (`facets`):

    nothing asked   labels whose first picture is among the first of all, and of these only what may be on the page
    few can fit     all that may fit, by whichever index finds it, and then the page of it
    many can fit    pictures in their order, until the page is full or MAX_WALKED were looked at: then it says where to look on

A condition on what the order goes by is a part of the order, and costs nothing.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from deep_images_hub.catalogue.facets import Facets, bounds, facets, found_places, hub_count, images_of_hub, step_of
from deep_images_hub.catalogue.gallery_queries import GalleryQueries
from deep_images_hub.catalogue.images import Picture
from deep_images_hub.catalogue.tables import label_closure
from deep_images_hub.images.gallery_places import GalleryPlace
from deep_images_hub.images.picture_filter import QUALITY_STEPS, SIDE_STEPS_PX, PictureFilter

# So many are read at once and sorted, when they lie together.
MAX_FETCHED = 20_000
# So many are looked at in their order before a page is given as it is.
MAX_WALKED = 30_000
# So many labels make it worth to ask whether all pictures are under them.
MANY_LABELS = 50
# Pictures that fit several conditions are counted up to here.
MAX_COUNTED = 1_000


@dataclass(frozen=True)
class Gallery:
    """A label's pictures, or the hub's, through a filter: ready to be read.

    Attributes:
        facets: of all pictures, whatever the filter asks for besides `own_only`.
        most: how many can fit, at most.
        is_counted: exactly `most` do.
    """

    wanted: PictureFilter
    facets: Facets
    most: int
    is_counted: bool
    queries: GalleryQueries


@dataclass(frozen=True)
class GalleryPage:
    """A page of a gallery.

    Attributes:
        after: where to read on; None: this is the end.
        is_cut_short: it has room left, but MAX_WALKED pictures were looked at: more may fit after `after`.
    """

    pictures: list[Picture]
    after: GalleryPlace | None
    is_cut_short: bool


@dataclass(frozen=True)
class FittingPictures:
    """How many pictures fit a filter.

    Attributes:
        least, most: as many, or so many of them; the same where it is known exactly.
        by_facet: how many of them have each value of a facet, in the spelling of `FacetValue.value`; None: not looked at.
    """

    least: int
    most: int
    by_facet: Mapping[str, Counter[str]] | None = None

    @property
    def is_exact(self) -> bool:
        """Whether it is known how many fit."""
        return self.least == self.most


def open_gallery(connection: Connection, *, label_id: int | None, wanted: PictureFilter) -> Gallery:
    """Look up what reading a label's pictures (None: the hub's) through a filter needs. The label exists."""
    found = found_places(connection, wanted)
    counts = facets(connection, label_id=label_id, wanted=wanted, cities=found.cities)
    fitting = bounds(counts, wanted, found)
    label_ids: list[int] | None = None
    if label_id is not None:
        under = select(label_closure.c.descendant_id).where(label_closure.c.ancestor_id == label_id)
        label_ids = list(connection.execute(under.where(label_closure.c.depth == 0) if wanted.own_only else under).scalars())
        if len(label_ids) > MANY_LABELS and hub_count(counts) == images_of_hub(connection):
            # It stands above all pictures, so that nobody need look which are under it.
            label_id = label_ids = None
    return Gallery(
        wanted=wanted,
        facets=counts,
        most=fitting.most,
        is_counted=fitting.is_exact,
        queries=GalleryQueries(
            wanted,
            label_id=label_id,
            label_ids=label_ids,
            place_ids=found.ids,
            walked=MAX_WALKED if fitting.cost > MAX_FETCHED else None,
        ),
    )


def gallery_page(connection: Connection, gallery: Gallery, *, after: GalleryPlace | None = None, limit: int = 60) -> GalleryPage:
    """Return a page of a gallery, from its beginning or after a place."""
    if gallery.most == 0:
        return GalleryPage([], None, is_cut_short=False)
    rows = connection.execute(*gallery.queries.pictures(after, limit + 1)).all()
    # The columns of a picture in their order, and the key.
    pictures = [Picture(*row[:-1]) for row in rows[:limit]]
    if len(rows) > limit:
        last = rows[limit - 1]
        return GalleryPage(pictures, GalleryPlace(last.key, last.image_id), is_cut_short=False)
    end = None
    if gallery.queries.is_cut_short and (met := connection.execute(*gallery.queries.end_of_walk(after)).one_or_none()):
        end = GalleryPlace(met.key, met.image_id)
    return GalleryPage(pictures, end, is_cut_short=end is not None and len(pictures) < limit)


def count_fitting(connection: Connection, gallery: Gallery) -> FittingPictures:
    """Count the pictures that fit a gallery's filter, exactly as far as that costs little."""
    if gallery.is_counted and (not gallery.wanted.has_conditions or not 0 < gallery.most <= MAX_COUNTED):
        return FittingPictures(gallery.most, gallery.most)
    if gallery.queries.is_cut_short:
        # Most walks for as many would look at all that they may, and find fewer.
        return FittingPictures(0, gallery.most)
    rows = connection.execute(*gallery.queries.traits(MAX_COUNTED + 1)).all()
    if len(rows) > MAX_COUNTED:
        return FittingPictures(len(rows), max(gallery.most, len(rows)))
    by_facet = {
        "licence": Counter(row.licence for row in rows),
        "supplier": Counter(str(row.supplier_id) for row in rows),
        "quality": Counter(str(step_of(QUALITY_STEPS, row.quality_score)) for row in rows),
        "side": Counter(str(step_of(SIDE_STEPS_PX, row.short_side_px)) for row in rows),
        "reviewed": Counter("yes" if row.is_reviewed else "no" for row in rows),
        "country": Counter(row.country_code for row in rows if row.country_code),
        "city": Counter(f"{row.country_code} {row.city}" for row in rows if row.country_code),
    }
    return FittingPictures(len(rows), len(rows), by_facet)
