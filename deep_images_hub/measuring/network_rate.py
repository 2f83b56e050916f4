"""The network's features beside the bare network, in a process of its own: TensorFlow is not the domain's."""

import json
import os
import subprocess
import sys
from typing import Any

from deep_images_hub.errors import UnavailableError
from deep_images_hub.measuring.own_hub import settings_in_environment
from deep_images_hub.wiring import Hub


def network_rates(hub: Hub, *, images: int, rounds: int) -> dict[str, Any]:
    """Return what `spark_jobs.embedding_rate.embedding_rates` finds on a bench's own hub.

    Args:
        images: of the hub's accepted pictures, at most.
        rounds: medians count.

    Raises:
        UnavailableError: the network's weights cannot be had, or it failed.
    """
    code = "from spark_jobs.embedding_rate import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "--images", str(images), "--rounds", str(rounds)],
        env=dict(os.environ) | settings_in_environment(hub.settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        raise UnavailableError(f"The network could not be measured: {ran.stderr.strip()}")
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found
