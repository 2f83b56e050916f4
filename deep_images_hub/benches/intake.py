"""Intake beside a plain process pool with the same decisions, img2dataset, and the bare decode, on the same files.

    intake        the job, by spark-submit on local[cores]: landing folder and catalogue in, pictures and ledger out
    pool          concurrent.futures: read, examine, write picture and thumbnail; no catalogue, no Spark
    img2dataset   fetch over local HTTP, resize, write; no checks
    decode        Pillow decodes the whole file; nothing else

Rates are of runs that are under way, from the first tenth of the pictures to the last one: what starting takes is not in them.
Two are given: pictures a second and core, by the clock, and pictures a second of processor time, which other work on the machine
disturbs less. Intake's is that of all its processes: Spark's JVM, the driver, Python's workers and the database.

Where the network's weights can be had, its features are measured beside the bare network, on the pictures that intake took in.
"""

import os
import shutil
import statistics
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image
from sqlalchemy import Connection, text

from deep_images_hub.errors import InvalidInputError, UnavailableError
from deep_images_hub.images.examine import ExaminationLimits, examine, limits_from_settings
from deep_images_hub.measuring import img2dataset
from deep_images_hub.measuring.network_rate import network_rates
from deep_images_hub.measuring.own_hub import hub_of_its_own, server_of, submit_quietly
from deep_images_hub.measuring.photographs import drawn_photographs, photographs_of
from deep_images_hub.measuring.processes import Cost, Watched, cost_of_children
from deep_images_hub.measuring.sent_batches import BATCH_IMAGES, add_bench_label, send
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.object_store.keys import picture_key, thumbnail_key
from deep_images_hub.pretrained_weights import weights_obstacle
from deep_images_hub.settings import Settings

_IMAGES, _ROUNDS = 2000, 3
_QUICK_IMAGES, _QUICK_ROUNDS = 256, 1
# Pictures that a network looks at, and how often; the latter are for --quick.
_NETWORK, _QUICK_NETWORK = (192, 5), (64, 3)
_MIN_IMAGES = 64
_CHUNK_IMAGES = 32
_SMALL_BATCH = 3
_TINY_S = 1e-6
_PROGRESS = """
    select
        (select count(*) from staged_decisions)
        + 2 * coalesce((select sum(submitted_count) from batches where status = 'closed'), 0)
"""
_CONTENDERS = ("intake", "pool", "img2dataset", "decode")


@dataclass(frozen=True)
class Round:
    """What each contender took for one of the same files, by name; one that could not be had is left out.

    Attributes:
        peak_rss_mib: of a worker of intake.
        worker_balance: processor seconds of the worker that had least to do, of those of the one that had most: 0..1.
        bytes_moved: what intake read and wrote.
        features_to_bare_network: by processor seconds; None where that was not measured.
    """

    costs: dict[str, Cost]
    peak_rss_mib: int
    worker_balance: float
    bytes_moved: int
    features_to_bare_network: float | None


def add_arguments(parser: ArgumentParser) -> None:
    """Add this bench's options."""
    parser.add_argument("--images", type=int, metavar="N", help=f"photographs ({_IMAGES:,}; {_QUICK_IMAGES} with --quick)")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="these photographs as they are, not drawn ones of 1024 x 768")
    parser.add_argument("--skewed", action="store_true", help="nine tenths in one batch, the rest in batches of three")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help=f"how often; medians count ({_ROUNDS}; {_QUICK_ROUNDS} with --quick)"
    )


def measure(settings: Settings, given: Namespace) -> dict[str, object]:
    """Run all contenders, round by round."""
    cores = os.cpu_count() or 1
    count = given.images or (_QUICK_IMAGES if given.quick else _IMAGES)
    folder = settings.home.resolve() / "bench"
    files = photographs_of(given.photos, count) if given.photos else drawn_photographs(folder / "1024x768", count, workers=cores)
    if len(files) < _MIN_IMAGES:
        raise InvalidInputError(f"{len(files)} photographs tell nothing. Expected: at least {_MIN_IMAGES}.")
    rival = _rival(folder)
    # One look is enough: the network does not depend on what else runs in the bench.
    network = _network(settings, is_quick=given.quick)
    rounds = []
    for number in range(given.rounds or (_QUICK_ROUNDS if given.quick else _ROUNDS)):
        print(f"round {number + 1} ...", flush=True)
        rounds.append(_round(settings, files, folder / "round", rival, network, is_skewed=given.skewed))
        network = None
    by_clock = _rates(rounds, lambda cost: cost.wall_s * cores)
    by_processor = _rates(rounds, lambda cost: cost.cpu_s)
    peak_mib = max(one.peak_rss_mib for one in rounds)
    _show(by_clock, by_processor, files, cores)
    balance = min(one.worker_balance for one in rounds)
    print(f"  the worker that had least to do had {balance:.2f} of the one that had most")
    print(f"  peak memory of a worker {peak_mib} MiB; {rounds[0].bytes_moved / 1e6:.0f} MB read and written")
    print(f"  features are {rounds[0].features_to_bare_network or '-'} of the bare network, by processor seconds\n", flush=True)
    return {
        "images": len(files),
        "images_per_s_per_core": by_clock,
        "images_per_cpu_s": by_processor,
        "intake_to_pool": _ratio(by_clock, "pool"),
        "intake_to_img2dataset": _ratio(by_clock, "img2dataset"),
        "intake_to_pool_by_processor": _ratio(by_processor, "pool"),
        "intake_to_img2dataset_by_processor": _ratio(by_processor, "img2dataset"),
        "worker_balance": round(balance, 3),
        "peak_rss_mib_per_worker": peak_mib,
        "bytes_moved": rounds[0].bytes_moved,
        "features_to_bare_network": rounds[0].features_to_bare_network,
    }


