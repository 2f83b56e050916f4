from pathlib import Path

import pytest

from deep_images_hub.errors import InvalidInputError, NotFoundError, SettingsError
from deep_images_hub.object_store.folder import FolderStore
from deep_images_hub.object_store.open import open_object_at, open_store, open_store_at
from deep_images_hub.object_store.s3 import S3Store
from deep_images_hub.settings import Settings, load_settings


def settings(**given: object) -> Settings:
    return load_settings(given)


def test_open_store_of_a_file_url_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "Hell's Kitchen é"
    store = open_store(settings(store_url=f"file://{tmp_path}/Hell's%20Kitchen%20%C3%A9"))
    assert isinstance(store, FolderStore)
    store.create("a", b"1")
    assert (folder / "a").read_bytes() == b"1"
    assert open_store(settings(store_url=store.url)) == store


def test_open_store_of_an_s3_url_has_bucket_prefix_and_service() -> None:
    given = {"s3_endpoint_url": "http://127.0.0.1:8333", "s3_access_key_id": "key", "s3_secret_access_key": "hush"}
    store = open_store(settings(store_url="s3://photos/2024/a?b#c%20d/", **given))
    assert isinstance(store, S3Store)
    assert (store.bucket, store.prefix) == ("photos", "2024/a?b#c%20d")
    assert (store.service.endpoint_url, store.service.region) == ("http://127.0.0.1:8333", "us-east-1")
    assert store.url == "s3://photos/2024/a?b#c%20d"
    assert "hush" not in repr(store)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "empty"),
        ("http://example.org/photos", "no object store of the kind 'http:'"),
        ("gs://bucket/photos", "Expected file:///folder or s3://bucket/prefix"),
        ("S3://bucket", "no object store of the kind 'S3:'"),
        ("file://photos/2024", "three slashes"),
        ("file:photos", "three slashes"),
        ("file:///photos?x=1", "three slashes"),
        ("s3:bucket/photos", "s3://bucket/prefix"),
        ("s3://", "s3://bucket/prefix"),
        ("s3://Bad_Bucket/x", "s3://bucket/prefix"),
        ("s3:///photos", "s3://bucket/prefix"),
        ("s3://key:hush@bucket/photos", "HUB_S3_SECRET_ACCESS_KEY"),
        ("ftp://me:hush@example.org/", "no object store of the kind 'ftp:'"),
    ],
)
def test_open_store_of_what_is_no_store_says_what_was_expected(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refusal:
        open_store_at(url, settings())
    assert "hush" not in str(refusal.value)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:8333", "s3.example.org", "ftp://example.org", "http://"])
def test_open_store_with_a_wrong_endpoint_says_what_was_expected(endpoint: str) -> None:
    with pytest.raises(SettingsError, match="HUB_S3_ENDPOINT_URL"):
        open_store(settings(store_url="s3://bucket", s3_endpoint_url=endpoint))


def test_open_store_with_a_prefix_that_is_no_key_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="cannot be an object key"):
        open_store(settings(store_url="s3://bucket/a//b"))


def test_open_store_of_unresolved_settings_is_a_defect() -> None:
    with pytest.raises(ValueError, match="resolve"):
        open_store(settings())


def test_open_store_at_a_path_is_that_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    assert open_store_at("photos", settings()) == FolderStore(tmp_path / "photos")
    assert open_store_at(str(tmp_path / "photos"), settings()) == FolderStore(tmp_path / "photos")


def test_open_store_at_a_folder_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="absent"):
        open_store_at(str(tmp_path / "absent"), settings())


def test_open_object_at_gives_the_store_around_it_and_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vgg 16.h5").write_bytes(b"weights")
    monkeypatch.chdir(tmp_path)
    for url in ("vgg 16.h5", str(tmp_path / "vgg 16.h5"), f"file://{tmp_path}/vgg%2016.h5"):
        store, key = open_object_at(url, settings())
        assert (key, store.read(key)) == ("vgg 16.h5", b"weights")
    store, key = open_object_at("s3://bucket/weights/vgg16.h5", settings())
    assert (store.url, key) == ("s3://bucket/weights", "vgg16.h5")
    store, key = open_object_at("s3://bucket/vgg16.h5", settings())
    assert (store.url, key) == ("s3://bucket", "vgg16.h5")


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/", "s3://bucket/weights/", "file:///", "/", ""])
def test_open_object_at_what_names_no_object_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="names no object"):
        open_object_at(url, settings())
