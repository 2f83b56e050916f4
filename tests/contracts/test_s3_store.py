import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from multiprocessing import get_context
from unittest.mock import ANY
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from pydantic import SecretStr

from deep_images_hub.errors import InvalidInputError, NotFoundError, UnavailableError
from deep_images_hub.object_store import ObjectStat, SubFolder, UnusableName
from deep_images_hub.object_store.s3 import S3Store
from deep_images_hub.object_store.s3_service import S3Service
from tests.contracts.object_store_contract import ObjectStoreContract
from tests.swift_server import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, SwiftServer

_prefixes = count()


@pytest.fixture(scope="module")
def bucket(swift: SwiftServer) -> str:
    return swift.new_bucket()


@pytest.fixture
def store(swift: SwiftServer, bucket: str) -> S3Store:
    """Give a corner of the bucket, with pages and parts so small that a test sees several."""
    service = S3Service(swift.endpoint_url, REGION, SecretStr(ACCESS_KEY_ID), SecretStr(SECRET_ACCESS_KEY))
    return S3Store(service, bucket, f"test {next(_prefixes)}/é", page_size=7, part_bytes=5 << 20)


class TestS3Store(ObjectStoreContract):
    pass


def test_store_shows_no_secret(store: S3Store) -> None:
    assert SECRET_ACCESS_KEY not in store.url + repr(store) + repr(store.service)


def test_signed_url_gives_the_object_to_whoever_has_it_for_a_while(store: S3Store) -> None:
    key = "Hell's Kitchen/1 é+%.jpg"
    store.create(key, b"photograph", "image/jpeg")
    url = store.signed_url(key, lifetime_s=60)
    with urlopen(url) as answer:
        assert (answer.read(), answer.headers["Content-Type"]) == (b"photograph", "image/jpeg")
    assert "X-Amz-Expires=60" in url
    for other in (url.replace("1%20", "2%20"), url.partition("?")[0], url.replace("X-Amz-Expires=60", "X-Amz-Expires=600")):
        with pytest.raises(HTTPError) as refused:
            urlopen(other)
        assert refused.value.code in (400, 401, 403)
        refused.value.close()


def test_list_sees_neither_other_prefixes_nor_markers_of_folders(store: S3Store, swift: SwiftServer) -> None:
    store.create("a", b"1")
    client = swift.client()
    for name in (f"{store.prefix}/", f"{store.prefix}/folder/", f"{store.prefix}x/b", f"{store.prefix}x"):
        client.put_object(Bucket=store.bucket, Key=name, Body=b"")
    assert [found.key for found in store.list()] == ["a"]


def test_list_names_a_foreign_object_that_breaks_the_rules(store: S3Store, swift: SwiftServer) -> None:
    swift.client().put_object(Bucket=store.bucket, Key=f"{store.prefix}/a//b", Body=b"")
    with pytest.raises(InvalidInputError, match="a//b"):
        list(store.list())


def test_list_folder_names_what_breaks_the_rules_and_goes_on(store: S3Store, swift: SwiftServer) -> None:
    client = swift.client()
    for name in ("/", "//b", "/../b", "/e\u0301.jpg", "/marked/", "/z.jpg"):
        client.put_object(Bucket=store.bucket, Key=f"{store.prefix}/a{name}", Body=b"")
    found = list(store.list_folder("a"))
    assert [entry.name for entry in found if isinstance(entry, UnusableName)] == ["'a/../'", "'a//'", r"'a/e\u0301.jpg'"]
    assert [entry for entry in found if not isinstance(entry, UnusableName)] == [
        SubFolder("a/marked"),
        ObjectStat("a/z.jpg", 0, ANY),
    ]


def test_store_without_prefix_uses_keys_as_they_are(store: S3Store, swift: SwiftServer) -> None:
    whole = replace(store, bucket=swift.new_bucket(), prefix="")
    whole.create("a/1", b"1")
    assert [found["Key"] for found in swift.client().list_objects_v2(Bucket=whole.bucket)["Contents"]] == ["a/1"]
    assert [found.key for found in whole.list()] == ["a/1"]
    assert whole.url == f"s3://{whole.bucket}"


