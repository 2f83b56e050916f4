"""Run the training runs that the portal's users request: `scripts/dispatch`."""

import os
import signal
import sys
from argparse import ArgumentParser, Namespace

from deep_images_hub.cli.boundary import EXIT_STOPPED, run_command, settings_given
from deep_images_hub.runtime.dispatcher import Dispatcher
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import open_hub


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and work until Ctrl-C."""
    parser = ArgumentParser(
        prog="scripts/dispatch",
        description="Take training runs from the queue and train them with Spark, until Ctrl-C. Several may run, on any machine.",
    )
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="runs under way at the same time (1)")
    parser.add_argument("--until-idle", action="store_true", help="end when nothing is queued any more")
    return run_command(_dispatch, parser, sys.argv[1:] if arguments is None else arguments)


def _dispatch(settings: Settings, given: Namespace) -> int:
    # Jobs are processes of their own: what the command line says reaches them by the environment.
    os.environ.update({f"HUB_{name.upper()}": value for name, value in settings_given(given.set).items()})
    hub = open_hub(settings)
    dispatcher = Dispatcher(hub, most_at_once=given.at_once)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: dispatcher.stop())
    try:
        dispatcher.work(until_idle=given.until_idle)
    finally:
        hub.engine.dispose()
    return EXIT_STOPPED if dispatcher.is_stopping else 0


if __name__ == "__main__":
    sys.exit(main())
