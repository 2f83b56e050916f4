"""Every format of every part: loaded by the library that it is for, the same bytes every time, taken up again anywhere."""

import csv
import gc
import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from deep_images_hub.catalogue.datasets import version_items
from deep_images_hub.datasets.download import open_export
from deep_images_hub.datasets.exports import export as exports_export
from deep_images_hub.datasets.exports.export import Export
from deep_images_hub.datasets.exports.formats import FORMATS, file_by_name, format_by_name
from deep_images_hub.datasets.exports.parts import MAX_FIRST, Part, part_from_query
from deep_images_hub.errors import InvalidInputError, NotFoundError, UnavailableError

SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="session")
def export_of(filled, version):
    def open_part(**part: object) -> Export:
        return open_export(version, engine=filled.hub.engine, store=filled.hub.store, part=Part(**part))

    return open_part


@pytest.fixture(scope="session")
def pictures(filled, version) -> dict[str, object]:
    """The version's pictures by sha256."""
    with filled.hub.engine.connect() as connection:
        return {picture.sha256: picture for picture in version_items(connection, version.id)}


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports_export, "IMAGES_IN_SHARD", 10)


@pytest.fixture
def written(export_of, small_shards, tmp_path):
    """Gives a way to write an export to a folder, in shards of about ten pictures."""

    def write(format_name: str, **part: object) -> Path:
        for file in FORMATS[format_name].files(export_of(**part)):
            (tmp_path / file.name).write_bytes(b"".join(file.blocks()))
        return tmp_path

    return write


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("part", [{}, {"split": "test", "label_code": "/m/apple"}, {"first": 3}])
def test_file_has_the_announced_length_the_same_bytes_and_goes_on_anywhere(export_of, small_shards, format_name, part) -> None:
    again = FORMATS[format_name].files(export_of(**part))
    for file, other in zip(FORMATS[format_name].files(export_of(**part)), again, strict=True):
        whole = b"".join(file.blocks())
        assert len(whole) == file.size_bytes(), file.name
        assert b"".join(other.blocks()) == whole, file.name
        for start in {1, len(whole) // 3, len(whole) // 2, len(whole) - 1, len(whole)}:
            assert b"".join(file.blocks(start)) == whole[start:], (file.name, start)


def test_shard_that_goes_on_reads_nothing_that_was_sent_before(export_of, filled, monkeypatch) -> None:
    file = format_by_name("webdataset").files(export_of(split="train"))[0]
    size_bytes = file.size_bytes()
    read: list[str] = []
    store = file.store

    class Watched:
        requests_at_once = 1

        def read(self, key: str) -> bytes:
            read.append(key)
            return store.read(key)

    object.__setattr__(file, "store", Watched())
    rest = b"".join(file.blocks(size_bytes - 2_000))
    assert len(rest) == 2_000
    assert len(read) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_is_read_by_webdataset(written, pictures, version, export_of) -> None:
    import webdataset

    folder = written("webdataset")
    indices = export_of().class_indices
    seen: Counter[str] = Counter()
    for split in SPLITS:
        shards = sorted(str(path) for path in folder.glob(f"food-{split}-0*.tar"))
        assert len(shards) == -(
            -{"train": version.train_count, "validation": version.validation_count}.get(split, version.test_count) // 10
        )
        for sample in webdataset.WebDataset(shards, shardshuffle=False).decode("pil"):
            picture = pictures[sample["__key__"]]
            assert (picture.split, indices[picture.label_code]) == (split, sample["cls"])
            assert min(sample["jpg"].size) > 0
            assert sample["json"]["label_code"] == picture.label_code
            assert sample["json"]["licence"] == picture.licence
            seen[picture.sha256] += 1
    # It leaves the shards open; better complained about here than in some other test.
    gc.collect()
    assert seen == Counter(list(pictures))


def test_shard_mixes_labels_and_names_the_sha256_of_what_it_holds(written) -> None:
    import tarfile

    folder = written("webdataset", split="train")
    with tarfile.open(folder / "food-train-000000.tar") as shard:
        members = {member.name: shard.extractfile(member).read() for member in shard}
        assert {member.mtime for member in shard} == {0}
    fields = [json.loads(body) for name, body in members.items() if name.endswith(".json")]
    for of in fields:
        body = members[of["key"] + ".jpg"]
        assert (of["picture_sha256"], of["picture_size_bytes"]) == (hashlib.sha256(body).hexdigest(), len(body))
    codes = [of["label_code"] for of in fields]
    assert codes != sorted(codes)
    assert len(set(codes)) >= 3


def test_picture_that_was_altered_in_the_store_is_seen_by_who_downloads_it(export_of, filled, pictures) -> None:
    store = filled.hub.store
    picture = next(of for of in pictures.values() if of.picture_sha256 is not None)
    body = store.read(picture.picture_key)
    # The length stays, so that the hub itself sees nothing.
    store.replace(picture.picture_key, body[:-1] + b"?")
    try:
        (zipped,) = FORMATS["imagefolder"].files(export_of())
        made = b"".join(zipped.blocks())
    finally:
        store.replace(picture.picture_key, body)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        altered = archive.testzip()
        files = {of["path"]: of for of in json.loads(archive.read("manifest.json"))["files"]}
    assert altered is not None
    assert Path(altered).stem == picture.sha256
    assert files[altered]["sha256"] == picture.picture_sha256 == hashlib.sha256(body).hexdigest()


def test_parquet_is_read_by_hugging_face(written, pictures, export_of, tmp_path_factory, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    folder = written("parquet")
    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(
        "parquet",
        data_files={split: str(folder / f"{split}-*.parquet") for split in SPLITS},
        cache_dir=str(tmp_path_factory.mktemp("cache")),
    )
    export = export_of()
    for split in SPLITS:
        assert loaded[split].features["label"].names == ["Apple", "apple", "Hell's Kitchen", "Lone"]
        for row in loaded[split]:
            picture = pictures[row["sha256"]]
            assert (picture.split, export.class_indices[picture.label_code]) == (split, row["label"])
            assert row["image"].size[0] > 0
    assert sum(len(loaded[split]) for split in SPLITS) == len(pictures)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_zip_is_read_by_hugging_face_as_image_folder(written, pictures, tmp_path_factory, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    folder = written("imagefolder", split="test")
    (name,) = folder.glob("*.zip")
    unpacked = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(name) as archive:
        archive.extractall(unpacked)
    datasets.disable_progress_bars()
    cache = tmp_path_factory.mktemp("cache")
    loaded = datasets.load_dataset("imagefolder", data_dir=str(unpacked), split="test", cache_dir=str(cache))
    assert {row["sha256"] for row in loaded} == {of.sha256 for of in pictures.values() if of.split == "test"}
    assert all(row["image"].size[0] > 0 and row["label_code"] == pictures[row["sha256"]].label_code for row in loaded)
    # It leaves a list open; better complained about here than in some other test.
    gc.collect()


def test_parquet_has_small_row_groups_and_says_what_it_has(export_of, filled, monkeypatch) -> None:
    import pyarrow.parquet

    from deep_images_hub.datasets.exports import parquet

    monkeypatch.setattr(parquet, "ROWS_IN_GROUP", 4)
    file = format_by_name("parquet").files(export_of(split="train"))[0]
    body = b"".join(file.blocks())
    table = pyarrow.parquet.ParquetFile(io.BytesIO(body))
    assert len(body) == file.size_bytes()
    assert table.metadata.num_row_groups == -(-table.metadata.num_rows // 4)
    row = table.read_row_group(0).to_pylist()[0]
    assert row["picture_sha256"] == hashlib.sha256(row["image"]["bytes"]).hexdigest()
    assert row["image"]["path"] == f"{row['sha256']}.jpg"


def test_coco_is_read_by_pycocotools_and_its_pictures_are_those_of_the_zip(written, pictures, export_of, capsys) -> None:
    from pycocotools.coco import COCO

    folder = written("coco", split="train")
    annotations = COCO(str(folder / "instances_train.json"))
    zipped = b"".join(FORMATS["imagefolder"].files(export_of(split="train"))[0].blocks())
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        of_train = [of for of in pictures.values() if of.split == "train"]
        assert len(annotations.getImgIds()) == len(of_train)
        for image in annotations.loadImgs(annotations.getImgIds()):
            with archive.open(image["file_name"]) as file:
                assert Image.open(file).size == (image["width"], image["height"])
            (annotation,) = annotations.loadAnns(annotations.getAnnIds(imgIds=image["id"], areaRng=[1, 1e9]))
            assert annotation["bbox"] == [0, 0, image["width"], image["height"]]
            (category,) = annotations.loadCats(annotation["category_id"])
            assert category["code"] == pictures[image["sha256"]].label_code


def test_csv_has_a_row_for_every_picture_and_the_text_of_the_digest(written, pictures, version) -> None:
    folder = written("csv")
    rows = rows_of(folder / "pictures.csv")
    assert {row["sha256"] for row in rows} == set(pictures)
    assert [row["split"] for row in rows] == sorted((row["split"] for row in rows), key=SPLITS.index)
    assert all(row["file_name"].startswith(row["split"] + "/") for row in rows)
    assert all(int(row["picture_size_bytes"]) == pictures[row["sha256"]].picture_size_bytes for row in rows)
    assert hashlib.sha256((folder / "content.txt").read_bytes()).hexdigest() == version.digest


def test_part_has_its_pictures_the_class_indices_of_the_whole_and_its_own_licences(written, pictures) -> None:
    folder = written("csv", split="train", label_code="/m/hk")
    rows = rows_of(folder / "pictures.csv")
    assert {(row["split"], row["label"], row["class_index"]) for row in rows} == {("train", "Hell's Kitchen", "2")}
    assert len(rows) == sum(of.split == "train" and of.label_code == "/m/hk" for of in pictures.values())
    assert [(row["licence"], int(row["images"])) for row in rows_of(folder / "LICENSES.csv")] == [("by", len(rows))]
    assert "This is a part (split train, label /m/hk) of a dataset" in (folder / "README.md").read_text()
    assert not (folder / "content.txt").exists()


def test_first_pictures_are_of_many_labels_and_fewer_are_among_more(export_of) -> None:
    few, more = ({of.sha256 for of in export_of(first=count).pictures("train")} for count in (6, 12))
    assert (len(few), len(more)) == (6, 12)
    assert few < more
    assert len({of.label_code for of in export_of(first=6).pictures("train")}) >= 3


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"split": "dev"}, "Expected one of: train, validation, test"),
        ({"label": "/m/none"}, "no label '/m/none'"),
        *(
            ({"first": first}, "expected a whole number")
            for first in ("0", "-1", "x", "²", "1e3", str(MAX_FIRST + 1), "9" * 99, f"{1:09}{MAX_FIRST}")
        ),
    ],
)
def test_part_that_does_not_exist_is_refused(query, words) -> None:
    with pytest.raises(InvalidInputError, match=words):
        part_from_query(query, label_codes=["/m/apple"])


def test_part_is_read_as_it_is_written() -> None:
    part = Part("test", "/m/apple", 7)
    assert part_from_query(part.query, label_codes=["/m/apple"]) == part
    assert part_from_query({"split": "", "first": ""}, label_codes=[]).is_whole


def test_format_and_file_that_do_not_exist_say_what_there_is(export_of) -> None:
    with pytest.raises(NotFoundError, match="imagefolder, webdataset"):
        format_by_name("rar")
    with pytest.raises(NotFoundError, match=r"the first is 'food-train-000000\.tar'"):
        file_by_name(format_by_name("webdataset").files(export_of()), "../x")


def test_store_that_fails_in_the_middle_stops_the_file(export_of) -> None:
    file = format_by_name("webdataset").files(export_of(split="train"))[0]

    class Broken:
        requests_at_once = 8

        def read(self, key: str) -> Iterator[bytes]:
            raise UnavailableError("the store is away")

    object.__setattr__(file, "store", Broken())
    with pytest.raises(UnavailableError):
        list(file.blocks())
