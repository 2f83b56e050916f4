"""Downloads over HTTP: by session and by link, whole and from where one was broken off, of a version and of parts of it."""

import hashlib
import re
import tarfile
from base64 import b64encode
from io import BytesIO

import pytest

from webapp.exports import FORMATS

SHARD = "all-i-food-i-train-000000.tar"


@pytest.fixture
def shard(portal) -> str:
    return f"/datasets/{portal.version_id}/exports/webdataset/{SHARD}"


def test_version_page_leads_to_every_format_and_each_lists_its_files(signed_in, visitor, portal) -> None:
    client = signed_in("scientist")
    html = client.get(f"/datasets/{portal.version_id}").text
    assert f'href="/datasets/{portal.version_id}/exports/' not in visitor.get(f"/datasets/{portal.version_id}").text
    for name in FORMATS:
        path = f"/datasets/{portal.version_id}/exports/{name}"
        assert f'href="{path}"' in html
        page = client.get(path).text
        files = re.findall(rf'href="({path}/[^"]+)" download', page)
        assert files
        for file in files:
            answer = client.get(file)
            assert (answer.status_code, int(answer.headers["Content-Length"])) == (200, len(answer.data)), file
    assert client.get(f"/datasets/{portal.version_id}/exports/rar").status_code == 404


def test_part_is_listed_linked_and_sent(signed_in, portal) -> None:
    path = f"/datasets/{portal.version_id}/exports/csv"
    client = signed_in("scientist")
    page = client.get(f"{path}?split=test&label=%2Fm%2Fhk&first=2")
    assert f'href="{path}/pictures.csv?split=test&amp;label=/m/hk&amp;first=2"' in page.text
    rows = client.get(f"{path}/pictures.csv?split=test&label=/m/hk&first=2").text.splitlines()
    assert len(rows) == 3
    assert client.get(f"{path}?split=dev").status_code == 400
    assert client.get(f"{path}?split=validation").status_code == 404


def test_addresses_of_the_pictures_lead_to_them(visitor, signed_in, portal) -> None:
    rows = signed_in("scientist").get(f"/datasets/{portal.version_id}/exports/csv/urls.csv?label=/m/hk").text.splitlines()
    assert rows[0] == "sha256,split,label_code,class_index,url"
    assert len(rows) == 11
    sha256, _, code, _, url = rows[1].split(",")
    assert (code, sha256 in portal.images["/m/hk"]) == ("/m/hk", True)
    with visitor.get(url.removeprefix("http://localhost")) as picture:
        assert picture.mimetype == "image/jpeg"


def test_links_of_all_files_need_no_session_and_lead_to_them(visitor, signed_in, portal) -> None:
    page = signed_in("scientist").get(f"/datasets/{portal.version_id}/exports/webdataset?first=3").text
    address = re.search(r"http://localhost(/datasets/links/[^&<]+/files\.txt\?first=3)", page)[1]
    listed = visitor.get(address).text.split()
    assert [url.rpartition("/")[2].partition("?")[0] for url in listed] == [
        SHARD,
        SHARD.replace("train", "test"),
        "README.md",
        "labels.csv",
        "LICENSES.csv",
    ]
    answer = visitor.get(listed[0].removeprefix("http://localhost"))
    with tarfile.open(fileobj=BytesIO(answer.data)) as shard:
        assert len(shard.getnames()) == 9
    assert visitor.get(address.replace("/links/", "/links/x")).status_code == 403


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=1000-", 1000, None),
        ("bytes=5-9", 5, 10),
        ("bytes=-7", -7, None),
        ("bytes=0-", 0, None),
        ("bytes=-9999999", 0, None),
    ],
)
def test_range_is_sent_as_that(signed_in, shard, asked, start, stop) -> None:
    client = signed_in("scientist")
    whole = client.get(shard)
    part = client.get(shard, headers={"Range": asked, "If-Range": whole.headers["ETag"]})
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert part.data == whole.data[start:stop]
    assert int(part.headers["Content-Length"]) == len(part.data)
    if part.status_code == 206:
        first = start % len(whole.data)
        assert part.headers["Content-Range"] == f"bytes {first}-{first + len(part.data) - 1}/{len(whole.data)}"
    else:
        assert start == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=5-9", "If-Range": '"another"'},
        {"Range": "bytes=5-9", "If-Range": "W/the same"},
        {"Range": "bytes=5-9", "If-Range": "Wed, 21 Oct 2015 07:28:00 GMT"},
        {"Range": "bytes=0-1,5-9"},
        {"Range": "pictures=1-2"},
        {"Range": "bytes=x"},
    ],
)
def test_range_of_something_else_gives_the_whole(signed_in, shard, headers) -> None:
    client = signed_in("scientist")
    whole = client.get(shard)
    if headers.get("If-Range") == "W/the same":
        headers = headers | {"If-Range": "W/" + whole.headers["ETag"]}
    answer = client.get(shard, headers=headers)
    assert (answer.status_code, answer.data) == (200, whole.data)


def test_range_beyond_the_end_is_refused_with_the_length(signed_in, shard) -> None:
    client = signed_in("scientist")
    size_bytes = len(client.get(shard).data)
    answer = client.get(shard, headers={"Range": f"bytes={size_bytes}-"})
    assert (answer.status_code, answer.headers["Content-Range"], answer.data) == (416, f"bytes */{size_bytes}", b"")


def test_head_and_known_etag_send_nothing(signed_in, shard) -> None:
    client = signed_in("scientist")
    head = client.head(shard)
    assert head.data == b""
    assert int(head.headers["Content-Length"]) == len(client.get(shard).data)
    part = client.head(shard, headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.headers["Content-Length"]) == (200, head.headers["Content-Length"])
    again = client.get(shard, headers={"If-None-Match": head.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = client.head(shard.replace("train", "test"))
    assert other.headers["ETag"] != head.headers["ETag"]


def test_file_that_was_sent_to_the_end_is_known_with_its_sha256_from_then_on(signed_in, portal) -> None:
    client = signed_in("scientist")
    path = f"/datasets/{portal.version_id}/exports/webdataset"
    # A part that no other test asks for.
    shard = f"{path}/{SHARD}?first=4"

    def entry() -> dict:
        files = client.get(f"{path}/manifest.json?first=4").json["files"]
        return next(file for file in files if file["name"] == SHARD)

    client.get(shard, headers={"Range": "bytes=10-"})
    assert entry()["sha256"] is None
    first = client.get(shard)
    sha256 = hashlib.sha256(first.data).hexdigest()
    assert entry() == {"name": SHARD, "images": 4, "size_bytes": len(first.data), "sha256": sha256}
    again = client.get(shard)
    assert (again.data, again.headers["ETag"]) == (first.data, first.headers["ETag"])
    assert again.headers["Repr-Digest"] == f"sha-256=:{b64encode(bytes.fromhex(sha256)).decode()}:"


def test_zip_goes_on_where_it_was_broken_off(signed_in, portal) -> None:
    client = signed_in("scientist")
    whole = client.get(f"/datasets/{portal.version_id}/download")
    rest = client.get(f"/datasets/{portal.version_id}/download", headers={"Range": "bytes=3000-"})
    assert (rest.status_code, rest.data) == (206, whole.data[3000:])
