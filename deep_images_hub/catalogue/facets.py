"""What the pictures of a label, or of the hub, have in common: how many have each licence, country, month and so on.

The counts are kept as pictures come and go, exact, and read in a few index steps; `galleries` decides by them how to look.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.tables import places
from deep_images_hub.images.picture_filter import QUALITY_STEPS, SIDE_STEPS_PX, PictureFilter

# Values of a facet that are given: the commonest. Countries and months are given all.
MAX_VALUES = 60
FACETS = ("city", "country", "licence", "quality", "received", "reviewed", "side", "supplier", "taken")


@dataclass(frozen=True)
class FacetValue:
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
    for row in rows:
        found[row.facet].append(FacetValue(row.value, row.name or row.value, row.images))
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


def fewest(counts: Facets, wanted: PictureFilter, found: FoundPlaces) -> tuple[int, bool]:
    """Return the least that the kept counts say of how many pictures fit, and whether exactly so many do.

    Every condition alone has at least as many; with several, or one that begins between two steps, fewer may fit.
    """
    bounds = [hub_count(counts)]
    is_exact = len(wanted.conditions) <= 1
    if found.ids is not None:
        values = found.cities if wanted.city else (wanted.country,)
        bounds.append(sum(of.images for of in counts["city" if wanted.city else "country"] if of.value in values))
    if wanted.licences:
        bounds.append(sum(of.images for of in counts["licence"] if of.value in wanted.licences))
    if wanted.is_reviewed is not None:
        bounds.append(sum(of.images for of in counts["reviewed"] if of.value == ("yes" if wanted.is_reviewed else "no")))
    if wanted.supplier_id is not None:
        bounds.append(sum(of.images for of in counts["supplier"] if of.value == str(wanted.supplier_id)))
    for facet, steps, lowest, highest in (
        ("quality", QUALITY_STEPS, wanted.min_quality, wanted.max_quality),
        ("side", SIDE_STEPS_PX, wanted.min_side_px, wanted.max_side_px),
    ):
        if lowest is None and highest is None:
            continue
        first = step_of(steps, lowest) if lowest is not None else 0
        last = step_of(steps, highest) if highest is not None else len(steps)
        bounds.append(sum(of.images for of in counts[facet] if first <= int(of.value) <= last))
        is_exact = is_exact and (lowest is None or lowest in steps) and (highest is None or highest == 1)
    if wanted.since is not None or wanted.until is not None:
        first_month = wanted.since.isoformat()[:7] if wanted.since else ""
        last_month = wanted.until.isoformat()[:7] if wanted.until else "~"
        bounds.append(sum(of.images for of in counts[wanted.time] if first_month <= of.value <= last_month))
        is_exact = False
    return min(bounds), is_exact


def step_of(steps: Sequence[float], value: float) -> int:
    """Return the number of the step that a value lies in."""
    return sum(step <= value for step in steps) - 1
