from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deep_images_hub.landing import adoption as module
from deep_images_hub.landing.adoption import Adoption, LeftOut, Terms, folder_origin
from deep_images_hub.landing.delivery import Delivery
from deep_images_hub.landing.folder_labels import FolderLabels
from deep_images_hub.object_store import ObjectStat, SubFolder, UnusableName
from deep_images_hub.object_store.folder import FolderStore

TERMS = Terms("ada@example.org", "Ada Berg", "by")
LABELS = FolderLabels({"apple": "Apple", "golden": "Golden Delicious", "pear": "Pear"})


@dataclass(frozen=True)
class ListedStore(FolderStore):
    """Keeps what it was asked to list, with where it was to begin."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    yielded: list[str] = field(default_factory=list)

    def list_folder(self, folder: str = "", start_after: str = "") -> Iterator[ObjectStat | SubFolder | UnusableName]:
        self.asked.append((folder, start_after))
        for entry in FolderStore.list_folder(self, folder, start_after):
            self.yielded.append(entry.key if not isinstance(entry, UnusableName) else entry.name)
            yield entry


@pytest.fixture
def source(tmp_path: Path) -> ListedStore:
    return ListedStore(tmp_path / "tree")


@pytest.fixture(autouse=True)
def three_files_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BATCH_FILES", 3)


def put(source: FolderStore, *keys: str) -> None:
    for key in keys:
        source.create(key, key.encode())


def adopt(source: FolderStore, markers: dict[str, str], known: set[str] | None = None) -> tuple[list[Delivery], LeftOut]:
    """Walk over the source and move the markers as the job does."""
    adoption = Adoption(source, TERMS, LABELS, markers, None if known is None else lambda _: known)
    found = list(adoption.deliveries())
    for folder in adoption.beside_pictures:
        markers.setdefault(folder, "")
    for delivery in found:
        markers[delivery.folder] = max(markers.get(delivery.folder, ""), delivery.files[-1].filename, key=str.encode)
    return found, adoption.left_out


def names(deliveries: list[Delivery]) -> dict[str, list[list[str]]]:
    by_folder: dict[str, list[list[str]]] = {}
    for delivery in deliveries:
        by_folder.setdefault(delivery.folder, []).append([file.filename for file in delivery.files])
    return by_folder


def test_label_folders_become_batches_and_what_is_left_out_is_counted(source: ListedStore) -> None:
    put(source, *(f"Apple/{n}.jpg" for n in range(4)), "Apple/Golden_Delicious/é 1.PNG", "shop/north/pear/1.jpeg")
    put(source, "Apple/notes.txt", "Apple/.hidden.jpg", ".git/pear/1.jpg", "Unsorted/1.jpg", "Unsorted/2.jpg", "1.jpg")
    (source.folder / "pear").mkdir()
    (source.folder / "pear" / "link.jpg").symlink_to("/etc/passwd")
    found, left_out = adopt(source, {})
    assert names(found) == {
        "Apple": [["0.jpg", "1.jpg", "2.jpg"], ["3.jpg"]],
        "Apple/Golden_Delicious": [["é 1.PNG"]],
        "shop/north/pear": [["1.jpeg"]],
    }
    assert {delivery.folder: delivery.label_code for delivery in found} == {
        "Apple": "apple",
        "Apple/Golden_Delicious": "golden",
        "shop/north/pear": "pear",
    }
    assert {delivery.origin for delivery in found} == {folder_origin(source.url, folder) for folder in names(found)}
    assert len({delivery.batch_key for delivery in found}) == 4
    assert left_out.without_label == {"Unsorted": 2}
    assert (left_out.in_no_folder, left_out.no_pictures, left_out.unusable) == (1, 3, 1)
    assert "symbolic link" in left_out.first_unusable


def test_same_tree_gives_the_same_batches_and_other_terms_others(source: ListedStore) -> None:
    put(source, *(f"Apple/{n}.jpg" for n in range(4)))
    found, _ = adopt(source, {})
    assert adopt(source, {})[0] == found
    others = Adoption(source, Terms("bo@example.org", "Bo", "cc0"), LABELS, {}).deliveries()
    assert not {delivery.batch_key for delivery in found} & {delivery.batch_key for delivery in others}


def test_second_walk_asks_only_for_what_comes_after_the_markers(source: ListedStore) -> None:
    put(source, *(f"Apple/{n}.jpg" for n in range(4)), "pear/1.jpg")
    markers: dict[str, str] = {}
    adopt(source, markers)
    source.asked.clear()
    source.yielded.clear()

    assert adopt(source, markers) == ([], LeftOut())
    assert sorted(source.asked) == [("", ""), ("Apple", "Apple/3.jpg"), ("pear", "pear/1.jpg")]
    assert source.yielded == ["Apple", "pear"]

    put(source, "Apple/4.jpg", "pear/10.jpg", "Apple/new/pear/1.jpg", "golden/1.jpg")
    found, _ = adopt(source, markers)
    assert names(found) == {
        "Apple": [["4.jpg"]],
        "Apple/new/pear": [["1.jpg"]],
        "golden": [["1.jpg"]],
        # "." comes before "0".
        "pear": [["10.jpg"]],
    }


def test_what_comes_before_the_marker_is_found_by_listing_again_and_the_rest_left_out(source: ListedStore) -> None:
    put(source, "Apple/b.jpg", "Apple/c.jpg")
    markers: dict[str, str] = {}
    adopt(source, markers)
    put(source, "Apple/a.jpg", "Apple/Golden_Delicious/1.jpg")
    assert adopt(source, markers)[0] == []

    found, left_out = adopt(source, markers, known={"b.jpg", "c.jpg"})
    assert names(found) == {"Apple": [["a.jpg"]], "Apple/Golden_Delicious": [["1.jpg"]]}
    assert left_out.known == 2
    assert markers == {"Apple": "c.jpg", "Apple/Golden_Delicious": "1.jpg"}


def test_folder_gets_its_pictures_once_its_label_is_there(source: ListedStore) -> None:
    put(source, "Quince/1.jpg")
    markers: dict[str, str] = {}
    _, left_out = adopt(source, markers)
    assert (left_out.without_label, markers) == ({"Quince": 1}, {})
    known = Adoption(source, TERMS, FolderLabels({"quince": "Quince"}), markers)
    assert names(list(known.deliveries())) == {"Quince": [["1.jpg"]]}


def test_folder_beside_pictures_is_not_lost_where_the_marker_has_moved_past_it(source: ListedStore) -> None:
    put(source, "Apple/z.jpg", "Apple/Golden_Delicious/1.jpg", "Apple/Quince/1.jpg", "Apple/shelf/notes.txt")
    markers: dict[str, str] = {}
    adoption = Adoption(source, TERMS, LABELS, markers)
    first = next(adoption.deliveries())
    # A run that was killed after its first batch.
    markers |= dict.fromkeys(adoption.beside_pictures, "") | {first.folder: first.files[-1].filename}
    put(source, "Apple/shelf/pear/1.jpg")
    found, left_out = adopt(source, markers)
    assert names(found) == {"Apple/Golden_Delicious": [["1.jpg"]], "Apple/shelf/pear": [["1.jpg"]]}
    assert left_out.without_label == {"Apple/Quince": 1}
    # Once there is such a label.
    known = Adoption(source, TERMS, FolderLabels({"apple": "Apple", "quince": "Quince"}), markers)
    assert names(list(known.deliveries())) == {"Apple/Quince": [["1.jpg"]]}


def test_files_too_large_to_be_photographs_are_left_out(source: ListedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 20)
    put(source, "pear/1.jpg", "pear/a film called.jpg")
    found, left_out = adopt(source, {})
    assert names(found) == {"pear": [["1.jpg"]]}
    assert left_out.too_large == 1
