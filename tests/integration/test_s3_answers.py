"""How S3Store takes answers that a healthy service gives seldom: lost races, downloads that break, pages that are errors."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from pydantic import SecretStr

from deep_images_hub.errors import DeniedError, UnavailableError
from deep_images_hub.object_store.s3 import S3Store
from deep_images_hub.object_store.s3_service import S3Service

ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code} it is</Message></Error>"
Script = list[Callable[["Answer"], None]]


class Answer(BaseHTTPRequestHandler):
    """Plays the next answer of the script, and keeps the last one."""

    protocol_version = "HTTP/1.1"

    def play(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server: ScriptedService = self.server  # type: ignore[assignment]
        server.asked.append((self.command, self.headers.get("Range"), self.headers.get("If-None-Match")))
        script = server.script
        (script.pop(0) if len(script) > 1 else script[0])(self)

    do_GET = do_PUT = play  # noqa: N815 - http.server's names

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class ScriptedService(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.script: Script = []
        self.asked: list[tuple[str, str | None, str | None]] = []


@pytest.fixture
def service() -> Iterator[ScriptedService]:
    with ScriptedService() as service:
        thread = Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield service
        service.shutdown()
        thread.join()


@pytest.fixture
def store(service: ScriptedService) -> S3Store:
    address = f"http://127.0.0.1:{service.server_port}"
    return S3Store(S3Service(address, "us-east-1", SecretStr("key"), SecretStr("hush")), "bucket")


def error(status: int, code: str) -> Callable[[Answer], None]:
    return lambda answer: answer.send(status, ERROR.format(code=code).encode())


def ok(answer: Answer) -> None:
    answer.send(200, ETag='"1"')


def part_of_the_body(sent: bytes, announced: int, status: int = 200, etag: str = "1") -> Callable[[Answer], None]:
    """Announce more than is sent, and hang up."""

    def hang_up(answer: Answer) -> None:
        answer.send_response(status)
        answer.send_header("Content-Length", str(announced))
        answer.send_header("ETag", f'"{etag}"')
        answer.end_headers()
        answer.wfile.write(sent)
        answer.close_connection = True

    return hang_up


def test_create_that_meets_another_writer_is_sent_again(service: ScriptedService, store: S3Store) -> None:
    service.script = [error(409, "ConditionalRequestConflict"), error(409, "OperationAborted"), ok]
    assert store.create("a", b"1")
    assert service.asked == [("PUT", None, "*")] * 3


def test_create_that_meets_another_writer_and_then_its_object_is_taken(service: ScriptedService, store: S3Store) -> None:
    service.script = [error(409, "ConditionalRequestConflict"), error(412, "PreconditionFailed")]
    assert not store.create("a", b"1")


def test_create_that_never_gets_its_turn_is_unavailable(
    service: ScriptedService, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deep_images_hub.object_store.s3._FIRST_PAUSE_S", 0.001)
    service.script = [error(409, "ConditionalRequestConflict")]
    with pytest.raises(UnavailableError, match="somebody else was writing"):
        store.create("a", b"1")
    assert len(service.asked) == 6


def test_server_errors_are_tried_again(service: ScriptedService, store: S3Store) -> None:
    service.script = [error(503, "SlowDown"), ok]
    assert store.create("a", b"1")


def test_download_that_breaks_is_resumed_where_it_broke(service: ScriptedService, store: S3Store) -> None:
    service.script = [part_of_the_body(b"0123", 10), part_of_the_body(b"45", 6, 206), part_of_the_body(b"6789", 4, 206)]
    assert b"".join(store.read_blocks("a", block_bytes=2)) == b"0123456789"
    assert [asked[1] for asked in service.asked] == [None, "bytes=4-", "bytes=6-"]


def test_download_of_what_was_replaced_meanwhile_is_never_mixed(service: ScriptedService, store: S3Store) -> None:
    service.script = [part_of_the_body(b"0123", 10), error(412, "PreconditionFailed")]
    with pytest.raises(UnavailableError, match="PreconditionFailed"):
        store.read("a")


def test_download_that_always_breaks_is_unavailable(
    service: ScriptedService, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deep_images_hub.object_store.s3._FIRST_PAUSE_S", 0.001)
    service.script = [part_of_the_body(b"", 10)]
    with pytest.raises(UnavailableError, match=r"did not answer for 'a' in the bucket 'bucket'"):
        store.read("a")


BODY = b"0123456789" * 10
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
MD5_OF_ONE_PART = hashlib.md5(bytes.fromhex(MD5), usedforsecurity=False).hexdigest() + "-1"


def body_with(etag: str, body: bytes = BODY, **headers: str) -> Callable[[Answer], None]:
    return lambda answer: answer.send(200, body, ETag=f'"{etag}"', **headers)


@pytest.mark.parametrize("etag", [MD5, MD5_OF_ONE_PART])
@pytest.mark.parametrize("body", [BODY[:60], BODY + b"more", BODY[:50] + b"x" + BODY[51:], b""])
def test_body_other_than_what_was_stored_is_unavailable(service: ScriptedService, store: S3Store, etag: str, body: bytes) -> None:
    service.script = [body_with(etag, body)]
    with pytest.raises(UnavailableError, match=r"gives other bytes for 'a'.*HUB_S3_ETAG_IS_MD5"):
        store.read("a")


@pytest.mark.parametrize("etag", [MD5, MD5_OF_ONE_PART])
def test_body_that_was_stored_is_read(service: ScriptedService, store: S3Store, etag: str) -> None:
    service.script = [body_with(etag)]
    assert store.read("a") == BODY


def test_download_that_is_resumed_is_compared_as_a_whole(service: ScriptedService, store: S3Store) -> None:
    begin = part_of_the_body(BODY[:30], 100, etag=MD5)
    service.script = [begin, lambda answer: answer.send(206, BODY[30:], ETag=f'"{MD5}"')]
    assert store.read("a") == BODY
    service.script = [begin, lambda answer: answer.send(206, bytes(70), ETag=f'"{MD5}"')]
    with pytest.raises(UnavailableError, match="gives other bytes"):
        store.read("a")


def test_body_whose_checksum_is_another_is_unavailable(
    service: ScriptedService, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Checksums are Amazon's.
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{service.server_port}")
    amazon = replace(store, service=replace(store.service, endpoint_url=None))
    service.script = [body_with("opaque", x_amz_checksum_crc32="AAAAAA==")]
    with pytest.raises(UnavailableError, match=r"gives other bytes for 'a'.*their checksum"):
        amazon.read("a")


def test_etag_that_says_nothing_of_the_bytes_is_not_compared(service: ScriptedService, store: S3Store) -> None:
    other = "0" * 32
    service.script = [
        body_with(f"{other}-2"),
        body_with("opaque"),
        body_with(other, x_amz_server_side_encryption="aws:kms"),
        body_with(other, x_amz_server_side_encryption_customer_algorithm="AES256"),
    ]
    assert [store.read("a") for _ in range(4)] == [BODY] * 4
    service.script = [body_with(other)]
    assert replace(store, service=replace(store.service, etag_is_md5=False)).read("a") == BODY


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "SignatureDoesNotMatch", "HUB_S3_SECRET_ACCESS_KEY"),
        (403, "AccessDenied", "denies us 'a'"),
        (403, "RequestTimeTooSkewed", "Set the clock"),
        (400, "AuthorizationHeaderMalformed", "HUB_S3_REGION"),
        (404, "NoSuchBucket", "There is no bucket 'bucket'"),
        (400, "InvalidRequest", "InvalidRequest, InvalidRequest it is"),
    ],
)
def test_refusal_says_what_to_do(service: ScriptedService, store: S3Store, status: int, code: str, message: str) -> None:
    service.script = [error(status, code)]
    for use in (lambda: store.read("a"), lambda: store.create("a", b"1")):
        with pytest.raises(UnavailableError, match=message) as refusal:
            use()
        assert "hush" not in str(refusal.value)


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidObjectState"])
def test_object_may_be_denied_alone_when_it_is_read(service: ScriptedService, store: S3Store, code: str) -> None:
    service.script = [error(403, code)]
    with pytest.raises(DeniedError):
        store.read("a")
    with pytest.raises(UnavailableError) as refused:
        store.create("a", b"1")
    assert not isinstance(refused.value, DeniedError)


def test_answer_that_is_not_of_s3_is_unavailable(service: ScriptedService, store: S3Store) -> None:
    service.script = [lambda answer: answer.send(200, b"<html>Welcome to the hotel's network</html>")]
    for use in (lambda: list(store.list()), lambda: store.read("a"), lambda: store.create("a", b"1")):
        with pytest.raises(UnavailableError, match=r"not as an S3 service does.*HUB_S3_ENDPOINT_URL"):
            use()
