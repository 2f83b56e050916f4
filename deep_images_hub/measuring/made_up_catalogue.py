"""A catalogue of made-up pictures, as many as wanted, with nothing in the store: for benches of what reads the catalogue.

Labels are as many as Open Images has with boxes and hang together as these do: a few levels, some with two parents. Their sizes
fall as frequencies of words do: the largest has a seventh of all pictures, the smallest hardly any. A batch has 100 pictures.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from deep_images_hub.catalogue.engine import copy_rows
from deep_images_hub.catalogue.label_counts import recount
from deep_images_hub.catalogue.labels import label_ids, load_graph
from deep_images_hub.labels.graph import LabelEdge, LabelGraph
from deep_images_hub.licences import LICENCES
from deep_images_hub.progress import Progress

LABELS = 600
BATCH_IMAGES = 100
SUPPLIERS = 400
PLACES = 300
_TWO_PARENTS = 45
_CHUNK_BATCHES = 400
_NEWEST = datetime(2026, 6, 1, 12, tzinfo=UTC)
_SPAN = timedelta(days=900)

_SUPPLIERS = """
    insert into users (email, display_name, role)
    select format('supplier-%s@example.org', number), format('Supplier %s', number), 'supplier'
    from generate_series(1, :count) as number
    returning id
"""
_PLACES = """
    insert into places (country_code, city, latitude, longitude)
    select chr(65 + number % 26) || 'X', format('City %s', number), number % 140 - 60, number * 7 % 360 - 180
    from generate_series(1, :count) as number
    returning id
"""
_PICTURES = """
    insert into images (
        sha256, batch_id, format, size_bytes, picture_size_bytes, width_px, height_px, original_key, picture_key, thumbnail_key,
        quality_score, taken_at, created_at
    )
    select
        encode(sha256(convert_to(object_key, 'UTF8')), 'hex'), batch_id, 'jpeg', 200000, 20000, side * 4 / 3, side, object_key,
        'pictures of ' || object_key, 'thumbnails of ' || object_key, 0.25 + 0.75 * luck * luck,
        case when luck < 0.8 then submitted_at - luck * interval '90 days' end, submitted_at + interval '1 hour'
    from (
        select
            batches.id as batch_id, submitted_at, position, format('landing/%s/%s', key, position) as object_key,
            random() as luck, (array[240, 348, 480, 768, 1024, 1536, 3024])[1 + floor(7 * random())] as side
        from batches, generate_series(0, submitted_count - 1) as position
        where batches.id between :first and :last
    ) as photographs
    order by batch_id, position
"""
_SENT = """
    insert into submissions (batch_id, position, object_key, filename, size_bytes, status, image_id, decided_at)
    select
        batch_id, cast(split_part(original_key, '/', 3) as integer), original_key, split_part(original_key, '/', 3) || '.jpg',
        size_bytes, 'accepted', id, created_at
    from images
    where batch_id between :first and :last
    order by id
"""
_VERDICTS = """
    insert into verdicts (submission_id, check_name, check_version, score, threshold, outcome)
    select submissions.id, checks.name, 2, checks.score, checks.threshold, 'pass'
    from submissions, (values ('blurry', 0.5, 0.24), ('dark', 0.7, 0.1)) as checks (name, score, threshold)
    where submissions.batch_id between :first and :last
"""
# An operator has looked at one picture in a hundred.
_REVIEWS = """
    with looked_at as (
        insert into decision_changes (submission_id, from_status, from_reason, to_status, cause, detail)
        select id, 'review', 'label_agreement', 'accepted', 'operator', 'its label is right'
        from submissions
        where batch_id between :first and :last and id % 100 = 0
        returning id, submission_id
    )
    insert into verdicts (submission_id, check_name, check_version, outcome, detail, decision_change_id)
    select submission_id, 'review', 2, 'pass', 'its label is right', id from looked_at
"""
_LABELS = """
    insert into image_labels (image_id, label_id, said_by, user_id)
    select images.id, batches.label_id, 'supplier', batches.supplier_id
    from batches
    join images on images.batch_id = batches.id
    where batches.id between :first and :last
    order by images.id
"""


def fill(engine: Engine, *, images: int, seed: int = 0) -> None:
    """Fill an empty catalogue that is migrated.

    Args:
        images: how many pictures; a multiple of BATCH_IMAGES.
        seed: the same one makes the same catalogue.
    """
    rng = random.Random(seed)
    with engine.begin() as connection:
        load_graph(connection, made_up_graph(rng), source="bench")
        _send(connection, rng, images // BATCH_IMAGES)
        first, last = connection.execute(text("select min(id), max(id) from batches")).one()
    with Progress("Making up pictures", images, "pictures") as progress:
        for chunk in range(first, last + 1, _CHUNK_BATCHES):
            ends = {"first": chunk, "last": min(last, chunk + _CHUNK_BATCHES - 1)}
            with engine.begin() as connection:
                connection.execute(text("set local synchronous_commit = off"))
                connection.execute(text("select setseed(:seed)"), {"seed": rng.random()})
                for statement in (_PICTURES, _SENT, _VERDICTS, _REVIEWS, _LABELS):
                    connection.execute(text(statement), ends)
                # Nobody has told the planner yet how large these tables are.
                connection.execute(text("analyze images, submissions, verdicts, image_labels, shown_images"))
            progress.advance((ends["last"] - chunk + 1) * BATCH_IMAGES)
    with engine.begin() as connection:
        recount(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))


def made_up_graph(rng: random.Random) -> LabelGraph:
    """Return LABELS labels under one: their parents are among those before them, so that a few levels come about."""
    codes = ["entity", *(f"kind-{number:03d}" for number in range(1, LABELS))]
    names = {code: code.replace("-", " ").capitalize() for code in codes}
    edges = set()
    for number in range(1, LABELS):
        # The first twenty stand under the one; each later label stands under one of the first sixth of those before it.
        parents = rng.sample(range(1, max(20, number // 6)), k=2 if number > LABELS - _TWO_PARENTS else 1) if number > 20 else [0]
        edges |= {LabelEdge(codes[parent], codes[number]) for parent in parents}
    return LabelGraph(names=names, edges=frozenset(edges))


def _send(connection: Connection, rng: random.Random, batches: int) -> None:
    supplier_ids = connection.execute(text(_SUPPLIERS), {"count": SUPPLIERS}).scalars().all()
    place_ids = connection.execute(text(_PLACES), {"count": PLACES}).scalars().all()
    ids = [label_id for code, label_id in sorted(label_ids(connection).items()) if code != "entity"]
    rng.shuffle(ids)
    weights = [1 / rank for rank in range(1, len(ids) + 1)]

    def rows() -> Iterator[tuple[object, ...]]:
        drawn = rng.choices(ids, weights, k=batches)
        for number, label_id in enumerate(drawn):
            at = _NEWEST - _SPAN * (1 - number / batches)
            licence = rng.choices(LICENCES, [1 / rank for rank in range(1, len(LICENCES) + 1)])[0]
            place_id = rng.choice(place_ids) if rng.random() < 0.6 else None
            key = f"bench-{number}"
            yield (
                key, rng.choice(supplier_ids), label_id, place_id, licence, f"landing/{key}/manifest.json", "closed",
                BATCH_IMAGES, BATCH_IMAGES, at, at,
            )  # fmt: skip

    columns = (
        "key", "supplier_id", "label_id", "place_id", "licence", "manifest_key", "status", "submitted_count", "accepted_count",
        "submitted_at", "closed_at",
    )  # fmt: skip
    copy_rows(connection, "batches", columns, rows())
