import shutil
from pathlib import Path

import pytest

from deep_images_hub.batches.manifest import manifest_from_json
from deep_images_hub.errors import InvalidInputError, NotFoundError
from deep_images_hub.labels.graph import LabelEdge
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.simulation.crowd import plan_crowd
from deep_images_hub.simulation.defects import NO_DEFECTS
from deep_images_hub.simulation.photo_sources import FolderPhotos, PhotoSource, RenderedPhotos, StoredPhotos
from deep_images_hub.simulation.scenes import render
from deep_images_hub.simulation.sending import send_batches

FILES = ("Fruit/Apple/Golden-Delicious/1.JPG", "Fruit/Apple/Golden-Delicious/2.jpg", "Fruit/Apple/3.jpg", "Hell's Kitchen/x.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for number, name in enumerate(FILES):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(render(0, "Apple", number))
    (root / "README.txt").write_text("no photograph")
    (root / ".hidden").mkdir()
    (root / ".hidden" / "4.jpg").write_bytes(b"x")
    (root / "5.jpg").write_bytes(b"a photograph that is in no folder shows no label")
    return root


def test_folders_are_labels_and_those_above_their_parents(folder: Path) -> None:
    listed = FolderPhotos(folder).list()
    assert dict(listed.photos) == {
        "Fruit/Apple": (FILES[2],),
        "Fruit/Apple/Golden-Delicious": FILES[:2],
        "Hell's Kitchen": (FILES[3],),
    }
    assert listed.labels
    assert listed.labels.names["Fruit/Apple/Golden-Delicious"] == "Golden-Delicious"
    assert listed.labels.edges == {LabelEdge("Fruit", "Fruit/Apple"), LabelEdge("Fruit/Apple", "Fruit/Apple/Golden-Delicious")}


def test_identity_follows_the_photographs_and_not_where_they_lie(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(folder, moved)
    assert (
        FolderPhotos(folder).list().identity
        == FolderPhotos(moved).list().identity
        == StoredPhotos(FolderStore(moved)).list().identity
    )
    (moved / FILES[0]).write_bytes(b"changed")
    assert FolderPhotos(folder).list().identity != FolderPhotos(moved).list().identity


def test_folder_that_is_missing_or_has_no_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no folder"):
        FolderPhotos(tmp_path / "missing").list()
    with pytest.raises(InvalidInputError, match="no photographs in folders"):
        FolderPhotos(tmp_path).list()


def test_drawn_photographs_are_spread_over_all_products() -> None:
    listed = RenderedPhotos(0).list(31)
    assert sum(map(len, listed.photos.values())) == 31
    assert {len(names) for names in listed.photos.values()} == {2, 3}
    assert set(RenderedPhotos(0).list(5).photos.values()) == {("0",)}


@pytest.mark.parametrize("kind", ["folder", "store"])
def test_batches_are_sent_as_planned_and_sending_again_changes_nothing(folder: Path, tmp_path: Path, kind: str) -> None:
    source: PhotoSource = FolderPhotos(folder) if kind == "folder" else StoredPhotos(FolderStore(folder))
    listed = source.list()  # type: ignore[attr-defined]
    store = FolderStore(tmp_path / "hub")
    crowd = plan_crowd(listed, seed=0, rates=NO_DEFECTS)
    assert send_batches(crowd.batches, source, store) == 3

    objects = {stat.key: store.read(stat.key) for stat in store.list()}
    for batch in crowd.batches:
        manifest = manifest_from_json(objects[f"landing/{batch.key}/manifest.json"])
        assert (manifest.label_code, manifest.supplier_email) == (batch.label_code, batch.supplier_email)
        for photo, sent in zip(batch.photos, manifest.objects, strict=True):
            assert objects[sent.object_key] == (folder / photo.photo).read_bytes()
            assert sent.size_bytes == len(objects[sent.object_key])
    assert len(objects) == len(FILES) + 3

    assert send_batches(crowd.batches, source, store) == 0
    assert {stat.key: store.read(stat.key) for stat in store.list()} == objects


def test_batch_that_was_cut_off_before_its_manifest_is_sent_to_the_end(folder: Path, tmp_path: Path) -> None:
    source, store = FolderPhotos(folder), FolderStore(tmp_path / "hub")
    (batch, *_) = plan_crowd(source.list(), seed=0, rates=NO_DEFECTS).batches
    send_batches([batch], source, store)
    objects = {stat.key: store.read(stat.key) for stat in store.list()}
    store.delete(f"landing/{batch.key}/manifest.json")
    store.delete(next(key for key in objects if not key.endswith(".json")))
    assert send_batches([batch], source, store) == 1
    assert {stat.key: store.read(stat.key) for stat in store.list()} == objects
