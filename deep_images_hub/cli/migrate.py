"""Bring the catalogue's schema to this version: `scripts/migrate`."""

import sys
from argparse import ArgumentParser, Namespace

from deep_images_hub.catalogue.migrations import migrate
from deep_images_hub.cli.boundary import run_command
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import resolve


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and migrate."""
    parser = ArgumentParser(
        prog="scripts/migrate",
        description="Bring the catalogue's schema to this version. Harmless when it is, and from several places at once.",
    )
    return run_command(_migrate, parser, sys.argv[1:] if arguments is None else arguments)


def _migrate(settings: Settings, _given: Namespace) -> int:
    print(f"The catalogue is at revision {migrate(resolve(settings))}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
