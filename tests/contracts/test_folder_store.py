import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import ANY

import pytest

from deep_images_hub.errors import ConflictError, InvalidInputError, UnavailableError
from deep_images_hub.object_store import ObjectStat, SubFolder, UnusableName
from deep_images_hub.object_store.folder import FolderStore
from tests.contracts.object_store_contract import ObjectStoreContract


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


class TestFolderStore(ObjectStoreContract):
    pass


def files_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_nothing_is_left_behind_by_finished_writes(store: FolderStore, tmp_path: Path) -> None:
    store.create("a/1", b"1")
    store.create("a/1", b"2")
    store.replace("a/1", b"3")
    store.create_from_file("a/2", __file__)
    assert files_under(store.folder) == ["a/1", "a/2"]


def test_key_that_is_a_folder_or_leads_through_an_object_is_a_conflict(store: FolderStore) -> None:
    store.create("a/b/c", b"1")
    for write in (store.create, store.replace):
        with pytest.raises(ConflictError, match="is a folder"):
            write("a/b", b"2")
        with pytest.raises(ConflictError, match="nothing can lie under it"):
            write("a/b/c/d", b"2")
        with pytest.raises(ConflictError, match="nothing can lie under it"):
            write("a/b/c/d/e", b"2")
    with pytest.raises(ConflictError, match="is a folder"):
        store.copy("a/b/c", "a")
    assert files_under(store.folder) == ["a/b/c"]


def test_symbolic_links_lead_nowhere(store: FolderStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    store.create("a", b"1")
    (store.folder / "folder").symlink_to(outside)
    (store.folder / "file").symlink_to(outside / "secret")
    for key in ("folder/secret", "file", "folder/new"):
        for use in (store.read, store.read_blocks, store.stat, store.delete, lambda key: store.create(key, b"2")):
            with pytest.raises(InvalidInputError, match="symbolic link"):
                use(key)
    with pytest.raises(InvalidInputError, match="symbolic link"):
        store.list("folder/")
    with pytest.raises(InvalidInputError, match=r"file.*is a symbolic link"):
        list(store.list())
    assert files_under(outside) == ["secret"]


def test_folder_given_by_a_link_is_the_folder_itself(store: FolderStore, tmp_path: Path) -> None:
    store.create("a", b"1")
    (tmp_path / "link").symlink_to(store.folder)
    assert FolderStore(tmp_path / "link") == store
    assert FolderStore(tmp_path / "link").read("a") == b"1"


@pytest.mark.parametrize("name", [b"\xff.jpg", "e\u0301.jpg".encode(), b"a\nb.jpg", b"a\\b.jpg"])
def test_list_names_a_file_that_cannot_be_an_object(store: FolderStore, name: bytes) -> None:
    store.create("a", b"1")
    (Path(os.fsdecode(os.fsencode(store.folder) + b"/" + name))).write_bytes(b"2")
    with pytest.raises(InvalidInputError, match=r"object"):
        list(store.list())
    found = list(store.list_folder())
    assert ObjectStat("a", 1, ANY) in found
    (unusable,) = (entry for entry in found if isinstance(entry, UnusableName))
    assert unusable.name == ascii(os.fsdecode(name))
    assert "object" in unusable.problem


def test_list_folder_names_links_and_odd_folders_and_follows_none(store: FolderStore, tmp_path: Path) -> None:
    store.create("folder/a", b"1")
    (store.folder / "link").symlink_to(tmp_path)
    (store.folder / "e\u0301").mkdir()
    link, odd = (entry for entry in store.list_folder() if isinstance(entry, UnusableName))
    assert ("symbolic link" in odd.problem, "form NFC" in link.problem) == (True, True)
    assert [entry for entry in store.list_folder() if not isinstance(entry, UnusableName)] == [SubFolder("folder")]
    with pytest.raises(InvalidInputError, match="symbolic link"):
        store.list_folder("link")


def test_list_reads_only_folders_that_can_hold_the_keys(store: FolderStore) -> None:
    for shard in ("00", "01", "02"):
        store.create(f"images/{shard}/x", b"1")
    # Reading such a folder would fail on what cannot be an object.
    for forbidden in ("images/00", "images/02", "thumbnails"):
        (store.folder / forbidden).mkdir(parents=True, exist_ok=True)
        (store.folder / forbidden / "link").symlink_to("nowhere")
    assert [found.key for found in store.list("images/01/")] == ["images/01/x"]
    assert next(store.list("images/", start_after="images/00/z")).key == "images/01/x"


def test_blocks_of_a_replaced_object_are_those_of_the_old_one(store: FolderStore) -> None:
    store.create("a", b"old old old")
    blocks = store.read_blocks("a", block_bytes=4)
    assert next(blocks) == b"old "
    store.replace("a", b"new")
    assert b"".join(blocks) == b"old old"


def write_more_than_allowed(store: FolderStore, limit_bytes: int, messages: "object") -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    for write in (lambda: store.create("big", b"x" * 100_000), lambda: store.replace("small", b"x" * 100_000)):
        try:
            write()
        except UnavailableError as error:
            messages.put(str(error))  # type: ignore[attr-defined]


def test_write_without_room_says_so_and_leaves_nothing(store: FolderStore) -> None:
    store.create("small", b"old")
    context = get_context("spawn")
    messages = context.Queue()
    process = context.Process(target=write_more_than_allowed, args=(store, 50_000, messages))
    process.start()
    for key in ("big", "small"):
        assert f"cannot use '{key}'" in (message := messages.get(timeout=60))
        assert "There is no room left: free some, or set HUB_HOME or HUB_STORE_URL" in message
    process.join()
    assert files_under(store.folder) == ["small"]
    assert store.read("small") == b"old"


def test_folder_that_is_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = FolderStore(tmp_path / "file")
    for write in (store.create, store.replace):
        with pytest.raises(UnavailableError, match="It must be a folder"):
            write("a", b"1")


@pytest.fixture
def writer(store: FolderStore) -> Iterator["subprocess.Popen[str]"]:
    """Start a process that creates objects of two megabytes as fast as it can."""
    code = (
        "import sys, pathlib; from deep_images_hub.object_store.folder import FolderStore\n"
        "store = FolderStore(pathlib.Path(sys.argv[1])); n = 0\n"
        "while True:\n"
        "    store.create(f'objects/{n}', b'%d' % (n % 10) * (2 << 20)); n += 1\n"
        "    print(n, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(store.folder)], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_kill_while_writing_leaves_whole_objects_only(store: FolderStore, writer: "subprocess.Popen[str]") -> None:
    assert writer.stdout is not None
    for _ in range(5):
        writer.stdout.readline()
    time.sleep(0.002)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    found = list(store.list())
    assert len(found) >= 5
    for stat in found:
        digit = b"%d" % (int(stat.key.removeprefix("objects/")) % 10)
        assert store.read(stat.key) == digit * (2 << 20)


def test_remove_leftovers_removes_only_old_ones(store: FolderStore) -> None:
    store.remove_leftovers()
    store.create("a", b"1")
    incoming = store.folder / ".incoming"
    for name in ("old", "new"):
        (incoming / name).write_bytes(b"half an obj")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(incoming / "old", (two_days_ago, two_days_ago))
    store.remove_leftovers()
    assert files_under(store.folder) == [".incoming/new", "a"]
    assert [found.key for found in store.list()] == ["a"]
