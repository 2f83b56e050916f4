"""Files of downloads that are kept: the same bytes as those that are made while they are sent, and for whom they are there."""

import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import pytest
from sqlalchemy import text

from deep_images_hub.datasets.keeping import KeptFiles
from deep_images_hub.forgetting import delete_account
from deep_images_hub.measuring.served_portal import served_portal
from tests.integration.portal.keeping import BY_SYSTEM, KeepingHub, fetched
from webapp.exports import FORMATS


@pytest.fixture(scope="module")
def kept_hub(hub_of) -> Iterator[KeepingHub]:
    with hub_of() as hub:
        yield KeepingHub(hub).ready()


@pytest.mark.parametrize("given", [{}, BY_SYSTEM], ids=["block by block", "by the system"])
@pytest.mark.parametrize("format_name", FORMATS)
def test_kept_file_is_what_was_streamed_whole_in_part_and_by_its_headers(kept_hub, format_name: str, given: dict) -> None:
    client = kept_hub.client()
    streamed = {name: fetched(client, kept_hub.address(format_name, name)) for name in kept_hub.names(client, format_name)}
    assert streamed
    with kept_hub.without_pictures():
        for name, first in streamed.items():
            ask = partial(fetched, client, kept_hub.address(format_name, name), environ_base=given)
            again = ask()
            assert (again.status_code, again.data) == (200, first.data)
            for header in ("ETag", "Content-Length", "Content-Type", "Content-Disposition", "Cache-Control"):
                assert again.headers[header] == first.headers[header], header
            assert again.headers["Accept-Ranges"] == "bytes"
            assert again.headers["Repr-Digest"].startswith("sha-256=:")
            rest = ask(headers={"Range": "bytes=100-", "If-Range": first.headers["ETag"]})
            assert (rest.status_code, rest.data) == (206, first.data[100:])
            # What a server sends no more of than the length that is said.
            part = ask(headers={"Range": "bytes=7-19"})
            assert (part.status_code, part.headers["Content-Length"], part.data[:13]) == (206, "13", first.data[7:20])
            other = ask(headers={"Range": "bytes=100-", "If-Range": '"another"'})
            assert (other.status_code, other.data) == (200, first.data)
            head = client.head(kept_hub.address(format_name, name), environ_base=given)
            assert (head.data, head.headers["Content-Length"]) == (b"", str(len(first.data)))


def test_kept_file_is_sent_by_the_server_that_is_used(kept_hub, tmp_path) -> None:
    client, address = kept_hub.client(), kept_hub.address("webdataset", "food-train-000000.tar")
    whole = client.get(address).data
    with served_portal(kept_hub.hub.settings, tmp_path / "times.log") as portal, kept_hub.without_pictures():
        (person, *_) = portal.sign_in(kept_hub.hub.engine)
        with closing(http.client.HTTPConnection("127.0.0.1", portal.port, timeout=60)) as connection:
            for asked, expected in (
                (None, whole),
                ("bytes=5-", whole[5:]),
                ("bytes=10-1009", whole[10:1010]),
                ("bytes=-9", whole[-9:]),
                (None, whole),
            ):
                connection.request("GET", address, headers={**person.cookie, **({"Range": asked} if asked else {})})
                answer = connection.getresponse()
                assert answer.read() == expected, asked


def test_file_is_kept_in_a_bucket_too(hub_with, swift) -> None:
    hub = hub_with(**swift.settings(f"s3://{swift.new_bucket()}/hub"))
    client, address = hub.client(), hub.address("webdataset", "food-train-000000.tar")
    first = fetched(client, address)
    assert hub.rows() == hub.objects() != []
    with hub.without_pictures():
        for headers, expected in (({}, first.data), ({"Range": "bytes=100-"}, first.data[100:])):
            again = fetched(client, address, environ_base=BY_SYSTEM, headers=headers)
            assert (again.data, again.headers["ETag"]) == (expected, first.headers["ETag"])
    hub.take_down(hub.images["/m/apple"][0])
    assert hub.objects() == []


def test_file_that_broke_off_or_of_which_a_part_was_sent_is_not_kept(hub_with) -> None:
    hub = hub_with()
    client, address = hub.client(), hub.address("webdataset", "food-train-000000.tar")
    fetched(client, address, headers={"Range": "bytes=10-"})
    client.head(address)
    with client.get(address, buffered=False) as answer:
        next(answer.iter_encoded())
        # It was being made.
        assert len(hub.rows(where="kept_at is null")) == 1
    assert (hub.rows(where="true"), hub.objects()) == ([], [])

    fetched(client, address)

    assert hub.rows() == hub.objects()
    assert len(hub.objects()) == 1


def test_two_who_ask_at_once_get_the_same_and_one_file_is_kept(hub_with) -> None:
    hub = hub_with()
    address = hub.address("webdataset", "food-train-000000.tar")
    clients = [hub.client() for _ in range(4)]
    with ThreadPoolExecutor(len(clients)) as threads:
        bodies = set(threads.map(lambda client: fetched(client, address).data, clients))
    assert len(bodies) == 1
    assert len(hub.rows()) == len(hub.objects()) == len(hub.rows(where="true")) == 1
    assert hub.hub.store.read(hub.objects()[0]) in bodies


def test_kept_file_that_is_gone_or_cut_short_is_made_anew(hub_with) -> None:
    hub = hub_with()
    client, address = hub.client(), hub.address("webdataset", "food-train-000000.tar")
    whole = client.get(address).data
    for spoil in (hub.hub.store.delete, lambda key: hub.hub.store.replace(key, whole[:-1])):
        (before,) = hub.objects()
        spoil(before)
        assert client.get(address, environ_base=BY_SYSTEM).data == whole
        (after,) = hub.objects()
        assert after != before
        assert hub.rows(where="true") == [after]


