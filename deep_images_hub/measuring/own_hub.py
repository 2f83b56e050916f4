"""A hub of a bench's own: never the one that the settings name, and thrown away at the end."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deep_images_hub.catalogue.migrations import migrate
from deep_images_hub.errors import UnavailableError
from deep_images_hub.runtime.postgres import EmbeddedPostgres
from deep_images_hub.runtime.spark_submit import spark_submit
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import Hub, open_hub, resolve


@contextmanager
def hub_of_its_own(settings: Settings, home: Path) -> Iterator[Hub]:
    """Open an empty hub under a folder, and remove both at the end."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    own = resolve(settings.model_copy(update={"home": home, "database_url": None, "store_url": None}))
    try:
        migrate(own)
        hub = open_hub(own)
        try:
            yield hub
        finally:
            hub.engine.dispose()
    finally:
        EmbeddedPostgres(home / "postgres").stop()
        shutil.rmtree(home, ignore_errors=True)


def server_of(hub: Hub) -> int:
    """Return the process id of such a hub's database server."""
    pid_file = hub.settings.home / "postgres" / "data" / "postmaster.pid"
    return int(pid_file.read_text(encoding="ascii").partition("\n")[0])


def submit_quietly(hub: Hub, job: str, *arguments: str, options: Sequence[str] = ()) -> None:
    """Run a job on such a hub with the backbone and the weights of its settings. Raises UnavailableError when it fails.

    Args:
        options: of spark-submit.
    """
    command = spark_submit(hub.settings, job, arguments, options=options)
    environment = command.environment | settings_in_environment(hub.settings)
    ran = subprocess.run(command.arguments, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise UnavailableError(f"{job} ended with status {ran.returncode}: {ran.stderr.strip()}")


def settings_in_environment(settings: Settings) -> dict[str, str]:
    """Return what tells a child which hub is meant, and which network: all else it reads as we did."""
    assert settings.database_url
    assert settings.store_url
    return {
        "HUB_HOME": str(settings.home),
        "HUB_DATABASE_URL": settings.database_url.get_secret_value(),
        "HUB_STORE_URL": settings.store_url,
        "HUB_BACKBONE": settings.backbone,
        "HUB_WEIGHTS": settings.weights,
    }
