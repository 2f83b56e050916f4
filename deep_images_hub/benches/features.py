"""The network's features beside the bare network: the same pictures, one process, one thread.

    features   what a Spark task of `embed` does: read from the store, decode, compute, write into the catalogue
    bare       the same network on the same pictures, which lie in memory already

The ratio is by processor seconds: by the clock, a machine with an idle core reads pictures for nothing.
"""

from argparse import ArgumentParser, Namespace
from importlib.resources import as_file
from pathlib import Path

from deep_images_hub.labels.load import load_labels
from deep_images_hub.measuring.network_rate import network_rates
from deep_images_hub.measuring.own_hub import hub_of_its_own, submit_quietly
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
        found = network_rates(hub, images=images, rounds=rounds)
    print(f"\n{found['images']} pictures, {found['backbone']}, one thread; pictures")
    for unit in ("images_per_s_per_core", "images_per_cpu_s"):
        print(f"  {unit}: {found[unit]}")
    print(f"  features are {found['features_to_bare_network']} of the bare network\n", flush=True)
    return found
