import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deep_images_hub.batches.manifest import manifest_from_json
from deep_images_hub.errors import DeniedError, UnavailableError
from deep_images_hub.landing.delivery import Delivery, SourceFile
from deep_images_hub.landing.refusals import Refused
from deep_images_hub.landing.sending import Sent, send
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.folder import FolderStore

BODIES = {"1.jpg": b"one", "two words.PNG": b"second", "deep/3": b"", "odd.this is no suffix": b"4"}


@pytest.fixture
def source(tmp_path: Path) -> FolderStore:
    source = FolderStore(tmp_path / "source")
    for name, body in BODIES.items():
        source.create(f"apples/{name}", body)
    return source


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "hub")


def delivery(*files: SourceFile, is_whole: bool = True) -> Delivery:
    described = [SourceFile(f"apples/{name}", name, len(body), hashlib.sha256(body).hexdigest()) for name, body in BODIES.items()]
    return Delivery(
        batch_key="land-apples-1",
        origin="s3://suppliers/apples.manifest.json",
        folder="apples",
        supplier_email="ada@example.org",
        supplier_name="Ada",
        label_code="apple",
        licence="by",
        attribution="Ada",
        place_query=None,
        submitted_at=datetime(2026, 5, 3, tzinfo=UTC),
        is_whole=is_whole,
        files=files or tuple(described),
    )


def objects_of(store: ObjectStore) -> dict[str, bytes]:
    return {found.key: store.read(found.key) for found in store.list()}


def test_delivery_becomes_objects_and_a_manifest_and_again_nothing(source: FolderStore, store: FolderStore) -> None:
    source.create("apples/not named.jpg", b"5")
    counted: list[int] = []
    assert send(delivery(), source, store, on_sent=counted.append) == Sent(4, unnamed=1)
    objects = objects_of(store)
    manifest = manifest_from_json(objects.pop("landing/land-apples-1/manifest.json"))
    assert (manifest.origin, manifest.label_code) == ("s3://suppliers/apples.manifest.json", "apple")
    assert {sent.filename: (objects[sent.object_key], sent.size_bytes) for sent in manifest.objects} == {
        name: (body, len(body)) for name, body in BODIES.items()
    }
    assert [sent.object_key.rpartition("/")[2] for sent in manifest.objects] == ["000000.jpg", "000001.png", "000002", "000003"]
    assert sum(counted) == 4

    before = objects_of(store)
    source.replace("apples/1.jpg", b"replaced later")
    assert send(delivery(), source, store) == Sent(4, unnamed=1)
    assert objects_of(store) == before


def test_problem_repeats_no_sign_that_cannot_be_kept_or_shown() -> None:
    assert Refused("not_a_manifest", "la\x00ble\x1b[2J…").problem == "la�ble�[2J…"


WRONG = {
    "missing_file": SourceFile("apples/absent.jpg", "absent.jpg"),
    "size_differs": SourceFile("apples/1.jpg", "1.jpg", size_bytes=4),
    "sha256_differs": SourceFile("apples/1.jpg", "1.jpg", size_bytes=3, sha256="0" * 64),
}


@pytest.mark.parametrize("reason", WRONG)
def test_whole_delivery_with_one_wrong_file_is_refused_and_leaves_nothing(
    reason: str, source: FolderStore, store: FolderStore
) -> None:
    refused = send(delivery(SourceFile("apples/two words.PNG", "two words.PNG"), WRONG[reason]), source, store)
    assert isinstance(refused, Refused)
    assert refused.reason == reason
    assert repr(WRONG[reason].filename) in refused.problem
    assert objects_of(store) == {}


def test_folder_that_holds_what_cannot_be_taken_in_is_refused(source: FolderStore, store: FolderStore) -> None:
    (source.folder / "apples" / "deep" / "passwd.jpg").symlink_to("/etc/passwd")
    refused = send(delivery(), source, store)
    assert isinstance(refused, Refused)
    assert refused.reason == "unusable_name"
    assert refused.problem.startswith("'apples/deep/passwd.jpg' cannot be taken in")
    assert str(source.folder) not in refused.problem
    assert objects_of(store) == {}


def reasons(sent: Sent | Refused) -> dict[str, str]:
    assert isinstance(sent, Sent)
    return {name: refused.reason for name, refused in sent.left_out.items()}


@dataclass(frozen=True)
class DenyingStore(FolderStore):
    """Lists all objects, and does not give out one of them."""

    denied: str = ""

    def read(self, key: str) -> bytes:
        if key == self.denied:
            raise DeniedError("AccessDenied")
        return FolderStore.read(self, key)


def test_file_that_the_store_denies_is_left_out_or_spoils_what_must_be_whole(source: FolderStore, store: FolderStore) -> None:
    denying = DenyingStore(source.folder, "apples/1.jpg")
    refused = send(delivery(), denying, store)
    assert isinstance(refused, Refused)
    assert refused.reason == "denied_file"
    assert objects_of(store) == {}
    sent = send(delivery(is_whole=False), denying, store)
    assert isinstance(sent, Sent)
    assert (sent.files, reasons(sent)) == (3, {"1.jpg": "denied_file"})
    # Of a run that was cut off behind the manifest, that much is known.
    assert reasons(send(delivery(is_whole=False), source, store)) == {"1.jpg": "missing_file"}


def test_files_that_cannot_be_had_are_left_out_of_what_need_not_be_whole(source: FolderStore, store: FolderStore) -> None:
    (source.folder / "apples" / "link.jpg").symlink_to("1.jpg")
    files = [SourceFile(f"apples/{name}", name) for name in ("gone.jpg", "1.jpg", "link.jpg")]
    sent = send(delivery(*files, is_whole=False), source, store)
    assert reasons(sent) == {"gone.jpg": "missing_file", "link.jpg": "unusable_name"}
    manifest = manifest_from_json(store.read("landing/land-apples-1/manifest.json"))
    assert [(sent.filename, sent.object_key) for sent in manifest.objects] == [("1.jpg", "landing/land-apples-1/000001.jpg")]

    none = replace(delivery(files[0], is_whole=False), batch_key="land-none")
    assert reasons(send(none, source, store)) == {"gone.jpg": "missing_file"}
    assert not list(store.list("landing/land-none"))


@dataclass(frozen=True)
class DyingStore(FolderStore):
    """Takes one object for each of `writes_left`, and then none, as if the process had died."""

    writes_left: list[int] = field(default_factory=list)

    def create(self, key: str, body: bytes, content_type: str = "") -> bool:
        if not self.writes_left:
            raise UnavailableError("killed")
        self.writes_left.pop()
        return FolderStore.create(self, key, body, content_type)


# Four photographs and the manifest.
@pytest.mark.parametrize("writes", range(5))
def test_delivery_that_is_cut_off_anywhere_is_sent_to_the_end(
    writes: int, source: FolderStore, store: FolderStore, tmp_path: Path
) -> None:
    whole = FolderStore(tmp_path / "whole")
    send(delivery(), source, whole)
    with pytest.raises(UnavailableError):
        send(delivery(), source, DyingStore(store.folder, list(range(writes))))
    assert "landing/land-apples-1/manifest.json" not in objects_of(store)
    assert send(delivery(), source, store) == Sent(4)
    assert objects_of(store) == objects_of(whole)


def test_copy_of_what_was_replaced_since_is_made_anew(source: FolderStore, store: FolderStore) -> None:
    store.create("landing/land-apples-1/000000.jpg", b"of a run that was cut off, before the supplier put another one there")
    assert send(delivery(), source, store) == Sent(4)
    assert store.read("landing/land-apples-1/000000.jpg") == b"one"
