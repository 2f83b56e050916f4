"""What every object store must do. Each implementation inherits the class and gives it the fixture `store`: empty, one a test."""

import pickle
import random
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import ANY

import pytest

from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.object_store import ObjectStat, ObjectStore, SubFolder
from deep_images_hub.object_store.folder import FolderStore

# In no order. '-' and '.' come before '/' in UTF-8, digits after it.
ODD_KEYS = [
    "a/b", "a0", "a-b", "a.b", "a/c/d.jpg", "a/-", "Z", "~", "two words.jpg", "a+b", "100%25 juice", "Hell's Kitchen/1.jpg",
    'quo"ted', "<&>", "what?.jpg", "#1", "ünïcode/é.jpg", "日本/写真.jpg", "\U0001f600", "\ufffd", ".hidden", "...", "a;b=c,d",
]  # fmt: skip
BAD_KEYS = [
    "", "/", "/etc/passwd", "a//b", "a/", "..", "../a", "a/../../b", ".", "a/./b", "a\\b", "a\nb", "a\x00b", "a\x7fb",
    "\udc80", "e\u0301", "x" * 256, "/".join(["x" * 200] * 5), ".incoming/x", ".incoming",
]  # fmt: skip
PROCESSES, THREADS = 2, 8


def create_many(store: ObjectStore, keys: list[str], caller: int) -> list[str]:
    """Try to create every key with a body of one's own; return the keys that were ours."""
    return [key for key in keys if store.create(key, b"%d" % caller * 1000)]


def race(store: ObjectStore, keys: list[str], process: int) -> dict[int, list[str]]:
    """Run `create_many` in several threads at once; return the keys won by each caller."""
    callers = range(process * THREADS, (process + 1) * THREADS)
    with ThreadPoolExecutor(THREADS) as threads:
        return dict(zip(callers, threads.map(lambda caller: create_many(store, keys, caller), callers), strict=True))


def _listed_as(found: object) -> str:
    """Return the key that an entry of a folder is sorted by."""
    assert isinstance(found, ObjectStat | SubFolder)
    return found.key if isinstance(found, ObjectStat) else f"{found.key}/"