def test_copy_from_another_bucket_stays_inside_the_service(store: S3Store, swift: SwiftServer) -> None:
    photographs = replace(store, bucket=swift.new_bucket(), prefix="")
    photographs.create("apple/1.jpg", b"photograph", "image/jpeg")
    assert store.copy("apple/1.jpg", "landing/1.jpg", source=photographs)
    assert store.read("landing/1.jpg") == b"photograph"
    answer = swift.client().head_object(Bucket=store.bucket, Key=f"{store.prefix}/landing/1.jpg")
    assert answer["ContentType"] == "image/jpeg"
    with pytest.raises(UnavailableError, match="There is no bucket 'no-such-bucket'"):
        store.copy("apple/1.jpg", "landing/2.jpg", source=replace(photographs, bucket="no-such-bucket"))


def test_copy_that_fails_leaves_no_upload_behind(store: S3Store, swift: SwiftServer) -> None:
    with pytest.raises(NotFoundError):
        store.copy("absent", "landing/1.jpg")
    store.create("a", b"1")
    assert not store.copy("a", "a")
    uploads = swift.client().list_multipart_uploads(Bucket=store.bucket).get("Uploads", [])
    assert [upload["Key"] for upload in uploads if upload["Key"].startswith(store.prefix)] == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"secret_access_key": SecretStr("wrong")}, "does not accept our credentials.*HUB_S3_SECRET_ACCESS_KEY"),
        ({"access_key_id": SecretStr("test:stranger")}, "HUB_S3_ACCESS_KEY_ID"),
    ],
)
def test_wrong_credentials_are_refused_and_named(store: S3Store, wrong: dict[str, SecretStr], message: str) -> None:
    store.create("a", b"1")
    stranger = replace(store, service=replace(store.service, **wrong))
    for use in (
        lambda: stranger.read("a"),
        lambda: stranger.stat("a"),
        lambda: stranger.create("b", b"2"),
        lambda: stranger.create_from_file("b", __file__),
        lambda: stranger.copy("a", "b"),
        lambda: stranger.delete("a"),
        lambda: list(stranger.list()),
    ):
        with pytest.raises(UnavailableError, match=message) as refusal:
            use()
        assert "wrong" not in str(refusal.value)
    assert [found.key for found in store.list()] == ["a"]


def test_missing_bucket_is_unavailable_and_never_not_found(store: S3Store) -> None:
    nowhere = replace(store, bucket="no-such-bucket")
    for use in (
        lambda: nowhere.read("a"),
        lambda: nowhere.stat("a"),
        lambda: nowhere.create("a", b"1"),
        lambda: nowhere.create_from_file("a", __file__),
        lambda: list(nowhere.list()),
    ):
        with pytest.raises(UnavailableError, match=r"There is no bucket 'no-such-bucket'.*Create it"):
            use()


def test_service_that_does_not_answer_is_named_with_its_setting(store: S3Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    away = replace(store, service=replace(store.service, endpoint_url=f"http://127.0.0.1:{port}"))
    with pytest.raises(UnavailableError, match=f"http://127.0.0.1:{port} did not answer.*HUB_S3_ENDPOINT_URL"):
        away.read("a")


def read_into(answers: "object", store: S3Store) -> None:
    answers.put(store.read("a"))  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_store_used_before_a_fork_works_on_both_sides(store: S3Store) -> None:
    store.create("a", b"1")
    context = get_context("fork")
    answers = context.Queue()
    child = context.Process(target=read_into, args=(answers, store))
    child.start()
    assert store.read("a") == b"1"
    assert answers.get(timeout=60) == b"1"
    child.join()


def test_threads_of_a_process_share_one_client(store: S3Store) -> None:
    service = replace(store.service, region="eu-west-1")
    with ThreadPoolExecutor(8) as threads:
        clients = list(threads.map(lambda _: service.client(), range(8)))
    assert len({id(client) for client in clients}) == 1
