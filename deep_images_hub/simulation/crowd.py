"""Who of a simulated crowd sends what, when and with which defects: a plan, made from a seed alone. Reads and writes nothing."""

import csv
import io
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice, zip_longest

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.simulation.defects import DEFECTS
from deep_images_hub.simulation.photo_sources import PhotoList

# Small batches, so that a split which never parts a batch still finds enough of them at 30 photographs a label.
MIN_BATCH, MAX_BATCH = 3, 12
BATCHES_PER_SUPPLIER = 3
# How many suppliers opt in to share where they are.
PLACE_SHARE = 0.6
# Raise it when the same seed would plan another crowd: its batches then get other keys.
PLAN_VERSION = 1

_FIRST_NAMES = (
    "Ada", "Amir", "Beatriz", "Chidi", "Dana", "Elif", "Farah", "Goran", "Hana", "Ines", "Jonas", "Keiko", "Lars", "Mei", "Nadia",
    "Omar", "Priya", "Quentin", "Rosa", "Sven", "Tomas", "Uma", "Vera", "Wanjiru", "Xavier", "Yusuf", "Zofia",
)  # fmt: skip
_LAST_NAMES = (
    "Abe", "Berg", "Costa", "Diallo", "Endo", "Fischer", "Garcia", "Haddad", "Ito", "Jensen", "Kaya", "Lopez", "Moreau", "Novak",
    "Okafor", "Petrov", "Quinn", "Rossi", "Singh", "Tanaka", "Ueda", "Varga", "Weber", "Xu", "Yilmaz", "Zhou",
)  # fmt: skip
# As people write them; the offline gazetteer knows them all.
PLACES = (
    "Toronto, Canada", "Berlin, Germany", "Nairobi, Kenya", "Tokyo, Japan", "Mexico City, Mexico", "Mumbai, India",
    "Lagos, Nigeria", "Paris, France", "Sydney, Australia", "New York, United States", "Istanbul, Turkey", "Lima, Peru",
    "Seoul, South Korea", "Madrid, Spain", "Warsaw, Poland", "Jakarta, Indonesia",
)  # fmt: skip
_LICENCES = ("cc0", "by", "by", "by-sa")
_FIRST_DAY = datetime(2026, 1, 5, 6, tzinfo=UTC)
_DAYS = 60


@dataclass(frozen=True, slots=True)
class PlannedPhoto:
    """One photograph to be sent.

    Attributes:
        source_label: the label under which the source has it: what it truly shows.
        photo: its name in the source.
        filename: what the supplier calls it.
        taken_at: when it was taken; None where the camera does not say.
        defect: one of DEFECTS, or None.
        origin: for a duplicate: (batch key, position) of what it repeats.
    """

    source_label: str
    photo: str
    filename: str
    taken_at: datetime | None
    defect: str | None = None
    origin: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """One batch to be sent; photographs by position."""

    key: str
    supplier_email: str
    supplier_name: str
    label_code: str
    licence: str
    attribution: str | None
    place_query: str | None
    submitted_at: datetime
    photos: tuple[PlannedPhoto, ...]


@dataclass(frozen=True)
class Crowd:
    """A whole plan.

    Attributes:
        name: the same for the same photographs, seed, defects and number; every batch's key begins with it.
        batches: in the order in which they are sent.
    """

    name: str
    batches: tuple[PlannedBatch, ...]


@dataclass(frozen=True)
class _Supplier:
    email: str
    name: str
    place_query: str | None
    licence: str


