import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.tagging.found_files import PassedBy, picture_files
from deep_images_hub.tagging.tag_file import Tag, TagFile, TagFileHead

HEAD = TagFileHead("0" * 64, "file:///photos", 2)
APPLE = Tag("b/1.jpg", 10, (("/m/apple", "Apple", 0.75), ("/m/pear", "Pear", 0.25)))
NONE = Tag("c.jpg", 7, ())
BROKEN = Tag("=a.jpg", 4, (), "truncated: The JPEG ends too early.")


@pytest.mark.parametrize("name", ["tags.csv", "tags.parquet"])
def test_tag_file_holds_every_file_once_by_path(tmp_path: Path, name: str) -> None:
    file = TagFile(tmp_path / name, HEAD)
    file.add([APPLE, BROKEN, NONE])
    file.add([Tag("b/1.jpg", 12, (("/m/pear", "Pear", 0.5),))])

    file.finish()

    if name.endswith("csv"):
        with (tmp_path / name).open(encoding="utf-8", newline="") as written:
            rows = list(csv.DictReader(written))
        assert [row["path"] for row in rows] == ["'=a.jpg", "b/1.jpg", "c.jpg"]
        assert [row["is_none_of_these"] for row in rows] == ["false", "false", "true"]
        assert rows[2]["label_1"] == rows[2]["problem"] == ""
        assert rows[0]["problem"].startswith("truncated")
        assert (rows[1]["label_1"], rows[1]["score_1"], rows[1]["label_2"]) == ("/m/pear", "0.5000", "")
    else:
        rows = pq.read_table(tmp_path / name).to_pylist()
        assert [row["path"] for row in rows] == ["=a.jpg", "b/1.jpg", "c.jpg"]
        assert [row["is_none_of_these"] for row in rows] == [False, False, True]
        assert rows[1]["answers"] == [{"label": "/m/pear", "name": "Pear", "score": 0.5}]


def test_line_that_a_kill_cut_off_counts_as_none_and_spoils_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    TagFile(path, HEAD).add([APPLE])
    part = path.with_name("tags.csv.part")
    part.write_bytes(part.read_bytes() + json.dumps({"path": "é"}).encode()[:-6])

    again = TagFile(path, HEAD)
    assert list(again.tags()) == [APPLE]
    again.add([BROKEN])

    assert list(TagFile(path, HEAD).tags()) == [APPLE, BROKEN]


def test_answers_of_another_model_or_place_do_not_go_into_a_file(tmp_path: Path) -> None:
    TagFile(tmp_path / "tags.csv", HEAD).add([APPLE])
    with pytest.raises(InvalidInputError, match="another tagging"):
        TagFile(tmp_path / "tags.csv", TagFileHead("1" * 64, "file:///photos", 2))
    with pytest.raises(InvalidInputError, match=r"ends on \.csv or \.parquet"):
        TagFile(tmp_path / "tags.xlsx", HEAD)


def test_pictures_are_found_at_any_depth_and_the_rest_is_counted(tmp_path: Path) -> None:
    for name in ("1.JPG", "a/2.png", "a/b/3.webp", "a/notes.txt", ".hidden.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    passed_by = PassedBy()

    assert [file.key for file in picture_files(FolderStore(tmp_path), passed_by)] == ["1.JPG", "a/2.png", "a/b/3.webp"]
    assert passed_by == PassedBy(no_pictures=2, unusable=0)
