"""The demo's last stage: the portal, and a dispatcher for what its visitors request, until Ctrl-C."""

import os
import subprocess
import sys
import time

from deep_images_hub.cli.boundary import EXIT_STOPPED
from deep_images_hub.settings import Settings, load_settings

_POLL_S = 0.5
_STOP_S = 40


def serve_until_stopped(settings: Settings) -> int:
    """Run the portal and a dispatcher until Ctrl-C, or until one of them ends by itself. Return the exit status."""
    environment = dict(os.environ, HUB_HOME=str(settings.home), HUB_BACKBONE=settings.backbone)
    children = [
        subprocess.Popen([sys.executable, "-m", f"deep_images_hub.cli.{command}"], env=environment)
        for command in ("serve", "dispatch")
    ]
    # Without weights the demo has another network than is configured; what is trained later should have it too.
    network = f" with HUB_BACKBONE={settings.backbone}" if settings.backbone != load_settings().backbone else ""
    print(
        f"\nCtrl-C stops the portal. What is in the hub stays; scripts/serve and scripts/dispatch go on from here{network}.",
        flush=True,
    )
    try:
        while all(child.poll() is None for child in children):
            time.sleep(_POLL_S)
        return next(child.returncode for child in children if child.returncode is not None)
    except KeyboardInterrupt:
        return EXIT_STOPPED
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(_STOP_S)
