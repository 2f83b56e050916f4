"""Find objects that nothing in the catalogue names, and names without their object; with --delete, remove the former.

Reads: the keys of the catalogue, and a listing of the store.
Writes: nothing, unless --delete is given: then it forgets uploads that were given up (setting abandoned_upload_days) and files of
downloads that are kept and have no room (kept_downloads_gb), and deletes what nobody names and is older than --older-than-hours.

Orphans are what killed uploads and trainings leave behind. Intake leaves none: what it has stored before it is killed is named by
its next run. What runs now stores objects before the catalogue knows of them, hence the age. Killed anywhere, it has deleted some
of them; the same command goes on. Spark has nothing to do here, one process lists as fast as the store answers: it is a job so
that operators have one way to run what changes the hub.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from pyspark.sql import SparkSession

from deep_images_hub.catalogue.object_keys import object_key_counts, object_keys, still_unnamed, unnamed_keys
from deep_images_hub.catalogue.training import has_ended
from deep_images_hub.catalogue.uploads import abandoned_uploads, forget_abandoned
from deep_images_hub.datasets.keeping import open_kept_files
from deep_images_hub.object_store import ObjectStat
from deep_images_hub.object_store.keys import EXPORTS_AREA
from deep_images_hub.object_store.reconcile import Missing, Orphan, reconcile
from deep_images_hub.progress import Progress
from deep_images_hub.wiring import Hub
from spark_jobs.checkpoints import remove_checkpoints, runs_with_checkpoints
from spark_jobs.entry import run_job

_DEFAULT_AGE_HOURS = 24.0
_SHOWN = 5
# Orphans that are deleted under one lock: those who are about to name objects wait meanwhile.
_DELETED_TOGETHER = 50
_LOOKED_UP_TOGETHER = 1_000


@dataclass
class AreaFindings:
    """What was found in one area of the store. Lists hold the first few keys, for people."""

    objects: int = 0
    orphans: int = 0
    orphan_bytes: int = 0
    young: int = 0
    missing: int = 0
    orphans_shown: list[str] = field(default_factory=list)
    missing_shown: list[str] = field(default_factory=list)


def sweep(hub: Hub, given: Namespace, _spark: SparkSession) -> int:
    """Say what does not fit together, and delete what was asked for. Returns 1 when an object is missing, else 0."""
    before = datetime.now(UTC) - timedelta(hours=given.older_than_hours)
    any_missing = any_orphan = False
    _sweep_uploads(hub, delete=given.delete)
    _sweep_checkpoints(hub, delete=given.delete)
    if given.delete:
        open_kept_files(hub.engine, hub.store, hub.settings).shrink()
    with hub.engine.connect() as connection:
        counts = object_key_counts(connection)
    for area, count in counts.items():
        findings = _sweep_area(hub, area, count, before, delete=given.delete)
        print("\n".join(_lines(area, findings, deleted=given.delete)))
        any_missing |= findings.missing > 0
        any_orphan |= findings.orphans > 0
    if any_orphan and not given.delete:
        print("sweep: run it again with --delete to remove what nothing names.")
    if any_missing:
        print("sweep: objects are missing. Restore them from the store's backup or versions; the catalogue still names them.")
        return 1
    return 0


def _sweep_uploads(hub: Hub, *, delete: bool) -> None:
    """Count uploads that were given up, and forget them if asked for: what lies there for them is named by nobody then."""
    before = datetime.now(UTC) - timedelta(days=hub.settings.abandoned_upload_days)
    with hub.engine.connect() as connection:
        keys = abandoned_uploads(connection, before=before)
    for key in keys if delete else ():
        with hub.engine.begin() as connection:
            forget_abandoned(connection, key=key, before=before)
    print(f"sweep: {len(keys):,} uploads given up{', and now forgotten' if delete and keys else ''}.")


def _sweep_checkpoints(hub: Hub, *, delete: bool) -> None:
    """Count runs that have ended and left checkpoints, and remove those if asked for. Those of other runs are needed."""
    with hub.engine.connect() as connection:
        ended = [run_id for run_id in runs_with_checkpoints(hub.store) if has_ended(connection, run_id)]
    for run_id in ended if delete else ():
        remove_checkpoints(hub.store, run_id)
    print(f"sweep: checkpoints of {len(ended):,} training runs that have ended{', and now removed' if delete and ended else ''}.")


def _sweep_area(hub: Hub, area: str, count: int, before: datetime, *, delete: bool) -> AreaFindings:
    findings = AreaFindings()
    orphans: dict[str, ObjectStat] = {}
    missing: list[str] = []
    # The names are of one moment, and the listing comes after it: an object that is named then, and still, must be listed.
    with (
        hub.engine.connect() as connection,
        Progress(f"Sweep {area}", total=count, unit="objects") as progress,
    ):
        for one in reconcile(object_keys(connection, area=area), hub.store.list(area)):
            progress.advance(1)
            if isinstance(one, Missing):
                missing.append(one.key)
                if len(missing) == _LOOKED_UP_TOGETHER:
                    _count_missing(hub, area, missing, findings)
                    missing.clear()
                continue
            findings.objects += 1
            if isinstance(one, Orphan):
                if one.found.modified_at >= before:
                    findings.young += 1
                    continue
                orphans[one.found.key] = one.found
                if len(orphans) == _DELETED_TOGETHER:
                    _deal_with_orphans(hub, area, orphans, findings, delete=delete)
                    orphans.clear()
        _deal_with_orphans(hub, area, orphans, findings, delete=delete)
        _count_missing(hub, area, missing, findings)
    return findings


def _count_missing(hub: Hub, area: str, keys: Sequence[str], findings: AreaFindings) -> None:
    """Count what is still named and is not there. What uploads have put together or left out meanwhile is missed by nobody.

    Nor is a kept file: whoever asks for it finds that out, and it is put together again.
    """
    if area == EXPORTS_AREA:
        return
    with hub.engine.connect() as connection:
        gone = set(unnamed_keys(connection, area=area, keys=keys))
    missing = [key for key in keys if key not in gone]
    findings.missing_shown += missing[: max(0, _SHOWN - findings.missing)]
    findings.missing += len(missing)


def _deal_with_orphans(hub: Hub, area: str, orphans: Mapping[str, ObjectStat], findings: AreaFindings, *, delete: bool) -> None:
    """Count what is still named by nobody, and delete it if asked for. Nobody can begin to name it meanwhile."""
    with hub.engine.begin() as connection:
        for key in still_unnamed(connection, area=area, keys=orphans):
            findings.orphans += 1
            findings.orphan_bytes += orphans[key].size_bytes
            findings.orphans_shown += [key] if findings.orphans <= _SHOWN else []
            if delete:
                hub.store.delete(key)


def _lines(area: str, findings: AreaFindings, *, deleted: bool) -> list[str]:
    what = "deleted" if deleted else "not named"
    orphans = f"{findings.orphans:,} {what} ({findings.orphan_bytes / 1e6:.1f} MB), {findings.young:,} not named yet"
    lines = [f"sweep: {area} {findings.objects:,} objects, {orphans}, {findings.missing:,} missing."]
    lines += [f"  {what}: {key}" for key in findings.orphans_shown]
    lines += [f"  missing: {key}" for key in findings.missing_shown]
    return lines


def _hours(text: str) -> float:
    if (hours := float(text)) < 0:
        raise ValueError
    return hours


def main() -> NoReturn:
    """Read the command line and run the job."""
    parser = ArgumentParser(prog="sweep", description=__doc__.partition("\n")[0])
    parser.add_argument("--delete", action="store_true", help="remove what nothing names")
    parser.add_argument(
        "--older-than-hours",
        type=_hours,
        default=_DEFAULT_AGE_HOURS,
        metavar="H",
        help=f"leave younger objects alone ({_DEFAULT_AGE_HOURS:.0f}): somebody may be about to name them",
    )
    run_job(sweep, parser)


if __name__ == "__main__":
    main()
