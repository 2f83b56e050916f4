"""Bring the catalogue's schema to this version, and labels into it: `scripts/migrate`."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from deep_images_hub.catalogue.engine import open_engine
from deep_images_hub.catalogue.migrations import migrate
from deep_images_hub.cli.boundary import run_command
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.labels.load import load_aliases, load_labels
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import resolve


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and migrate."""
    parser = ArgumentParser(
        prog="scripts/migrate",
        description="Bring the catalogue's schema to this version. Harmless when it is, and from several places at once.",
    )
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="load labels, again and again if need be: a CSV of label,parent; with --hierarchy, Open Images' class descriptions",
    )
    parser.add_argument(
        "--hierarchy", type=Path, metavar="FILE", help="Open Images' hierarchy, bbox_labels_600_hierarchy.json; with --labels"
    )
    parser.add_argument(
        "--aliases",
        type=Path,
        metavar="FILE",
        help="load what else labels are called, again and again if need be: a CSV of label,also_called",
    )
    return run_command(_migrate, parser, sys.argv[1:] if arguments is None else arguments)


def _migrate(settings: Settings, given: Namespace) -> int:
    if given.hierarchy is not None and given.labels is None:
        raise InvalidInputError("--hierarchy came without --labels. Give both: the class descriptions and their hierarchy.")
    resolved = resolve(settings)
    print(f"The catalogue is at revision {migrate(resolved)}.")
    if given.labels is not None:
        _load_labels(resolved, given.labels, given.hierarchy)
    if given.aliases is not None:
        _load_aliases(resolved, given.aliases)
    return 0


def _load_labels(settings: Settings, labels: Path, hierarchy: Path | None) -> None:
    engine = open_engine(settings)
    try:
        with engine.begin() as connection:
            loaded = load_labels(connection, labels, hierarchy)
    finally:
        engine.dispose()
    print(f"Labels: {loaded.labels_added:,} added, {loaded.labels_renamed:,} renamed, {loaded.edges_added:,} laid under others.")


def _load_aliases(settings: Settings, aliases: Path) -> None:
    engine = open_engine(settings)
    try:
        with engine.begin() as connection:
            added = load_aliases(connection, aliases)
    finally:
        engine.dispose()
    print(f"Aliases: {added:,} added.")


if __name__ == "__main__":
    sys.exit(main())