def plan_crowd(listed: PhotoList, *, seed: int, rates: Mapping[str, float], images: int | None = None) -> Crowd:
    """Plan who sends what. The same arguments give the same plan; other arguments give batches of other keys.

    Args:
        rates: share of each defect, see `defects`. Duplicates are sent instead of a photograph, not beside it.
        images: photographs in all; None: all that the source has. Fewer are drawn evenly from all labels.

    Raises:
        InvalidInputError: more photographs are asked for than the source has.
    """
    chosen = _chosen(listed.photos, images, random.Random(f"{seed}/choice"))
    said = [PLAN_VERSION, listed.identity, seed, sorted(rates.items()), sum(len(names) for names in chosen.values())]
    crowd = f"crowd-{sha256(json.dumps(said).encode()).hexdigest()[:12]}"
    rng = random.Random(f"{seed}/crowd")
    drafts = [(label, part) for label, names in chosen.items() for part in _parted(names, rng)]
    suppliers = _suppliers(max(1, len(drafts) // BATCHES_PER_SUPPLIER), rng)
    moments = sorted(_FIRST_DAY + timedelta(seconds=rng.randrange(_DAYS * 86_400)) for _ in drafts)
    rng.shuffle(drafts)
    batches = []
    for number, ((label, names), moment) in enumerate(zip(drafts, moments, strict=True)):
        supplier = rng.choice(suppliers)
        photos = tuple(
            PlannedPhoto(label, name, _filename(name, position, rng), moment - timedelta(minutes=rng.randint(3, 4000)))
            for position, name in enumerate(names)
        )
        batches.append(
            PlannedBatch(
                key=batch_key(crowd, number),
                supplier_email=supplier.email,
                supplier_name=supplier.name,
                label_code=label,
                licence=supplier.licence,
                attribution=None if supplier.licence == "cc0" else supplier.name,
                place_query=supplier.place_query,
                submitted_at=moment,
                photos=photos,
            )
        )
    return Crowd(crowd, _with_defects(batches, rates, random.Random(f"{seed}/defects")))


def batch_key(crowd: str, number: int) -> str:
    """Return the key of a crowd's batch. number: from 0, in the order in which they are sent."""
    return f"{crowd}-{number:05d}"


def _chosen(photos: Mapping[str, tuple[str, ...]], images: int | None, rng: random.Random) -> dict[str, tuple[str, ...]]:
    available = sum(len(names) for names in photos.values())
    if images is None or images == available:
        return dict(photos)
    if images > available:
        raise InvalidInputError(f"{images} photographs were asked for, and the source has {available}. Ask for at most as many.")
    # One from each label in turn, so that few photographs still show many labels.
    shuffled = {label: rng.sample(names, len(names)) for label, names in photos.items()}
    turns = zip_longest(*([(label, name) for name in names] for label, names in shuffled.items()))
    taken: defaultdict[str, list[str]] = defaultdict(list)
    for label, name in islice((pair for turn in turns for pair in turn if pair), images):
        taken[label].append(name)
    return {label: tuple(sorted(names)) for label, names in taken.items()}


def _parted(names: tuple[str, ...], rng: random.Random) -> list[tuple[str, ...]]:
    """Part a label's photographs into small batches."""
    parts = []
    start = 0
    while start < len(names):
        size = rng.randint(MIN_BATCH, MAX_BATCH)
        if len(names) - start - size < MIN_BATCH:
            size = len(names) - start if len(names) - start <= MAX_BATCH else (len(names) - start) // 2
        parts.append(names[start : start + size])
        start += size
    return parts


def _suppliers(count: int, rng: random.Random) -> list[_Supplier]:
    suppliers = []
    for number in range(count):
        first, last = rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES)
        email = f"{first}.{last}.{number}@crowd.example".lower()
        place = rng.choice(PLACES) if rng.random() < PLACE_SHARE else None
        suppliers.append(_Supplier(email, f"{first} {last}", place, rng.choice(_LICENCES)))
    return suppliers


def _filename(name: str, position: int, rng: random.Random) -> str:
    base = name.rpartition("/")[2]
    return base if "." in base else f"IMG_{rng.randint(1000, 9989) + position}.jpg"


def _with_defects(batches: list[PlannedBatch], rates: Mapping[str, float], rng: random.Random) -> tuple[PlannedBatch, ...]:
    names = list(rates)
    weights = [*rates.values(), max(0.0, 1 - sum(rates.values()))]
    honest: defaultdict[str, list[tuple[str, int, PlannedPhoto]]] = defaultdict(list)
    spoiled = []
    for batch in batches:
        photos = []
        for position, photo in enumerate(batch.photos):
            defect = rng.choices([*names, None], weights)[0]
            sent = _spoiled(photo, defect, honest[batch.label_code], batch.key, rng)
            if sent.defect is None:
                honest[batch.label_code].append((batch.key, position, sent))
            photos.append(sent)
        spoiled.append(replace(batch, photos=tuple(photos)))
    return _with_swaps(spoiled, rng)


def _spoiled(
    photo: PlannedPhoto, defect: str | None, earlier: list[tuple[str, int, PlannedPhoto]], batch_key: str, rng: random.Random
) -> PlannedPhoto:
    if defect not in ("exact_duplicate", "near_duplicate"):
        return replace(photo, defect=defect)
    in_batch = [sent for sent in earlier if sent[0] == batch_key]
    # Half of those who send a photograph twice do so in one batch.
    candidates = in_batch if in_batch and rng.random() < 0.5 else earlier
    if not candidates:
        return photo
    origin_key, origin_position, origin = rng.choice(candidates)
    return replace(photo, photo=origin.photo, defect=defect, origin=(origin_key, origin_position))


def _with_swaps(batches: list[PlannedBatch], rng: random.Random) -> tuple[PlannedBatch, ...]:
    """Let photographs that are to have a wrong label change places with one another, so that each is still sent once."""
    photos = [list(batch.photos) for batch in batches]
    places = [
        (number, position)
        for number, sent in enumerate(photos)
        for position, photo in enumerate(sent)
        if photo.defect == "wrong_label"
    ]
    rng.shuffle(places)
    while places:
        batch, position = places.pop()
        one = photos[batch][position]
        partner = next((place for place in places if photos[place[0]][place[1]].source_label != one.source_label), None)
        if partner is None:
            photos[batch][position] = replace(one, defect=None)
            continue
        places.remove(partner)
        other = photos[partner[0]][partner[1]]
        photos[batch][position] = replace(one, source_label=other.source_label, photo=other.photo)
        photos[partner[0]][partner[1]] = replace(other, source_label=one.source_label, photo=one.photo)
    return tuple(replace(batch, photos=tuple(sent)) for batch, sent in zip(batches, photos, strict=True))


TRUTH_COLUMNS = (
    "batch_key", "position", "defect", "expected_status", "expected_reason", "label_code", "true_label_code", "origin_batch_key",
    "origin_position",
)  # fmt: skip


def truth_key(crowd: str) -> str:
    """Return where the truth about a crowd lies: outside landing/, where intake never looks."""
    return f"simulation/truth-{crowd}.csv"


def truth_csv(batches: Iterable[PlannedBatch]) -> bytes:
    """Return what is true of every photograph that has a defect, as CSV with TRUTH_COLUMNS; all others are honest."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(TRUTH_COLUMNS)
    for batch in batches:
        for position, photo in enumerate(batch.photos):
            if photo.defect is None:
                continue
            reason = DEFECTS[photo.defect].expected_reason
            status = "rejected" if reason else "accepted"
            origin = photo.origin or ("", "")
            rows.writerow(
                (batch.key, position, photo.defect, status, reason or "", batch.label_code, photo.source_label, *origin)
            )
    return text.getvalue().encode()
