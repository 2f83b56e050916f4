"""What is wanted: asking for pictures of a label, voting for what others asked, taking back; and closing what is met.

Whoever asks for what is asked for already, or for less, gives that demand a vote instead of making another. A vote is a row of
`demand_votes`, and `vote_count` is how many there are. A demand that its asker takes back passes to the first who voted for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, and_, or_, select, text

from deep_images_hub.catalogue.labels import labels_by_codes, labels_by_ids
from deep_images_hub.catalogue.places import within_km
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.tables import demands, places
from deep_images_hub.demand.rules import AROUND_KM, MAX_OPEN_DEMANDS, ORDERS, Progress, checked_note, checked_target
from deep_images_hub.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from deep_images_hub.places.distance import boxes_around, distance_km


@dataclass(frozen=True)
class Demand:
    """An open demand, as somebody sees it.

    Attributes:
        user_id, user_name: who asks.
        vote_count: others who want it too.
        place_id, city, country_code: where; all None: anywhere.
        has_voted, is_watched: by whoever looks; False where nobody is signed in.
        key: what the order of its list goes by.
    """

    id: int
    label_id: int
    label_code: str
    label_name: str
    user_id: int
    user_name: str
    target_images: int
    have_images: int
    vote_count: int
    note: str | None
    created_at: datetime
    place_id: int | None
    city: str | None
    country_code: str | None
    has_voted: bool
    is_watched: bool
    key: int

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(self.have_images, self.target_images)

    @property
    def cursor(self) -> tuple[int, int]:
        """Where it stands in its list: hand it over as `after` to read on."""
        return (self.key, self.id)


@dataclass(frozen=True)
class OwnDemand:
    """What somebody asked for, and what became of it.

    Attributes:
        have_images: what there was when it was met; else what there is.
        status: one of `DEMAND_STATUSES`.
        city: None: anywhere.
        closed_at: None while it is open.
    """

    id: int
    label_id: int
    label_name: str
    target_images: int
    have_images: int
    vote_count: int
    note: str | None
    status: str
    city: str | None
    created_at: datetime
    closed_at: datetime | None

    @property
    def progress(self) -> Progress:
        """How far it is, or was when it was met."""
        return Progress(self.have_images, self.target_images)


@dataclass(frozen=True)
class Asked:
    """What asking came to. outcome: `new`, `voted` where others ask for it already, or `repeated` where nothing changed."""

    demand_id: int
    outcome: str


@dataclass(frozen=True)
class AskedAll:
    """What asking for several labels came to: of how many pictures are wanted now, and of how many so many are here already."""

    wanted: int
    there: int


def ask_for(
    connection: Connection, *, label_id: int, user_id: int, target_images: int, note: str = "", place_id: int | None = None
) -> Asked:
    """Ask that there be so many pictures of a label, of everywhere or from around a place.

    Raises:
        InvalidInputError: the target or the note cannot be used.
        NotFoundError: the label does not exist.
        ConflictError: so many are there already, or the account asks for too much.
    """
    target, words = checked_target(target_images), checked_note(note)
    label = labels_by_ids(connection, [label_id]).get(label_id)
    if label is None:
        raise NotFoundError("There is no such label. Look for it by name.")
    same = connection.execute(
        text(
            "select id, user_id from demands where status = 'open' and label_id = :label_id"
            " and place_id is not distinct from :place_id and target_images >= :target"
            " order by target_images limit 1"
        ),
        {"label_id": label_id, "place_id": place_id, "target": target},
    ).one_or_none()
    if same is not None:
        return _join(connection, same, user_id)
    have = label.subtree_images if place_id is None else _images_around(connection, label_id, place_id)
    if have >= target:
        where = "" if place_id is None else " from around there"
        raise ConflictError(
            f"{have:,} pictures of {label.name}{where} are here already, and {target:,} were asked for. "
            "Ask for more than there are."
        )
    _check_room(connection, user_id)
    demand_id: int | None = connection.scalar(
        text(
            "insert into demands (label_id, user_id, target_images, note, place_id, near_images)"
            " values (:label_id, :user_id, :target, :note, :place_id, :near)"
            " on conflict (label_id, place_id, target_images) where status = 'open' do nothing returning id"
        ),
        {
            "label_id": label_id,
            "user_id": user_id,
            "target": target,
            "note": words,
            "place_id": place_id,
            "near": 0 if place_id is None else have,
        },
    )
    if demand_id is None:
        # Somebody else asked for the very same in this moment.
        return ask_for(connection, label_id=label_id, user_id=user_id, target_images=target, note=note, place_id=place_id)
    return Asked(demand_id, "new")


def ask_for_all(connection: Connection, *, user_id: int, targets: Mapping[str, int], note: str) -> AskedAll:
    """Ask for pictures of several labels, by their codes, of which there are not so many yet.

    Raises:
        InvalidInputError: a target or the note cannot be used.
        ConflictError: the account asks for too much.
    """
    labels = labels_by_codes(connection, targets)
    missing = [label for code, label in sorted(labels.items()) if label.subtree_images < targets[code]]
    for label in missing:
        ask_for(connection, label_id=label.id, user_id=user_id, target_images=targets[label.code], note=note)
    return AskedAll(wanted=len(missing), there=len(labels) - len(missing))


def vote(connection: Connection, *, demand_id: int, user_id: int) -> bool:
    """Say that somebody wants it too. False: they have said so already, or it is theirs.

    Raises:
        NotFoundError: there is no such demand.
        ConflictError: it is closed.
    """
    if _locked(connection, demand_id).user_id == user_id:
        return False
    added = connection.execute(
        text("insert into demand_votes (demand_id, user_id) values (:id, :user_id) on conflict do nothing"),
        {"id": demand_id, "user_id": user_id},
    ).rowcount
    return _counted(connection, demand_id, added)


def take_vote_back(connection: Connection, *, demand_id: int, user_id: int) -> bool:
    """Take a vote back. False: there was none.

    Raises:
        NotFoundError: there is no such demand.
        ConflictError: it is closed.
    """
    _locked(connection, demand_id)
    removed = connection.execute(
        text("delete from demand_votes where demand_id = :id and user_id = :user_id"), {"id": demand_id, "user_id": user_id}
    ).rowcount
    return _counted(connection, demand_id, -removed)


def withdraw(connection: Connection, *, demand_id: int, user_id: int, is_operator: bool = False) -> str:
    """Take a demand back, and return what became of it.

    Its asker's: where others voted for it, it becomes that of the first of them, without the note, and `passed on` is returned;
    else it is `withdrawn`. An operator closes anybody's, whoever voted for it.

    Raises:
        NotFoundError: there is no such demand.
        ConflictError: it is closed.
        ForbiddenError: it is somebody else's.
    """
    demand = _locked(connection, demand_id)
    if demand.user_id != user_id and not is_operator:
        raise ForbiddenError("Somebody else asked for this. Only they can take it back.")
    heir: int | None = None
    if demand.user_id == user_id:
        first = "select user_id from demand_votes where demand_id = :id order by created_at, user_id limit 1"
        heir = connection.scalar(text(first), {"id": demand_id})
    if heir is None:
        connection.execute(text("update demands set status = 'withdrawn', closed_at = now() where id = :id"), {"id": demand_id})
        return "withdrawn"
    connection.execute(
        text("delete from demand_votes where demand_id = :id and user_id = :heir"), {"id": demand_id, "heir": heir}
    )
    connection.execute(
        text("update demands set user_id = :heir, note = null, vote_count = vote_count - 1 where id = :id"),
        {"id": demand_id, "heir": heir},
    )
    return "passed on"


def wanted(
    connection: Connection,
    *,
    order: str = "votes",
    place_ids: list[int] | None = None,
    label_id: int | None = None,
    user_id: int | None = None,
    after: tuple[int, int] | None = None,
    limit: int,
) -> list[Demand]:
    """Return open demands: of these places, of a label, or all.

    Args:
        order: one of `ORDERS`.
        user_id: who looks.
        after: a demand's cursor in the same order, to read on.
    """
    if order not in ORDERS:
        raise InvalidInputError(f"{order[:40]!r} is no order of what is wanted. Expected one of {', '.join(ORDERS)}.")
    after_key, after_id = after or (None, None)
    rows = connection.execute(
        load_query("wanted"),
        {
            "order": order,
            "place_ids": place_ids,
            "label_id": label_id,
            "user_id": user_id,
            "after_key": after_key,
            "after_id": after_id,
            "limit": limit,
        },
    )
    return [Demand(**row._mapping) for row in rows]


def demands_of_user(connection: Connection, *, user_id: int, before_id: int | None = None, limit: int) -> list[OwnDemand]:
    """Return what somebody asked for, newest first, open or not."""
    rows = connection.execute(load_query("demands_of_user"), {"user_id": user_id, "before_id": before_id, "limit": limit})
    return [OwnDemand(**row._mapping) for row in rows]


def demanded_places_near(connection: Connection, *, latitude: float, longitude: float, radius_km: float) -> Mapping[int, float]:
    """Return how far the places are, in km, for which something is wanted, within a radius of a point.

    Raises:
        InvalidInputError: the point is not on the Earth, or the radius is out of range.
    """
    boxes = boxes_around(latitude, longitude, radius_km)
    inside = or_(
        *(and_(places.c.latitude.between(box.south, box.north), places.c.longitude.between(box.west, box.east)) for box in boxes)
    )
    is_wanted = select(demands.c.place_id).where(demands.c.status == "open", demands.c.place_id.is_not(None))
    candidates = connection.execute(
        select(places.c.id, places.c.latitude, places.c.longitude).where(inside, places.c.id.in_(is_wanted))
    )
    far = {row.id: distance_km(latitude, longitude, row.latitude, row.longitude) for row in candidates}
    return {place_id: km for place_id, km in far.items() if km <= radius_km}


def settle_demands(connection: Connection) -> int:
    """Count anew what is there from around places, close what is met, and write down whom to tell. Returns how many were met.

    Running it twice, or twice at once, is harmless: one statement closes a demand and writes the notices.
    """
    of_places = text("select distinct place_id from demands where status = 'open' and place_id is not null order by place_id")
    for place_id in connection.execute(of_places).scalars().all():
        near = _places_around(connection, place_id)
        connection.execute(load_query("near_images_counted"), {"place_id": place_id, "near_place_ids": near})
    # First held, then read: a vote that is under way is seen by the second statement, and whoever gives it is told too.
    connection.execute(load_query("lock_met_demands"))
    return len(connection.execute(load_query("meet_demands")).all())


def _join(connection: Connection, same: Row[tuple[int, int]], user_id: int) -> Asked:
    is_added = vote(connection, demand_id=same.id, user_id=user_id)
    return Asked(same.id, "voted" if is_added else "repeated")


def _counted(connection: Connection, demand_id: int, change: int) -> bool:
    """Bring the count of a demand's votes in line with a change of its rows, and return whether there was one."""
    if change:
        connection.execute(
            text("update demands set vote_count = vote_count + :change where id = :id"), {"id": demand_id, "change": change}
        )
    return change != 0


