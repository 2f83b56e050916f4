"""The network's features beside the bare network: the same pictures, one process, one thread.

    features   what a Spark task of `embed` does: read from the store, decode, compute, write into the catalogue
    bare       the same network on the same pictures, which lie in memory already

The ratio is by processor seconds: by the clock, a machine with an idle core reads pictures for nothing.
"""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from importlib.resources import as_file
from pathlib import Path

from deep_images_hub.errors import UnavailableError
from deep_images_hub.labels.load import load_labels
from deep_images_hub.measuring.own_hub import hub_of_its_own, settings_in_environment, submit_quietly
from deep_images_hub.resources import resource
from deep_images_hub.settings import Settings

_IMAGES, _ROUNDS = 384, 5
_QUICK_IMAGES, _QUICK_ROUNDS = 96, 3


def add_arguments(parser: ArgumentParser) -> None:
    """Add this bench's options."""
    parser.add_argument("--photos", type=Path, metavar="DIR", help="folders of photographs, instead of drawn ones")
    parser.add_argument("--images", type=int, metavar="N", help=f"photographs ({_IMAGES}; {_QUICK_IMAGES} with --quick)")


def measure(settings: Settings, given: Namespace) -> dict[str, object]:
    """Take pictures in, then compute their features in both ways, in turn."""
    images = given.images or (_QUICK_IMAGES if given.quick else _IMAGES)
    rounds = _QUICK_ROUNDS if given.quick else _ROUNDS
    with hub_of_its_own(settings, settings.home.resolve() / "bench" / "features") as hub:
        sending = ["--images", str(images), "--defects", "none"]
        if given.photos:
            sending += ["--photos", str(given.photos.expanduser().resolve())]
        else:
            with as_file(resource("config/labels/demo.csv")) as labels, hub.engine.begin() as connection:
                load_labels(connection, labels)
        submit_quietly(hub, "simulate_crowd", *sending)
        submit_quietly(hub, "intake")
        # TensorFlow is not the domain's: it gets a process of its own.
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
    found: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    print(f"\n{found['images']} pictures, {found['backbone']}, one thread; pictures")
    for unit in ("images_per_s_per_core", "images_per_cpu_s"):
        print(f"  {unit}: {found[unit]}")
    print(f"  features are {found['features_to_bare_network']} of the bare network\n", flush=True)
    return found
