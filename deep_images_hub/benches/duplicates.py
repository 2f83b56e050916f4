"""Near-duplicates of one new picture in a hub of many: how long until the index has answered, and until all is compared.

    index     the query that finds candidates, for one picture
    compared  the same with the candidates' grids fetched and scored
    merge     the same for a batch of 500, a picture
    scan      what finding the same near hashes costs without an index, in parallel as PostgreSQL chooses

The hub is filled with descriptors of made-up pictures (`measuring.made_up_pictures`). Half of the pictures that are asked about
are changed copies. To be filled quickly, only the first pictures have grids of their own, the copies' originals among them.
"""

import shutil
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence

import numpy as np
from sqlalchemy import Connection, Engine, text

from deep_images_hub.catalogue.engine import connect_engine
from deep_images_hub.catalogue.migrations import migrate
from deep_images_hub.catalogue.near_duplicates import find_likenesses
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.images.near_duplicates import MAX_HASH_BITS
from deep_images_hub.measuring.bulk_filling import without_indexes
from deep_images_hub.measuring.made_up_pictures import CHUNK_IMAGES, copy_descriptors, fill_descriptors, waves
from deep_images_hub.runtime.postgres import EmbeddedPostgres
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import resolve

_IMAGES, _QUICK_IMAGES = 1_000_000, 60_000
_ASKED, _QUICK_ASKED = 1_000, 300
_SCANS = 5
_BATCH_IMAGES = 500
# How much of a copy's waves is not its original's: about what a crop of 3 % a side does to a hash.
_CHANGE = 0.04
_FILL_TIMEOUT_S = 3600.0
_PICTURES = """
    insert into images (
        sha256, batch_id, format, size_bytes, picture_size_bytes, width_px, height_px, original_key, picture_key, thumbnail_key,
        quality_score
    )
    select
        encode(sha256(convert_to(:name || number, 'UTF8')), 'hex'), batches.id, 'jpeg', 200000, 20000, 1024, 768,
        'landing/' || :name || number, 'images/' || :name || number, 'thumbnails/' || :name || number, 0.8
    from generate_series(1, :count) as number, batches
    order by number
    returning id
"""
_SENDER = """
    insert into users (email, display_name, role) values ('bench@example.org', 'Bench', 'supplier');
    insert into labels (code, name, source) values ('bench', 'Bench', 'bench');
    insert into batches (key, supplier_id, label_id, licence, manifest_key, submitted_count, submitted_at)
    select 'bench', users.id, labels.id, 'cc0', 'bench', 1, now() from users, labels
"""
_LABELS = "insert into image_labels (image_id, label_id, said_by) select images.id, labels.id, 'supplier' from images, labels"
_SCAN = "select count(*) from descriptors where bit_count(cast(whole_hash # :hash as bit(60))) <= :max_bits"


def add_arguments(parser: ArgumentParser) -> None:
    """Add this bench's options."""
    parser.add_argument(
        "--images", type=int, metavar="N", help=f"pictures in the hub ({_IMAGES:,}; {_QUICK_IMAGES:,} with --quick)"
    )


def measure(settings: Settings, given: Namespace) -> dict[str, object]:
    """Fill a catalogue of its own, and ask it."""
    images = given.images or (_QUICK_IMAGES if given.quick else _IMAGES)
    home = settings.home.resolve() / "bench" / "duplicates"
    shutil.rmtree(home, ignore_errors=True)
    own = resolve(settings.model_copy(update={"home": home, "database_url": None, "store_url": None}))
    try:
        migrate(own)
        engine = connect_engine(own, statement_timeout_s=_FILL_TIMEOUT_S)
        try:
            return _measured(engine, images, asked=_QUICK_ASKED if given.quick else _ASKED)
        finally:
            engine.dispose()
    finally:
        EmbeddedPostgres(home / "postgres").stop()
        shutil.rmtree(home, ignore_errors=True)


