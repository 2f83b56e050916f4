"""Intake beside a plain process pool with the same decisions, img2dataset, and the bare decode, on the same files.

    intake        the job, by spark-submit on local[cores]: landing folder and catalogue in, pictures and ledger out
    pool          concurrent.futures: read, examine, write picture and thumbnail; no catalogue, no Spark
    img2dataset   fetch over local HTTP, resize, write; no checks
    decode        Pillow decodes the whole file; nothing else

Rates are without start-up: what a run over the files takes longer than a run over a few. Two of them are given: pictures a second
and core, by the clock, and pictures a second of processor time, which other work on the machine disturbs less.
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

from deep_images_hub.errors import InvalidInputError, UnavailableError
from deep_images_hub.images.examine import ExaminationLimits, examine, limits_from_settings
from deep_images_hub.measuring import img2dataset
from deep_images_hub.measuring.own_hub import hub_of_its_own, server_of, submit_quietly
from deep_images_hub.measuring.photographs import drawn_photographs, photographs_of
from deep_images_hub.measuring.processes import Cost, Watched, cost_of_children
from deep_images_hub.measuring.sent_batches import add_bench_label, send
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.object_store.keys import picture_key, thumbnail_key
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import Hub

_IMAGES, _ROUNDS = 2000, 3
_QUICK_IMAGES, _QUICK_ROUNDS = 400, 1
# Pictures a core of the short runs that tell what starting costs.
_START_IMAGES = 8
_CHUNK_IMAGES = 32
_CONTENDERS = ("intake", "pool", "img2dataset", "decode")


@dataclass(frozen=True)
class Round:
    """What each contender took for the same files, by name; one that could not be had is left out."""

    costs: dict[str, Cost]
    peak_rss_mib: int
    bytes_moved: int


def add_arguments(parser: ArgumentParser) -> None:
    """Add this bench's options."""
    parser.add_argument("--images", type=int, metavar="N", help=f"photographs ({_IMAGES:,}; {_QUICK_IMAGES} with --quick)")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="these photographs as they are, not drawn ones of 1024 x 768")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help=f"how often; medians count ({_ROUNDS}; {_QUICK_ROUNDS} with --quick)"
    )


def measure(settings: Settings, given: Namespace) -> dict[str, object]:
    """Run all contenders, round by round."""
    cores = os.cpu_count() or 1
    count = given.images or (_QUICK_IMAGES if given.quick else _IMAGES)
    folder = settings.home.resolve() / "bench"
    files = photographs_of(given.photos, count) if given.photos else drawn_photographs(folder / "1024x768", count, workers=cores)
    if len(files) < 4 * _START_IMAGES * cores:
        raise InvalidInputError(f"{len(files)} photographs tell nothing. Expected: at least {4 * _START_IMAGES * cores}.")
    rival = _rival(folder)
    rounds = []
    for number in range(given.rounds or (_QUICK_ROUNDS if given.quick else _ROUNDS)):
        print(f"round {number + 1} ...", flush=True)
        rounds.append(_round(settings, files, folder / "round", rival, cores))
    # The pictures of the short runs are in neither.
    images = len(files) - _START_IMAGES * cores
    by_clock = _rates(rounds, images, lambda cost: cost.wall_s * cores)
    by_processor = _rates(rounds, images, lambda cost: cost.cpu_s)
    peak_mib = max(one.peak_rss_mib for one in rounds)
    _show(by_clock, by_processor, files, cores)
    print(f"  peak memory of a worker {peak_mib} MiB; {rounds[0].bytes_moved / 1e6:.0f} MB read and written\n", flush=True)
    return {
        "images": len(files),
        "images_per_s_per_core": by_clock,
        "images_per_cpu_s": by_processor,
        "intake_to_pool": _ratio(by_clock, "pool"),
        "intake_to_img2dataset": _ratio(by_clock, "img2dataset"),
        "peak_rss_mib_per_worker": peak_mib,
        "bytes_moved": rounds[0].bytes_moved,
    }


def _rival(folder: Path) -> Path | None:
    """Return img2dataset's command, or None where it cannot be had."""
    try:
        return img2dataset.install(folder / "img2dataset")
    except UnavailableError as error:
        print(f"{error} It is left out.", flush=True)
        return None


def _round(settings: Settings, files: Sequence[Path], folder: Path, rival: Path | None, cores: int) -> Round:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    limits = limits_from_settings(settings)
    few = files[: _START_IMAGES * cores]
    try:
        intake, peak_mib, bytes_moved = _intake(settings, few, files[len(few) :], folder / "hub", cores)
        decide = partial(_decide_and_store, folder / "pool", limits)
        costs = {
            "intake": intake,
            "pool": _pooled(decide, files, cores) - _pooled(decide, few, cores),
            "decode": _pooled(_decode_whole, files, cores) - _pooled(_decode_whole, few, cores),
        }
        if rival:
            fetch = partial(
                img2dataset.cost_of, rival, side_px=limits.image_side_px, quality=limits.jpeg_quality, processes=cores
            )
            costs["img2dataset"] = fetch(files, folder / "img2dataset") - fetch(few, folder / "img2dataset-few")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Round(costs, peak_mib, bytes_moved)


def _intake(settings: Settings, few: Sequence[Path], files: Sequence[Path], home: Path, cores: int) -> tuple[Cost, int, int]:
    """Return what intake takes for files more than for a few, its workers' peak memory in MiB, and the bytes in and out."""
    with hub_of_its_own(settings, home) as hub:
        add_bench_label(hub)
        # A batch for each core: every worker starts in both runs.
        send(hub, few, name="few", batch_images=_START_IMAGES)
        started, _ = _job_cost(hub, cores)
        send(hub, files, name="files")
        done, peak_mib = _job_cost(hub, cores)
        moved = sum(stat.size_bytes for stat in hub.store.list(""))
    return done - started, peak_mib, moved


def _job_cost(hub: Hub, cores: int) -> tuple[Cost, int]:
    """Return what the job takes, its database server included, and the peak memory of a Python worker in MiB."""
    with Watched("pyspark.daemon", f"HUB_HOME={hub.settings.home}") as workers, cost_of_children(server=server_of(hub)) as cost:
        submit_quietly(hub, "intake", options=("--master", f"local[{cores}]"))
    # Nobody waits for these, so that they are not among the children that have ended.
    cost.cpu_s += workers.cpu_s
    return cost, workers.peak_mib


def _pooled(work: Callable[[Sequence[Path]], int], files: Sequence[Path], cores: int) -> Cost:
    """Return what a pool takes for the files, its start included."""
    chunk = min(_CHUNK_IMAGES, -(-len(files) // cores))
    with cost_of_children() as cost, ProcessPoolExecutor(cores) as pool:
        done = sum(pool.map(work, [files[start : start + chunk] for start in range(0, len(files), chunk)]))
    if done != len(files):
        raise UnavailableError(f"The pool did {done} of {len(files)} files.")
    return cost


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


def _rates(rounds: Sequence[Round], images: int, seconds: Callable[[Cost], float]) -> dict[str, float | None]:
    """Return pictures a second by contender, the median over the rounds; None where there was no such contender."""
    rates: dict[str, float | None] = dict.fromkeys(_CONTENDERS)
    for name in rounds[0].costs:
        rates[name] = round(images / statistics.median(seconds(one.costs[name]) for one in rounds), 1)
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
