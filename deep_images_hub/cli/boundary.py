"""The boundary of a command's process: settings and logs at the begin, a message and an exit status at the end.

0    done
1    an expected error: its message, without a stack trace
2    wrong arguments, or a defect: its stack trace
130  stopped by Ctrl-C or SIGTERM
"""

import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from deep_images_hub.errors import HubError, SettingsError
from deep_images_hub.logs import configure_logs, open_log
from deep_images_hub.settings import Settings, load_settings

EXIT_ERROR = 1
EXIT_DEFECT = 2
EXIT_STOPPED = 130


def run_command(command: Callable[[Settings, Namespace], int], parser: ArgumentParser, arguments: list[str]) -> int:
    """Run a command with the settings of this process and return its exit status.

    Every command takes `--set NAME=VALUE` for any setting.
    """
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting; may be given several times")
    given = parser.parse_args(arguments)
    stop_on_sigterm()
    try:
        settings = load_settings(settings_given(given.set))
        configure_logs(settings.log_format)
        return command(settings, given)
    except HubError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print(f"{parser.prog}: stopped.", file=sys.stderr)
        return EXIT_STOPPED
    except Exception:  # noqa: BLE001 - the one place where a defect of a command ends
        open_log(__name__).exception("command_failed", command=parser.prog)
        return EXIT_DEFECT


def settings_given(pairs: list[str]) -> dict[str, str]:
    """Read `NAME=VALUE` pairs of a command line.

    Raises:
        SettingsError: a pair has no `=`.
    """
    for pair in pairs:
        if "=" not in pair:
            raise SettingsError(f"--set was given {pair!r}. Expected: NAME=VALUE, for instance --set backbone=resnet50.")
    return {name.strip(): value for name, _, value in (pair.partition("=") for pair in pairs)}


def stop_on_sigterm() -> None:
    """Take SIGTERM, from a service manager, as a Ctrl-C: the stop is as clean."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