def _measured(engine: Engine, images: int, *, asked: int) -> dict[str, object]:
    began_s = time.monotonic()
    with engine.begin() as connection:
        _fill(connection, images)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum (analyze) descriptors"))
        connection.execute(text("vacuum (analyze) image_labels"))
        print(f"{images:,} pictures, filled in {time.monotonic() - began_s:.0f} s", flush=True)
        new_ids = _send(connection, asked)
        hashes = (
            connection.execute(text("select whole_hash from descriptors where image_id <= :n"), {"n": _SCANS}).scalars().all()
        )
        candidates = 0

        def ask(image_id: int) -> None:
            nonlocal candidates
            given = {"image_ids": [image_id], "max_bits": MAX_HASH_BITS, "limit": 1_000}
            candidates += len(connection.execute(load_query("near_candidates"), given).all())

        _times_ms(ask, new_ids[: asked // 10])
        candidates = 0
        times = {
            "index": _times_ms(ask, new_ids),
            "compared": _times_ms(lambda image_id: find_likenesses(connection, image_ids=[image_id]), new_ids),
            "scan": _times_ms(lambda hash_: connection.scalar(text(_SCAN), {"hash": hash_, "max_bits": MAX_HASH_BITS}), hashes),
        }
        merged_s = time.perf_counter()
        likenesses = find_likenesses(connection, image_ids=new_ids[:_BATCH_IMAGES])
        merge_ms = 1000 * (time.perf_counter() - merged_s) / len(new_ids[:_BATCH_IMAGES])
        copies = {of.other_id for of in likenesses if of.is_near_duplicate} | {
            of.image_id for of in likenesses if of.is_near_duplicate
        }
        index_bytes = connection.scalar(text("select pg_indexes_size('descriptors')"))
    found = {f"{name}_ms": {"median": _percentile(of, 50), "p95": _percentile(of, 95)} for name, of in times.items()}
    print(f"\n  {'':<10} {'median':>10} {'p95':>10}")
    for name, of in times.items():
        print(f"  {name:<10} {_percentile(of, 50):>7} ms {_percentile(of, 95):>7} ms")
    print(f"  {'merge':<10} {merge_ms:>7.2f} ms a picture, {len(copies)} pictures are near-duplicates")
    print(
        f"  {candidates / len(new_ids):.1f} candidates a picture; indexes of {index_bytes / images:.0f} bytes a picture\n",
        flush=True,
    )
    return {
        "images": images,
        **found,
        "merge_ms_per_image": round(merge_ms, 3),
        "candidates_per_image": round(candidates / len(new_ids), 2),
        "index_bytes_per_image": round(index_bytes / images),
    }


def _times_ms(work: Callable[[int], object], given: Sequence[int]) -> list[float]:
    times = []
    for one in given:
        began_s = time.perf_counter()
        work(one)
        times.append(1000 * (time.perf_counter() - began_s))
    return times


def _percentile(times_ms: list[float], percent: float) -> float:
    return round(float(np.percentile(times_ms, percent)), 2)


def _fill(connection: Connection, images: int) -> None:
    connection.execute(text(_SENDER))
    image_ids = connection.execute(text(_PICTURES), {"name": "", "count": images}).scalars()
    first_id = next(iter(image_ids))
    connection.execute(text(_LABELS))
    with without_indexes(connection, "descriptors"):
        fill_descriptors(connection, first_id, images)


def _send(connection: Connection, count: int) -> list[int]:
    """Add new pictures, without labels, so that none finds another: copies of some, changed, and as many that are like none."""
    rng = np.random.default_rng(0)
    originals = waves(rng, CHUNK_IMAGES)[: count // 2]
    changed = originals + _CHANGE * waves(rng, len(originals))
    new = np.concatenate([changed, waves(np.random.default_rng(1), count - len(changed))])
    new_ids = sorted(connection.execute(text(_PICTURES), {"name": "new ", "count": count}).scalars())
    copy_descriptors(connection, new_ids[0], new)
    # Copies and others in turn.
    return [image_id for pair in zip(new_ids[: count // 2], new_ids[count // 2 :], strict=False) for image_id in pair]