def _locked(connection: Connection, demand_id: int) -> Row[tuple[int, str]]:
    """Return an open demand's asker, and keep everybody else from changing it until the transaction ends."""
    found = connection.execute(
        text("select user_id, status from demands where id = :id for update"), {"id": demand_id}
    ).one_or_none()
    if found is None:
        raise NotFoundError("There is no such demand. It may have been on another hub: look under Wanted.")
    if found.status != "open":
        raise ConflictError("This is wanted no longer: it is there, or was taken back. Nothing was changed.")
    return found


def _check_room(connection: Connection, user_id: int) -> None:
    """Raise ConflictError when an account asks for too much. Its row is locked, so that nobody asks twice at once."""
    connection.execute(text("select id from users where id = :user_id for no key update"), {"user_id": user_id})
    count = text("select count(*) from demands where user_id = :user_id and status = 'open'")
    if connection.scalar(count, {"user_id": user_id}) >= MAX_OPEN_DEMANDS:
        raise ConflictError(f"You ask for {MAX_OPEN_DEMANDS} things already. Take one of them back first.")


def _images_around(connection: Connection, label_id: int, place_id: int) -> int:
    """Return how many accepted photographs there are of a label, and of what is under it, from around a place."""
    images: int = connection.execute(
        text(
            "select coalesce(sum(batches.accepted_count), 0) from label_closure join batches on label_id = descendant_id"
            " where ancestor_id = :label_id and place_id = any(:near) and status = 'closed'"
        ),
        {"label_id": label_id, "near": _places_around(connection, place_id)},
    ).scalar_one()
    return int(images)


def _places_around(connection: Connection, place_id: int) -> list[int]:
    where = select(places.c.latitude, places.c.longitude).where(places.c.id == place_id)
    centre = connection.execute(where).one_or_none()
    if centre is None:
        raise NotFoundError("There is no such place. Name a city or a postcode.")
    near = within_km(connection, latitude=centre.latitude, longitude=centre.longitude, radius_km=AROUND_KM)
    return [found.place_id for found in near]
