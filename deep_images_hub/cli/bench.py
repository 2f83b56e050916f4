"""Measure the hub: `scripts/bench NAME [--quick]`. The last line that it prints is one JSON object."""

import importlib
import json
import pkgutil
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from deep_images_hub import benches
from deep_images_hub.cli.boundary import run_command
from deep_images_hub.errors import NotFoundError
from deep_images_hub.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and run the bench."""
    given = sys.argv[1:] if arguments is None else arguments
    names = sorted(module.name for module in pkgutil.iter_modules(benches.__path__))
    name = given[0] if given and not given[0].startswith("-") else None
    parser = ArgumentParser(
        prog=f"scripts/bench {name or 'NAME'}",
        description="Measure the hub beside what people would use instead, in one run.",
        epilog=f"benches: {', '.join(names)}. scripts/bench NAME --help lists what one takes.",
        formatter_class=RawDescriptionHelpFormatter,
    )
    if name is None:
        parser.print_help(sys.stdout if given else sys.stderr)
        return 0 if given else 2

    def run(settings: Settings, options: Namespace) -> int:
        if name not in names:
            raise NotFoundError(f"There is no bench {name!r}. Benches: {', '.join(names)}.")
        print(json.dumps(bench.measure(settings, options)), flush=True)
        return 0

    parser.add_argument("--quick", action="store_true", help="end within a minute, at the price of noise")
    if name in names:
        bench = importlib.import_module(f"{benches.__name__}.{name}")
        parser.description = (bench.__doc__ or "").strip()
        bench.add_arguments(parser)
    return run_command(run, parser, given[1:])


if __name__ == "__main__":
    sys.exit(main())
