"""The file that says what a model makes of files, and the one beside it that grows while it works.

`tags.csv.part` has a line of JSON for each file, written as soon as it is known, after one that says whose answers they are. Who
comes later goes on from there: a line that a kill cut off counts as none. At the end all lines become `tags.csv` or, if that is
the name, `tags.parquet`, by path.
"""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.spreadsheets import harmless_cell

SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class TagFileHead:
    """Whose answers a file holds, and on what: only the same ones go into it.

    Attributes:
        onnx_sha256: of the model's file.
        source_url: where the files lie.
        top: labels of each file, at most.
    """

    onnx_sha256: str
    source_url: str
    top: int


@dataclass(frozen=True)
class Tag:
    """What a model makes of a file.

    Attributes:
        path: in the place that was looked through.
        answers: code, name and score 0..1 of its likeliest labels, best first; empty where it could not be looked at, and
            where the model takes it for none of its labels.
        problem: why it could not be, beginning with a reason of `verdicts.BROKEN_REASONS`; None: it was.
    """

    path: str
    size_bytes: int
    answers: tuple[tuple[str, str, float], ...]
    problem: str | None = None

    @property
    def is_none_of_these(self) -> bool:
        """Whether it was looked at, and taken for none of the model's labels."""
        return self.problem is None and not self.answers


class TagFile:
    """A file of tags that is being written.

    Raises:
        InvalidInputError: its name ends otherwise than on one of SUFFIXES, or another tagging was begun under it.
    """

    def __init__(self, path: Path, head: TagFileHead) -> None:
        if path.suffix not in SUFFIXES:
            raise InvalidInputError(
                f"{path.name!r} was given for the results. Expected a name that ends on {' or '.join(SUFFIXES)}."
            )
        self.path = path
        self._part = path.with_name(f"{path.name}.part")
        self._head = head
        self._check_head()

    def tags(self) -> Iterator[Tag]:
        """Yield what was written, in no order; a file that was tagged again, having changed, comes again."""
        for line in self._lines()[1:]:
            found = json.loads(line)
            yield Tag(**{**found, "answers": tuple(tuple(answer) for answer in found["answers"])})

    def add(self, tags: Iterable[Tag]) -> None:
        """Write tags down so that they are there after a power cut."""
        is_new = not self._part.exists()
        with self._part.open("a", encoding="utf-8") as part:
            if is_new:
                part.write(json.dumps(asdict(self._head)) + "\n")
            part.writelines(json.dumps(asdict(tag), ensure_ascii=False) + "\n" for tag in tags)
            part.flush()
            os.fsync(part.fileno())

    def finish(self) -> None:
        """Make the file of what was written, by path, in place of an earlier one."""
        tags = sorted({tag.path: tag for tag in self.tags()}.values(), key=lambda tag: tag.path)
        whole = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        if self.path.suffix == ".csv":
            self._write_csv(whole, tags)
        else:
            self._write_parquet(whole, tags)
        whole.replace(self.path)

    def _check_head(self) -> None:
        lines = self._lines()
        if not lines:
            self._part.unlink(missing_ok=True)
            return
        if lines[0] != json.dumps(asdict(self._head)):
            raise InvalidInputError(
                f"{self._part} holds answers of another tagging: {lines[0][:300]}. Give --out another name, or remove that file."
            )
        # What a kill cut off in the middle of a line goes, so that the next line begins on its own.
        with self._part.open("r+", encoding="utf-8") as part:
            part.truncate(sum(len(line.encode()) + 1 for line in lines))

    def _lines(self) -> list[str]:
        """Return the whole lines of what was written so far."""
        if not self._part.exists():
            return []
        return self._part.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]

    def _write_csv(self, path: Path, tags: Sequence[Tag]) -> None:
        columns = [f"{name}_{place}" for place in range(1, self._head.top + 1) for name in ("label", "name", "score")]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "size_bytes", *columns, "is_none_of_these", "problem"])
            for tag in tags:
                answers = [cell for code, name, score in tag.answers for cell in (code, name, f"{score:.4f}")]
                answers += [""] * (len(columns) - len(answers))
                row = [tag.path, tag.size_bytes, *answers, str(tag.is_none_of_these).lower(), tag.problem or ""]
                writer.writerow(map(harmless_cell, row))

    def _write_parquet(self, path: Path, tags: Sequence[Tag]) -> None:
        answer = pa.struct([("label", pa.string()), ("name", pa.string()), ("score", pa.float32())])
        schema = pa.schema(
            [
                ("path", pa.string()),
                ("size_bytes", pa.int64()),
                ("answers", pa.list_(answer)),
                ("is_none_of_these", pa.bool_()),
                ("problem", pa.string()),
            ]
        )
        rows = [
            asdict(tag)
            | {"answers": [dict(zip(("label", "name", "score"), answer, strict=True)) for answer in tag.answers]}
            | {"is_none_of_these": tag.is_none_of_these}
            for tag in tags
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
