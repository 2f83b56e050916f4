"""What a picture costs intake in a hub that has many, beside one that has none: the same photographs, batch by batch, in turn.

    decide   read, examine, store: the same in both
    empty    stage, merge, compare, in a catalogue that holds nothing but what the bench brings in
    full     the same in a catalogue of `--images` pictures, whose descriptors are those of made-up pictures

Times are processor seconds of this process and of its connection to the database. In one process, without Spark: what Spark adds
knows nothing of the catalogue's size, and `scripts/bench intake` measures it.
"""

import os
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text

from deep_images_hub.batches.decide import Decision, decide
from deep_images_hub.catalogue.intake import intake_attempt, merge_batches, pending_submissions, stage_decisions
from deep_images_hub.images.examine import limits_from_settings
from deep_images_hub.measuring.full_catalogue import fill_catalogue
from deep_images_hub.measuring.own_hub import hub_of_its_own
from deep_images_hub.measuring.photographs import drawn_photographs, photographs_of
from deep_images_hub.measuring.processes import cpu_s_of
from deep_images_hub.measuring.sent_batches import add_bench_label, send
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import Hub

_IMAGES, _QUICK_IMAGES = 1_740_000, 30_000
_NEW, _QUICK_NEW = 600, 150
_BATCH_IMAGES = 25
# What is not counted: plans and caches are made then.
_WARM_UP_BATCHES = 2

_Result = TypeVar("_Result")


@dataclass
class Spent:
    """Seconds that pictures took."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    images: int = 0

    @property
    def ms_per_image(self) -> float:
        """Processor milliseconds a picture."""
        return 1000 * self.cpu_s / max(1, self.images)


@dataclass(frozen=True)
class _Side:
    """A hub, and what it has spent on the catalogue."""

    hub: Hub
    attempt: int
    spent: Spent = field(default_factory=Spent)


def add_arguments(parser: ArgumentParser) -> None:
    """Add this bench's options."""
    parser.add_argument(
        "--images", type=int, metavar="N", help=f"pictures in the full hub ({_IMAGES:,}; {_QUICK_IMAGES:,} with --quick)"
    )
    parser.add_argument("--new", type=int, metavar="N", help=f"photographs to take in ({_NEW}; {_QUICK_NEW} with --quick)")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="these photographs, not drawn ones of 1024 x 768")


def measure(settings: Settings, given: Namespace) -> dict[str, object]:
    """Fill one of two hubs, then take the same photographs into both."""
    folder = settings.home.resolve() / "bench"
    new = given.new or (_QUICK_NEW if given.quick else _NEW)
    if given.photos:
        files = photographs_of(given.photos, new)
    else:
        files = drawn_photographs(folder / "1024x768", new, workers=os.cpu_count() or 1)
    with ExitStack() as at_the_end:
        sides = {}
        for name in ("empty", "full"):
            hub = at_the_end.enter_context(hub_of_its_own(settings, folder / f"catalogue-{name}"))
            add_bench_label(hub)
            sides[name] = _Side(hub, at_the_end.enter_context(intake_attempt(hub.engine)))
        began_s = time.monotonic()
        images = fill_catalogue(sides["full"].hub.engine, given.images or (_QUICK_IMAGES if given.quick else _IMAGES))
        print(f"{images:,} pictures, filled in {time.monotonic() - began_s:.0f} s", flush=True)
        decided = _take_in(settings, files, list(sides.values()))
    ms = {"decide": decided.ms_per_image, **{name: side.spent.ms_per_image for name, side in sides.items()}}
    by_clock = {name: 1000 * side.spent.wall_s / side.spent.images for name, side in sides.items()}
    ratio = (ms["decide"] + ms["full"]) / (ms["decide"] + ms["empty"])
    print(f"\n{decided.images} photographs; processor milliseconds a picture")
    for name, value in ms.items():
        print(f"  {name:<8} {value:>8.2f}" + (f" {by_clock[name]:>8.2f} by the clock" if name in by_clock else ""))
    print(f"  a picture costs {ratio:.3f} times as much as in an empty catalogue\n", flush=True)
    return {
        "images": images,
        "cpu_ms_per_image": {name: round(value, 2) for name, value in ms.items()},
        "clock_ms_per_image": {name: round(value, 2) for name, value in by_clock.items()},
        "full_to_empty": round(ratio, 3),
    }


def _take_in(settings: Settings, files: Sequence[Path], sides: Sequence[_Side]) -> Spent:
    """Take photographs into both hubs, batch by batch in turn, and return what deciding took."""
    decided = Spent()
    for number, start in enumerate(range(0, len(files), _BATCH_IMAGES)):
        batch = files[start : start + _BATCH_IMAGES]
        is_counted = number >= _WARM_UP_BATCHES
        # Whoever is second finds warm caches: they take turns.
        for side in sides if number % 2 else reversed(sides):
            (batch_id,) = send(side.hub, batch, name=f"new-{number}", batch_images=_BATCH_IMAGES)
            with side.hub.engine.begin() as connection:
                waiting = pending_submissions(connection, attempt=side.attempt, portions=[(batch_id, 0, len(batch) - 1)])
            work = partial(decide, waiting, store=side.hub.store, limits=limits_from_settings(settings))
            decisions = _spend(work, decided, len(batch) if is_counted else 0)
            _merge(side, batch_id, decisions, is_counted=is_counted)
    return decided


def _merge(side: _Side, batch_id: int, decisions: Sequence[Decision], *, is_counted: bool) -> None:
    engine = side.hub.engine

    def stage_and_merge() -> None:
        with engine.begin() as connection:
            stage_decisions(connection, attempt=side.attempt, decisions=decisions)
        with engine.begin() as connection:
            merge_batches(connection, attempt=side.attempt, batch_ids=[batch_id])

    with engine.connect() as connection:
        server = connection.scalar(text("select pg_backend_pid()"))
    assert server is not None
    before_s = cpu_s_of(server)
    _spend(stage_and_merge, side.spent, len(decisions) if is_counted else 0)
    if is_counted:
        side.spent.cpu_s += cpu_s_of(server) - before_s


def _spend(work: Callable[[], _Result], spent: Spent, images: int) -> _Result:
    """Do something for some pictures, and add what it takes; for none: do it only."""
    began_s, used_s = time.perf_counter(), time.process_time()
    done = work()
    if images:
        spent.wall_s += time.perf_counter() - began_s
        spent.cpu_s += time.process_time() - used_s
        spent.images += images
    return done
