"""Processes that a bench asks to do something, as often as it likes: a line of JSON each time, and one for an answer."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from typing import Any

from deep_images_hub.errors import UnavailableError

Answer = Mapping[str, float]


class AnsweringProcess:
    """A child that answers. Whatever else it prints is passed over, what it says of errors is kept for the message."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it."""
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - `end` closes it
        self._process = subprocess.Popen(
            arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )

    def ask(self, question: Mapping[str, Any]) -> Answer:
        """Wait for an answer, however long that takes. Raises UnavailableError, with its last words, when it ends instead."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{json.dumps(dict(question))}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: then nothing comes
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: Answer = json.loads(line)
                return answer
        status = self._process.wait()
        self._errors.seek(0)
        raise UnavailableError(f"A process of the bench ended with status {status}: {self._errors.read().strip() or 'no word'}")

    def kill(self) -> None:
        """End it now. Whoever waits for its answer is told."""
        self._process.kill()

    def end(self) -> None:
        """End it, and let go of all that belongs to it."""
        self.kill()
        with self._process, self._errors:
            pass


@contextmanager
def answering_processes(commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> Iterator[list[AnsweringProcess]]:
    """Start processes, and end them when the block does."""
    with ExitStack() as at_the_end:
        processes = []
        for command in commands:
            processes.append(AnsweringProcess(command, environment))
            at_the_end.callback(processes[-1].end)
        yield processes


def ask_at_once(asked: Sequence[tuple[AnsweringProcess, Mapping[str, Any]]]) -> list[Answer]:
    """Ask several at the same time. When one ends, the others, which may wait for it for ever, are killed; then as `ask`."""
    with ThreadPoolExecutor(len(asked), thread_name_prefix="asking") as pool:
        answers = [pool.submit(process.ask, question) for process, question in asked]
        try:
            for answer in as_completed(answers):
                answer.result()
        except UnavailableError:
            for process, _ in asked:
                process.kill()
            raise
    return [answer.result() for answer in answers]
