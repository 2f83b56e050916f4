"""Serve the portal with gunicorn: `scripts/serve`. What follows the options goes to gunicorn as it is."""

import errno
import os
import socket
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from deep_images_hub.cli.boundary import run_command, settings_given
from deep_images_hub.errors import UnavailableError
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import open_hub

# A worker's threads wait for the catalogue and the store most of the time, and a download keeps one busy for minutes.
_THREADS = 8
# Seconds that requests under way get when the portal stops.
_GRACEFUL_TIMEOUT_S = 30
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes an unnamed file in it


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and become the server."""
    parser = ArgumentParser(prog="scripts/serve", description="Serve the portal until Ctrl-C.")
    parser.add_argument("--host", help="address to listen on (setting portal_host)")
    parser.add_argument("--port", type=int, help="port to listen on; 0: any that is free (setting portal_port)")
    parser.add_argument("--workers", type=int, help="processes (setting portal_workers)")
    return run_command(_serve, parser, sys.argv[1:] if arguments is None else arguments)


def _serve(settings: Settings, given: Namespace) -> int:
    # Opened once here, so that what is wrong is said once and clearly, and not by every worker.
    hub = open_hub(settings)
    hub.engine.dispose()
    options = {name: getattr(given, name) for name in ("host", "port", "workers") if getattr(given, name) is not None}
    for_workers = settings_given(given.set) | {f"portal_{name}": str(value) for name, value in options.items()}
    os.environ.update({f"HUB_{name.upper()}": value for name, value in for_workers.items()})
    os.environ["HUB_HOME"] = str(hub.settings.home)
    portal = settings.model_copy(update={f"portal_{name}": value for name, value in options.items()})
    expect_free_port(portal)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *gunicorn_arguments(portal)])  # noqa: S606 - no shell is meant


def expect_free_port(settings: Settings) -> None:
    """Raise UnavailableError where another program listens already. What else is wrong with an address, gunicorn says."""
    host, port = settings.portal_host, settings.portal_port
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UnavailableError(
                f"Another program listens at {host}:{port}, perhaps another portal. "
                f"Stop it, or take another port: --set portal_port={port + 1}."
            ) from error


def gunicorn_arguments(settings: Settings) -> list[str]:
    """Say how gunicorn serves the portal. Each worker opens its own hub: an engine is not shared between processes."""
    return [
        f"--bind={settings.portal_host}:{settings.portal_port}",
        f"--workers={settings.portal_workers}",
        "--worker-class=gthread",
        f"--threads={_THREADS}",
        f"--graceful-timeout={_GRACEFUL_TIMEOUT_S}",
        "--no-control-socket",
        *([f"--worker-tmp-dir={_SHARED_MEMORY}"] if _SHARED_MEMORY.is_dir() else []),
        "webapp:served_app()",
    ]


if __name__ == "__main__":
    sys.exit(main())
