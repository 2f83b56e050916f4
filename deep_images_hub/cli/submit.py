"""Start a Spark job: `scripts/submit [spark-submit options] JOB [job arguments]`."""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence

from deep_images_hub.cli.boundary import run_command
from deep_images_hub.runtime.spark_submit import jobs, run_to_end, spark_submit
from deep_images_hub.settings import Settings

# Options of spark-submit that stand alone; every other takes a value.
_SWITCHES = frozenset({"-v", "--verbose", "--supervise", "--version"})
# What belongs to spark-submit on either side of the job: no job has options of these names.
_SPARK_OPTIONS_ANYWHERE = ("--master", "--conf", "--deploy-mode")


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and run the job."""
    given = sys.argv[1:] if arguments is None else arguments
    known = jobs()
    width = max(map(len, known))
    listed = "\n".join(f"  {name:<{width}}  {summary}" for name, summary in known.items())
    parser = ArgumentParser(
        prog="scripts/submit",
        usage="scripts/submit [spark-submit options] JOB [job arguments]",
        description="Run a Spark job: here, or on a cluster with --master.",
        epilog=f"jobs:\n{listed}\n\nscripts/submit JOB --help lists a job's arguments.",
        formatter_class=RawDescriptionHelpFormatter,
    )
    options, rest = split_command_line(given)
    if not rest or rest[0] in ("-h", "--help"):
        parser.print_help(sys.stdout if rest else sys.stderr)
        return 0 if rest else 2

    def run(settings: Settings, _given: Namespace) -> int:
        return run_to_end(spark_submit(settings, rest[0], rest[1:], options=options))

    return run_command(run, parser, [])


def split_command_line(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part spark-submit's options from the job and its arguments.

    Before the job every option is spark-submit's. After it, --master, --conf and --deploy-mode still are.

    Returns:
        The options, and the job followed by its arguments; the latter is empty when no job is named.
    """
    options: list[str] = []
    rest: list[str] = []
    remaining = list(arguments)
    while remaining:
        argument = remaining.pop(0)
        name = argument.partition("=")[0]
        is_spark_option = name in _SPARK_OPTIONS_ANYWHERE if rest else argument.startswith("-")
        if not is_spark_option or argument in ("-h", "--help"):
            rest.append(argument)
            continue
        options.append(argument)
        if "=" not in argument and argument not in _SWITCHES and remaining:
            options.append(remaining.pop(0))
    return options, rest


if __name__ == "__main__":
    sys.exit(main())
