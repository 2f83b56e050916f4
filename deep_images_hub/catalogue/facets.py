"""What the pictures of a label, or of the hub, have in common: how many have each licence, country, month and so on.

The counts are kept as pictures come and go, exact, and read in a few index steps; `galleries` decides by them how to look.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, func, or_, select

from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.tables import facet_changes, facet_counts, places
from deep_images_hub.images.picture_filter import QUALITY_STEPS, SIDE_STEPS_PX, PictureFilter

# Values of a facet that are given: the commonest. Countries and months are given all.
MAX_VALUES = 60
# What reading a picture costs that lies anywhere, beside one of a batch that is read as a whole.
SCATTERED_COST = 5
FACETS = ("city", "country", "licence", "quality", "received", "reviewed", "side", "supplier", "taken")


class FacetValue(NamedTuple):
    """A value of a facet.

    Attributes:
        value: a licence, a country's code, this and a city (`CA Toronto`), `yes` or `no` (reviewed), a month (`2026-03`), the
            number of a step of QUALITY_STEPS or SIDE_STEPS_PX, or a supplier's id.
        name: a supplier's; otherwise the value.
        images: how many pictures have it.
    """

    value: str
    name: str
    images: int


# By facet, the values that have most pictures first.
Facets = Mapping[str, tuple[FacetValue, ...]]


@dataclass(frozen=True)
class FoundPlaces:
    """The places that a filter's country and city mean. None: it asks for none."""

    ids: tuple[int, ...] | None
    cities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bounds:
    """How many pictures can fit a filter.

    Attributes:
        is_exact: exactly `most` do. With several conditions, or one that begins between two steps, fewer may.
        cost: of fetching them, in pictures that lie together; others count for SCATTERED_COST.
    """

    most: int
    is_exact: bool
    cost: int


def facets(connection: Connection, *, label_id: int | None, wanted: PictureFilter, cities: Collection[str] = ()) -> Facets:
    """Return, for each of FACETS, its values among all pictures of a label (None: of the hub), most pictures first.

    Whatever the filter asks for, nothing but its `own_only` narrows the counts; what it asks for is among the values.
    """
    rows = connection.execute(
        load_query("facet_counts"),
        {
            "label_id": label_id,
            "own_only": wanted.own_only,
            "limit": MAX_VALUES,
            "cities": list(cities),
            "supplier": None if wanted.supplier_id is None else str(wanted.supplier_id),
        },
    )
    found: dict[str, list[FacetValue]] = {facet: [] for facet in FACETS}
    for facet, value, name, images in rows:
        found[facet].append(FacetValue(value, name or value, images))
    return {facet: tuple(values) for facet, values in found.items()}


def found_places(connection: Connection, wanted: PictureFilter) -> FoundPlaces:
    """Return the places that a filter's country and city mean; none at all where nobody has sent from there."""
    if wanted.country is None and wanted.city is None:
        return FoundPlaces(None)
    query = select(places.c.id, places.c.country_code, places.c.city)
    if wanted.country is not None:
        query = query.where(places.c.country_code == wanted.country)
    if wanted.city is not None:
        query = query.where(or_(places.c.city == wanted.city, func.lower(places.c.city) == func.lower(wanted.city)))
    rows = connection.execute(query).all()
    return FoundPlaces(
        tuple(row.id for row in rows), tuple(sorted({f"{row.country_code} {row.city}" for row in rows})) if wanted.city else ()
    )


def hub_count(counts: Facets) -> int:
    """Return how many pictures the counts are of."""
    return sum(value.images for value in counts["reviewed"])


def images_of_hub(connection: Connection) -> int:
    """Return how many pictures the hub shows, from the kept counts."""
    kept = select(func.coalesce(func.sum(facet_counts.c.subtree_images), 0)).where(facet_counts.c.label_id.is_(None))
    changes = select(func.coalesce(func.sum(facet_changes.c.images), 0))
    total = kept.where(facet_counts.c.facet == "reviewed").scalar_subquery()
    images: int = connection.execute(
        select(total + changes.where(facet_changes.c.facet == "reviewed").scalar_subquery())
    ).scalar_one()
    return images


def bounds(counts: Facets, wanted: PictureFilter, found: FoundPlaces) -> Bounds:
    """Return what the kept counts say of how many pictures fit a filter: as many as fit the rarest of its conditions, at most."""
    # Pictures of one batch lie together, and have most of this in common.
    together: list[int] = [hub_count(counts)]
    scattered: list[int] = []
    is_exact = len(wanted.conditions) <= 1
    if found.ids is not None:
        values = found.cities if wanted.city else (wanted.country,)
        together.append(sum(of.images for of in counts["city" if wanted.city else "country"] if of.value in values))
    if wanted.licences:
        together.append(sum(of.images for of in counts["licence"] if of.value in wanted.licences))
    if wanted.supplier_id is not None:
        together.append(sum(of.images for of in counts["supplier"] if of.value == str(wanted.supplier_id)))
    if wanted.since is not None or wanted.until is not None:
        first_month = wanted.since.isoformat()[:7] if wanted.since else ""
        last_month = wanted.until.isoformat()[:7] if wanted.until else "~"
        of_months = sum(of.images for of in counts[wanted.time] if first_month <= of.value <= last_month)
        (together if wanted.time == "received" else scattered).append(of_months)
        is_exact = False
    if wanted.is_reviewed is not None:
        # An index has all there is to know of those that were.
        (together if wanted.is_reviewed else scattered).append(
            sum(of.images for of in counts["reviewed"] if of.value == ("yes" if wanted.is_reviewed else "no"))
        )
    for facet, steps, lowest, highest in (
        ("quality", QUALITY_STEPS, wanted.min_quality, wanted.max_quality),
        ("side", SIDE_STEPS_PX, wanted.min_side_px, wanted.max_side_px),
    ):
        if lowest is None and highest is None:
            continue
        first = step_of(steps, lowest) if lowest is not None else 0
        last = step_of(steps, highest) if highest is not None else len(steps)
        scattered.append(sum(of.images for of in counts[facet] if first <= int(of.value) <= last))
        is_exact = is_exact and (lowest is None or lowest in steps) and (highest is None or (facet, highest) == ("quality", 1))
    most = min([*together, *scattered])
    return Bounds(most, is_exact or most == 0, min([*together, *(SCATTERED_COST * images for images in scattered)]))


def step_of(steps: Sequence[float], value: float) -> int:
    """Return the number of the step that a value lies in."""
    return sum(step <= value for step in steps) - 1