class ObjectStoreContract:
    def test_create_with_odd_keys_is_read_back_and_listed_in_order(self, store: ObjectStore) -> None:
        for key in ODD_KEYS:
            assert store.create(key, key.encode(), "image/jpeg")
        assert [store.read(key).decode() for key in ODD_KEYS] == ODD_KEYS
        in_order = sorted(ODD_KEYS, key=str.encode)
        assert list(store.list()) == [ObjectStat(key, len(key.encode()), ANY) for key in in_order]
        for prefix in ("a", "a/", "a/c/", "Hell's", "日本/", "a/b/"):
            assert [found.key for found in store.list(prefix)] == [key for key in in_order if key.startswith(prefix)]
        for after in ("a-b", "a/", "a/b", "日本", "\U0001f600"):
            assert [found.key for found in store.list(start_after=after)] == [
                key for key in in_order if key.encode() > after.encode()
            ]
        assert [found.key for found in store.list("a/", start_after="a/b")] == ["a/c/d.jpg"]

    def test_list_of_an_empty_store_yields_nothing(self, store: ObjectStore) -> None:
        assert list(store.list()) == []
        assert list(store.list("images/")) == []

    def test_list_folder_yields_what_lies_right_in_it(self, store: ObjectStore) -> None:
        for key in ODD_KEYS:
            store.create(key, b"1")
        assert list(store.list_folder("a")) == [ObjectStat("a/-", 1, ANY), ObjectStat("a/b", 1, ANY), SubFolder("a/c")]
        assert list(store.list_folder("日本")) == [ObjectStat("日本/写真.jpg", 1, ANY)]
        folders = {key.partition("/")[0] + "/" for key in ODD_KEYS if "/" in key}
        top = sorted([*folders, *(key for key in ODD_KEYS if "/" not in key)], key=str.encode)
        assert [_listed_as(found) for found in store.list_folder()] == top
        for after in ("a-b", "a0", "Z", "ünïcode.jpg"):
            assert [_listed_as(found) for found in store.list_folder(start_after=after)] == [
                name for name in top if name.encode() > after.encode()
            ]
        assert list(store.list_folder("a", start_after="a/b")) == [SubFolder("a/c")]
        assert list(store.list_folder("a", start_after="a/d")) == list(store.list_folder("nothing")) == []

    def test_list_folder_sees_every_entry_once_however_many_there_are(self, store: ObjectStore) -> None:
        names = [f"many/{n:02d}{'/x/y' if n % 3 else '.jpg'}" for n in range(24)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda name: store.create(name, b""), names))
        expected = [name.removesuffix("x/y") for name in names]
        assert [_listed_as(found) for found in store.list_folder("many")] == expected
        assert [_listed_as(found) for found in store.list_folder("many", start_after="many/09.jpg")] == expected[10:]

    def test_create_when_the_key_is_taken_changes_nothing(self, store: ObjectStore, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.write_bytes(b"other")
        assert store.create("images/1.jpg", b"first")
        assert not store.create("images/1.jpg", b"second")
        assert not store.create_from_file("images/1.jpg", str(other))
        assert store.read("images/1.jpg") == b"first"

    def test_create_by_many_processes_and_threads_at_once_has_one_winner(self, store: ObjectStore) -> None:
        keys = [f"race/{n}" for n in range(2)]
        with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as processes:
            races = [processes.submit(race, store, keys, process) for process in range(PROCESSES)]
            won = {caller: ours for one in races for caller, ours in one.result().items()}
        assert len(won) == PROCESSES * THREADS
        winners = {key: [caller for caller, ours in won.items() if key in ours] for key in keys}
        assert {key: len(callers) for key, callers in winners.items()} == dict.fromkeys(keys, 1)
        assert {key: store.read(key) for key in keys} == {key: b"%d" % callers[0] * 1000 for key, callers in winners.items()}
        assert [found.key for found in store.list()] == keys

    def test_replace_of_a_new_and_a_taken_key_leaves_the_last_body(self, store: ObjectStore) -> None:
        store.replace("checkpoints/latest", b"one")
        store.replace("checkpoints/latest", b"the second")
        assert store.read("checkpoints/latest") == b"the second"
        assert [found.size_bytes for found in store.list()] == [10]

    def test_empty_body_is_an_object(self, store: ObjectStore, tmp_path: Path) -> None:
        empty = tmp_path / "empty"
        empty.touch()
        assert store.create("empty", b"")
        assert store.create_from_file("empty-file", str(empty))
        assert store.copy("empty", "empty-copy")
        assert [(found.size_bytes, store.read(found.key)) for found in store.list()] == [(0, b"")] * 3
        assert list(store.read_blocks("empty")) == []

    def test_big_file_is_stored_and_read_by_blocks(self, store: ObjectStore, tmp_path: Path) -> None:
        body = random.Random(0).randbytes(11 << 20)
        local = tmp_path / "weights"
        local.write_bytes(body)
        assert store.create_from_file("models/weights", str(local))
        found = store.stat("models/weights")
        assert found == ObjectStat("models/weights", len(body), ANY)
        (listed,) = store.list("models/")
        for said in (found, listed):
            assert abs((said.modified_at - datetime.now(UTC)).total_seconds()) < 600
        blocks = list(store.read_blocks("models/weights", block_bytes=1 << 20))
        assert max(map(len, blocks)) <= 1 << 20
        assert b"".join(blocks) == body
        assert b"".join(store.read_blocks("models/weights", start=len(body) - 3_000_000)) == body[-3_000_000:]
        assert store.read("models/weights") == body
        assert not store.create_from_file("models/weights", str(local))

    @pytest.mark.parametrize("size_bytes", [0, 1000, 10 << 20, (11 << 20) + 3])
    def test_object_is_created_block_by_block_and_is_there_at_the_end(self, store: ObjectStore, size_bytes: int) -> None:
        body, key = random.Random(0).randbytes(size_bytes), "exports/shard.tar"
        with store.creating(key, "application/x-tar") as add:
            for start in range(0, size_bytes, 1 << 20):
                add(body[start : start + (1 << 20)])
            assert list(store.list()) == []
        assert list(store.list()) == [ObjectStat(key, size_bytes, ANY)]
        assert store.read(key) == body

    def test_object_whose_making_fails_is_not_there(self, store: ObjectStore) -> None:
        def fail(size_bytes: int) -> None:
            with store.creating("exports/shard.tar") as add:
                add(bytes(size_bytes))
                raise RuntimeError("the line broke")

        for size_bytes in (1000, 6 << 20):
            with pytest.raises(RuntimeError, match="the line broke"):
                fail(size_bytes)
        assert list(store.list()) == []

    def test_object_that_somebody_else_made_meanwhile_stays(self, store: ObjectStore) -> None:
        def come_second(key: str, size_bytes: int) -> None:
            with store.creating(key) as add:
                add(bytes(size_bytes))
                assert store.create(key, b"first")

        for size_bytes in (1000, 6 << 20):
            key = f"exports/{size_bytes}"
            with pytest.raises(ConflictError, match=key):
                come_second(key, size_bytes)
            assert store.read(key) == b"first"

    def test_opened_file_is_the_object_where_the_store_has_files(self, store: ObjectStore) -> None:
        store.create("a/b", b"0123456789")
        if (file := store.open_file("a/b")) is None:
            assert not isinstance(store, FolderStore)
            return
        with file:
            store.delete("a/b")
            assert file.read() == b"0123456789"
        with pytest.raises(NotFoundError, match="a/b"):
            store.open_file("a/b")

    def test_blocks_that_nobody_reads_to_the_end_do_no_harm(self, store: ObjectStore) -> None:
        store.create("a", b"0123456789")
        store.read_blocks("a", block_bytes=2)
        assert next(store.read_blocks("a", block_bytes=2)) == b"01"
        assert store.read("a") == b"0123456789"

    def test_missing_key_is_not_found_and_says_which(self, store: ObjectStore) -> None:
        store.create("images/1.jpg", b"1")
        for missing in ("images/2.jpg", "images", "images/1.jpg/2"):
            for read in (store.read, store.read_blocks, store.stat, lambda key: store.copy(key, "copy")):
                with pytest.raises(NotFoundError, match=missing):
                    read(missing)
        with pytest.raises(NotFoundError, match="absent"):
            store.create_from_file("images/3.jpg", "/absent")
        assert [found.key for found in store.list()] == ["images/1.jpg"]

    def test_delete_twice_leaves_nothing(self, store: ObjectStore) -> None:
        store.create("a/b", b"1")
        store.create("a/c", b"2")
        for _ in range(2):
            store.delete("a/b")
        store.delete("never/there")
        store.delete("a")
        assert [found.key for found in store.list()] == ["a/c"]
        assert store.create("a/b", b"again")

    def test_copy_keeps_the_source_and_refuses_a_taken_key(self, store: ObjectStore) -> None:
        source, copy = "two words/é+%'.jpg", "landing/ü 1.jpg"
        store.create(source, b"photograph")
        store.create("taken", b"other")
        assert store.copy(source, copy)
        assert not store.copy(source, copy)
        assert not store.copy(source, "taken")
        assert not store.copy(source, source)
        store.replace(source, b"changed")
        assert (store.read(copy), store.read("taken"), store.read(source)) == (b"photograph", b"other", b"changed")
        store.delete(source)
        assert store.read(copy) == b"photograph"

    def test_copy_by_many_at_once_has_one_winner(self, store: ObjectStore) -> None:
        for n in range(6):
            store.create(f"source/{n}", b"%d" % n)
        with ThreadPoolExecutor(6) as threads:
            won = list(threads.map(lambda n: store.copy(f"source/{n}", "copy"), range(6)))
        assert sum(won) == 1
        assert store.read("copy") == b"%d" % won.index(True)

    def test_copy_from_a_store_of_another_kind_brings_the_bytes(self, store: ObjectStore, tmp_path: Path) -> None:
        photographs = FolderStore(tmp_path / "photographs")
        photographs.create("apple/1.jpg", b"photograph")
        assert store.copy("apple/1.jpg", "landing/1.jpg", source=photographs)
        assert not store.copy("apple/1.jpg", "landing/1.jpg", source=photographs)
        assert store.read("landing/1.jpg") == b"photograph"
        with pytest.raises(NotFoundError, match=r"apple/2\.jpg"):
            store.copy("apple/2.jpg", "landing/2.jpg", source=photographs)

    def test_pickled_store_is_the_same_store(self, store: ObjectStore) -> None:
        store.create("a", b"1")
        twin = pickle.loads(pickle.dumps(store))
        assert twin.read("a") == b"1"
        assert (twin.url, twin) == (store.url, store)

    def test_flush_returns(self, store: ObjectStore) -> None:
        store.create("a", b"1")
        store.flush()
        assert store.read("a") == b"1"

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_bad_key_is_refused_everywhere(self, store: ObjectStore, key: str, tmp_path: Path) -> None:
        local = tmp_path / "local"
        local.write_bytes(b"1")
        for use in (
            lambda: store.create(key, b"1"),
            lambda: store.replace(key, b"1"),
            lambda: store.create_from_file(key, str(local)),
            lambda: store.read(key),
            lambda: store.read_blocks(key),
            lambda: store.stat(key),
            lambda: store.copy(key, "a"),
            lambda: store.copy("a", key),
            lambda: store.delete(key),
            # An empty key is the top of a listing.
            lambda: store.list_folder(key or "/"),
            lambda: store.list_folder(start_after=key or "/"),
        ):
            with pytest.raises(InvalidInputError, match="cannot be an object key"):
                use()

    @pytest.mark.parametrize("start", ["/", "../", "a//b", "a/../b", "\x00", "\udc80", "e\u0301"])
    def test_bad_start_of_a_listing_is_refused(self, store: ObjectStore, start: str) -> None:
        with pytest.raises(InvalidInputError, match="can start with"):
            store.list(start)
        with pytest.raises(InvalidInputError, match="can start with"):
            store.list(start_after=start)
