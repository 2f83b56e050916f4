"""E-mail over real SMTP, and as files."""

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from pydantic import SecretStr

from deep_images_hub.batches.report import BatchQuality, BatchResult, batch_message
from deep_images_hub.errors import InvalidInputError, SettingsError, UnavailableError
from deep_images_hub.mail import CutOffError, FolderPost, PutOffError, SmtpPost, open_post
from deep_images_hub.settings import load_settings
from tests.smtp_server import SmtpServer

RESULT = BatchResult(
    batch_key="b-1",
    label_name="Hell's\nKitchen 漢",
    supplier_email="ada@example.org",
    supplier_name="Ada\r\nBcc: all@example.org",
    submitted=1200,
    accepted=1190,
    rejected={"dark": 2, "blurry": 7},
    review={"label_agreement": 1},
    quality=BatchQuality(1199, 0.5, 0.61, 0.7),
)


def message_of(result: BatchResult = RESULT) -> EmailMessage:
    return batch_message(result, sender="The Hub <hub@example.net>", portal_url="https://hub.example.net/")


def post_of(server: SmtpServer, **given: object) -> SmtpPost:
    return SmtpPost(server.host, server.port, **given)  # type: ignore[arg-type]


def test_message_over_smtp_says_what_became_of_the_batch_in_words() -> None:
    with SmtpServer() as server:
        post_of(server).send(message_of(), name="batch-b-1")

    (taken,) = server.messages
    assert (taken["To"], taken["From"]) == ("ada@example.org", "The Hub <hub@example.net>")
    assert taken["Subject"] == "1,190 of 1,200 photographs accepted: Hell's Kitchen 漢"
    assert taken["Message-ID"] == "<batch.b-1@example.net>"
    assert taken["Bcc"] is None
    text = taken.get_content().replace("\r\n", "\n")
    for words in (
        "Dear Ada Bcc: all@example.org,",
        "    1,200  photographs sent\n",
        "    1,190  accepted\n        7  refused: blurred\n        2  refused: too dark\n",
        "1  waiting for a look: it may show something else",
        "0.61, the median",
        "https://hub.example.net/batches/b-1\n",
    ):
        assert words in text, words


def test_message_as_a_file_is_the_message(tmp_path: Path) -> None:
    post = open_post(load_settings({"home": tmp_path}))
    post.send(message_of(), name="batch-b-1")
    post.send(message_of(), name="batch-b-1")

    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == "batch-b-1.eml"
    assert b"ada@example.org" in file.read_bytes()
    assert (tmp_path / "mail").stat().st_mode & 0o077 == 0


def test_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file")
    with pytest.raises(UnavailableError, match="cannot be written"):
        FolderPost(tmp_path / "mail").send(message_of(), name="x")


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ("550 no such user", InvalidInputError, "refused.*550 no such user"),
        ("451 later", PutOffError, "451 later"),
        ("421 closing", UnavailableError, "421 closing.*HUB_SMTP_URL"),
    ],
)
def test_recipient_that_is_refused_is_so_for_good_or_for_now(answer: str, error: type[Exception], message: str) -> None:
    with SmtpServer() as server:
        server.refusals["ada@example.org"] = answer
        with pytest.raises(error, match=message) as caught:
            post_of(server).send(message_of(), name="x")
    assert not isinstance(caught.value, CutOffError)
    assert server.messages == []


def test_server_lost_after_the_message_leaves_open_whether_it_was_taken() -> None:
    with SmtpServer() as server:
        server.is_lost_in_data = True
        with pytest.raises(CutOffError, match="was lost while it took a message"):
            post_of(server).send(message_of(), name="x")


def test_server_that_takes_the_message_and_leaves_badly_has_taken_it() -> None:
    with SmtpServer() as server:
        server.says_goodbye_badly = True
        post_of(server).send(message_of(), name="x")
    assert len(server.messages) == 1


def test_server_that_is_away_is_unavailable() -> None:
    with SmtpServer() as server:
        post = post_of(server)
    with pytest.raises(UnavailableError, match=r"cannot be used.*HUB_SMTP_URL"):
        post.send(message_of(), name="x")


def test_password_never_goes_in_the_clear_to_another_machine() -> None:
    # Not one of the names of this machine, so that it counts as another.
    with SmtpServer("127.0.0.2") as server, pytest.raises(UnavailableError, match="offers no TLS") as caught:
        post_of(server, user="ada", password="hush").send(message_of(), name="x")
    assert "hush" not in str(caught.value)


def test_address_that_cannot_stand_in_a_message_is_refused() -> None:
    for address in ("a@b@c", "a b@c", "x@y\r\nBcc: z@example.org", "<>@x"):
        with pytest.raises(InvalidInputError, match="cannot stand in an e-mail"):
            batch_message(
                BatchResult(**{**RESULT.__dict__, "supplier_email": address}), sender="hub@example.net", portal_url=None
            )


def test_address_beyond_ascii_is_refused_by_a_server_that_knows_only_ascii() -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "hub@example.net", "ädä@example.org"
    message.set_content("x")
    with SmtpServer() as server, pytest.raises(InvalidInputError, match="cannot be sent as it is"):
        post_of(server).send(message, name="x")


@pytest.mark.parametrize(
    "url", ["http://host", "smtp://", "smtp://ada@host", "smtp://host/path", "smtp://host:port", "smtp://host?x=1", "host"]
)
def test_address_that_is_no_mail_servers_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(SettingsError, match="smtp_url") as caught:
        open_post(load_settings({"smtp_url": SecretStr(url)}))
    assert "ada" not in str(caught.value)


@pytest.mark.parametrize("sender", ["", "nobody", "a@b@c", "Hub <hub@host>\nBcc: x@y"])
def test_sender_that_is_none_is_refused(sender: str) -> None:
    with pytest.raises(SettingsError, match="mail_from is"):
        open_post(load_settings({"mail_from": sender}))


def test_address_of_a_mail_server_is_read_whole() -> None:
    url = SecretStr("smtps://ada%40x:p%2Fw@mail.example.org")
    expected = SmtpPost("mail.example.org", 465, is_tls=True, user="ada@x", password="p/w")

    assert open_post(load_settings({"smtp_url": url})) == expected
    assert open_post(load_settings({"smtp_url": SecretStr("smtp://host:2525")})) == SmtpPost("host", 2525)
