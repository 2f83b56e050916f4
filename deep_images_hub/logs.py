"""Logs of events: a static name and fields, as text for people or one JSON object a line.

    log = open_log(__name__)
    log.info("batch_decided", batch_key="spring-7", accepted=12)

An event's name never holds a value, so that events can be counted; a field never holds a secret or a person's name.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal, TextIO

LogFormat = Literal["text", "json"]

_ROOT = "deep_images_hub"
_FIELDS = "hub_fields"


class Log:
    """Writes events. `bind` gives one that repeats fields, such as a run's id, in every event."""

    def __init__(self, logger: logging.Logger, bound: dict[str, object] | None = None) -> None:
        self._logger = logger
        self._bound = bound or {}

    def bind(self, **fields: object) -> "Log":
        """Return a log whose events carry these fields too."""
        return Log(self._logger, self._bound | fields)

    def debug(self, event: str, **fields: object) -> None:
        """Write what only a developer looks for."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Write what happened as it should."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Write what an operator should look at some time."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Write what an operator should look at now."""
        self._write(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """Write an error with the stack trace of the exception at hand."""
        self._write(logging.ERROR, event, fields, with_stack=True)

    def _write(self, level: int, event: str, fields: dict[str, object], *, with_stack: bool = False) -> None:
        self._logger.log(level, event, extra={_FIELDS: self._bound | fields}, exc_info=with_stack)


def open_log(name: str) -> Log:
    """Return the log of a module. `name` is its `__name__`."""
    is_ours = name == _ROOT or name.startswith(f"{_ROOT}.")
    return Log(logging.getLogger(name if is_ours else f"{_ROOT}.{name}"))


def configure_logs(log_format: LogFormat, *, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send our events from `level` up, and warnings of libraries, to a stream (stderr). Called once, by a process's boundary."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _TextFormatter())
    root = logging.getLogger()
    for earlier in root.handlers[:]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(_ROOT).setLevel(level)


class _TextFormatter(logging.Formatter):
    """`12:30:05 INFO batch_decided batch_key=spring-7 accepted=12`, in the local time of whoever reads along."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={_as_text(value)}" for name, value in _fields(record).items())
        time = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        line = f"{time} {record.levelname} {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **_fields(record),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event, default=str, ensure_ascii=False)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = getattr(record, _FIELDS, {})
    return fields


def _as_text(value: object) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return (
        json.dumps(text, ensure_ascii=False)
        if not text or any(character.isspace() or character in '"=' for character in text)
        else text
    )