def test_room_goes_to_what_was_asked_for_last(hub_with) -> None:
    hub = hub_with()
    client = hub.client()
    often, seldom = (hub.address("webdataset", f"food-{split}-000000.tar") for split in ("train", "test"))
    often_bytes = len(fetched(client, often).data)
    fetched(client, seldom)
    kept_often, kept_seldom = hub.rows()
    with hub.hub.engine.begin() as connection:
        connection.execute(text("update kept_files set used_at = now() - interval '1 hour'"))
    # Without this it would be the one to give way.
    fetched(client, often)
    other = hub.address("tfrecord", hub.names(client, "tfrecord")[0])
    room_bytes = often_bytes + int(client.head(other).headers["Content-Length"])
    hub.app.extensions["services"].kept = KeptFiles(hub.hub.engine, hub.hub.store, room_bytes)

    fetched(client, other)

    assert kept_often in hub.objects()
    assert kept_seldom not in hub.objects()
    assert sum(found.size_bytes for found in hub.hub.store.list("exports/")) == room_bytes
    assert sorted(hub.rows(where="true")) == hub.objects()


def test_file_that_is_larger_than_the_room_is_not_kept_and_others_stay(hub_with) -> None:
    hub = hub_with(kept_downloads_gb=30e-6)
    client = hub.client()
    assert len(fetched(client, hub.address("csv", "pictures.csv")).data) < 30_000
    before = hub.objects()
    assert len(client.get(hub.address("webdataset", "food-train-000000.tar")).data) > 30_000
    assert hub.objects() == before != []


def test_nothing_is_kept_where_no_room_is_given_and_what_was_goes(hub_with) -> None:
    hub = hub_with()
    client, address = hub.client(), hub.address("webdataset", "food-train-000000.tar")
    whole = client.get(address).data
    assert hub.objects()
    none = KeptFiles(hub.hub.engine, hub.hub.store, 0)
    hub.app.extensions["services"].kept = none
    for _ in range(2):
        assert client.get(address).data == whole
    none.shrink()
    assert (hub.rows(where="true"), hub.objects()) == ([], [])


def test_kept_file_is_for_those_alone_who_may_download(kept_hub) -> None:
    address = kept_hub.address("webdataset", "food-train-000000.tar")
    whole = kept_hub.client().get(address).data
    key = next(key for key in kept_hub.rows() if kept_hub.hub.store.read(key) == whole)
    assert kept_hub.app.test_client().get(address).status_code in (302, 403)
    assert kept_hub.client("supplier").get(address).status_code == 403
    for path in (f"/{key}", f"/static/{key}", f"/images/{key}"):
        assert kept_hub.client("operator").get(path).status_code == 404


def test_takedown_leaves_no_kept_file_with_the_picture_and_the_patch_is_kept_anew(hub_with) -> None:
    hub = hub_with()
    client, sha256 = hub.client(), hub.images["/m/apple"][0]
    for name in FORMATS:
        for file in hub.names(client, name):
            fetched(client, hub.address(name, file))
    before = hub.objects()
    assert any(sha256.encode() in hub.hub.store.read(key) for key in before)

    hub.take_down(sha256)

    assert (hub.objects(), hub.rows(where="true")) == ([], [])
    for name in FORMATS:
        for file in hub.names(client, name):
            said = fetched(client, hub.address(name, file))
            again = fetched(client, hub.address(name, file))
            assert again.data == said.data
    after = hub.objects()
    assert after
    # What names it is the list of what is to be deleted from copies alone.
    assert not any(f"{sha256}.jpg".encode() in hub.hub.store.read(key) for key in after)


def test_download_that_goes_on_over_a_takedown_is_not_kept(hub_with) -> None:
    hub = hub_with()
    client, address = hub.client(), hub.address("imagefolder", hub.names(hub.client(), "imagefolder")[0])
    with client.get(address, buffered=False) as answer:
        blocks = answer.iter_encoded()
        next(blocks)
        hub.take_down(hub.images["/m/apple"][0])
        for _ in blocks:
            pass
    assert (hub.objects(), hub.rows(where="true")) == ([], [])


def test_file_that_somebody_began_and_was_killed_is_made_by_the_next_and_leaves_nothing(hub_with) -> None:
    hub = hub_with()
    client, address = hub.client(), hub.address("webdataset", "food-train-000000.tar")
    left = "exports/ab/abc/left"
    hub.hub.store.create(left, b"by somebody who was killed before it was given out")
    fetched(client, address)
    with hub.hub.engine.begin() as connection:
        connection.execute(
            text(
                "insert into kept_files (etag, version_id, object_key, size_bytes, begun_at)"
                " select etag || :more, version_id, :key, 9, now() - interval '25 hours' from kept_files"
            ),
            {"more": "x", "key": left},
        )
    hub.kept.shrink()
    assert hub.objects() == hub.rows(where="true")
    assert left not in hub.objects()


def test_account_that_takes_its_name_back_leaves_no_kept_file_that_names_it(hub_with) -> None:
    hub = hub_with()
    client = hub.client()
    address = hub.address("csv", "pictures.csv")
    fetched(client, address)
    assert hub.objects()
    services = hub.app.extensions["services"]
    user_id = hub.users["supplier"].id
    with hub.hub.engine.begin() as connection:
        connection.execute(text("update batches set attribution = 'Ada' where supplier_id = :id"), {"id": user_id})

    delete_account(hub.hub.engine, hub.hub.store, services.receiver, user_id=user_id, decided_by=None, keeps_credit=False)

    assert (hub.objects(), hub.rows(where="true")) == ([], [])
    assert "Ada" not in client.get(address).text