def _rival(folder: Path) -> Path | None:
    """Return img2dataset's command, or None where it cannot be had."""
    try:
        return img2dataset.install(folder / "img2dataset")
    except UnavailableError as error:
        print(f"{error} It is left out.", flush=True)
        return None


def _network(settings: Settings, *, is_quick: bool) -> tuple[int, int] | None:
    """Return how many pictures the network is to look at, and how often; None where its weights cannot be had."""
    if obstacle := weights_obstacle(settings, settings.backbone):
        print(f"{obstacle} The network is left out.", flush=True)
        return None
    return _QUICK_NETWORK if is_quick else _NETWORK


def _round(
    settings: Settings,
    files: Sequence[Path],
    folder: Path,
    rival: Path | None,
    network: tuple[int, int] | None,
    *,
    is_skewed: bool,
) -> Round:
    cores = os.cpu_count() or 1
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    limits = limits_from_settings(settings)
    try:
        intake, workers, bytes_moved, features = _intake(settings, files, folder / "hub", network, is_skewed=is_skewed)
        decide = partial(_decide_and_store, folder / "pool", limits)
        costs = {
            "intake": intake,
            "pool": _pooled(decide, files, cores),
            "decode": _pooled(_decode_whole, files, cores),
        }
        if rival:
            costs["img2dataset"] = img2dataset.cost_of(
                rival, files, folder / "img2dataset", side_px=limits.image_side_px, quality=limits.jpeg_quality, processes=cores
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    balance = workers.balance("pyspark.daemon", cores)
    return Round(costs, workers.peak_mib("pyspark.daemon"), balance, bytes_moved, features)


def _intake(
    settings: Settings, files: Sequence[Path], home: Path, network: tuple[int, int] | None, *, is_skewed: bool
) -> tuple[Cost, Watched, int, float | None]:
    """Return what intake takes for a picture, its processes, the bytes in and out, and features' rate to the bare network's.

    Args:
        network: pictures that it looks at afterwards, and how often; None: it does not.
        is_skewed: nine tenths of them are one batch, and the rest are batches of three.
    """
    with hub_of_its_own(settings, home) as hub:
        add_bench_label(hub)
        large = len(files) * 9 // 10 if is_skewed else 0
        if large:
            send(hub, files[:large], name="large", batch_images=large)
        send(hub, files[large:], name="files", batch_images=_SMALL_BATCH if is_skewed else BATCH_IMAGES)
        with hub.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            asked = connection.scalar(text("select pg_backend_pid()"))
            progress = partial(_progress, connection)
            with Watched(f"HUB_HOME={home}", server=server_of(hub), asked=asked, progress=progress) as watched:
                submit_quietly(hub, "intake", options=("--master", f"local[{os.cpu_count() or 1}]"))
        moved = sum(stat.size_bytes for stat in hub.store.list(""))
        rates = network_rates(hub, images=network[0], rounds=network[1]) if network else None
    cost = watched.cost_by_unit()
    features = None if rates is None else float(rates["features_to_bare_network"])
    return Cost(2 * cost.wall_s, 2 * cost.cpu_s), watched, moved, features


def _progress(connection: Connection) -> int:
    """Return how many photographs are decided and how many merged: each counts twice."""
    return int(connection.execute(text(_PROGRESS)).scalar_one())


def _pooled(work: Callable[[Sequence[Path]], int], files: Sequence[Path], cores: int) -> Cost:
    """Return what a pool takes for a file. Its start, of a tenth of a second, is in it."""
    chunk = min(_CHUNK_IMAGES, -(-len(files) // cores))
    with cost_of_children() as cost, ProcessPoolExecutor(cores) as pool:
        done = sum(pool.map(work, [files[start : start + chunk] for start in range(0, len(files), chunk)]))
    if done != len(files):
        raise UnavailableError(f"The pool did {done} of {len(files)} files.")
    return Cost(cost.wall_s / done, cost.cpu_s / done)


def _decide_and_store(folder: Path, limits: ExaminationLimits, files: Sequence[Path]) -> int:
    store = FolderStore(folder)
    for file in files:
        found = examine(file.read_bytes(), limits)
        if found.picture is not None and found.sha256 is not None:
            store.create(picture_key(found.sha256), found.picture.jpeg)
            store.create(thumbnail_key(found.sha256), found.picture.thumbnail_jpeg)
    store.flush()
    return len(files)


def _decode_whole(files: Sequence[Path]) -> int:
    for file in files:
        with Image.open(file) as image:
            image.load()
    return len(files)


def _rates(rounds: Sequence[Round], seconds: Callable[[Cost], float]) -> dict[str, float | None]:
    """Return pictures a second by contender, the median over the rounds; None where there was no such contender."""
    rates: dict[str, float | None] = dict.fromkeys(_CONTENDERS)
    for name in rounds[0].costs:
        rates[name] = round(1 / max(_TINY_S, statistics.median(seconds(one.costs[name]) for one in rounds)), 1)
    return rates


def _ratio(rates: dict[str, float | None], other: str) -> float | None:
    ours, theirs = rates["intake"], rates[other]
    return round(ours / theirs, 3) if ours and theirs else None


def _show(by_clock: dict[str, float | None], by_processor: dict[str, float | None], files: Sequence[Path], cores: int) -> None:
    size = sum(file.stat().st_size for file in files) / len(files) / 1000
    print(f"\n{len(files):,} photographs of {size:.0f} kB, {cores} cores; pictures")
    print(f"  {'':<12} {'a second and core':>18} {'a processor second':>19} {'intake is of it':>16}")
    for name, rate in by_clock.items():
        print(f"  {name:<12} {rate or '-':>18} {by_processor[name] or '-':>19} {_ratio(by_clock, name) or '-':>16}")
