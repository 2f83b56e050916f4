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


class StopSignals:
    """The stop signals of this process: SIGTERM, from a service manager, is taken as a Ctrl-C; that one came is remembered."""

    was_asked = False

    def take(self) -> None:
        """Take both signals from now on, from whoever took them before."""
        signal.signal(signal.SIGTERM, self._interrupt)
        signal.signal(signal.SIGINT, self._interrupt)

    def ignore(self) -> None:
        """From here on we are stopping: a second signal must not interrupt that."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> NoReturn:
        self.was_asked = True
        raise KeyboardInterrupt


stop_signals = StopSignals()


def run_command(command: Callable[[Settings, Namespace], int], parser: ArgumentParser, arguments: list[str]) -> int:
    """Run a command with the settings of this process and return its exit status.

    Every command takes `--set NAME=VALUE` for any setting.
    """
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting; may be given several times")
    given = parser.parse_args(arguments)
    stop_signals.was_asked = False
    stop_signals.take()
    try:
        settings = load_settings(settings_given(given.set))
        configure_logs(settings.log_format)
        return command(settings, given)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place where a defect of a command ends
        # What fails after a signal, while things are put away, fails because of it: a connection broken off, for instance.
        if stop_signals.was_asked or isinstance(error, KeyboardInterrupt):
            print(f"{parser.prog}: stopped.", file=sys.stderr)
            return EXIT_STOPPED
        if isinstance(error, HubError):
            print(f"{parser.prog}: {error}", file=sys.stderr)
            return EXIT_ERROR
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
