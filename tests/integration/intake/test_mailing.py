"""Suppliers are told of their batches once each, and no mail server stops intake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from deep_images_hub.catalogue.batch_mails import take_batch_mail
from spark_jobs.mailing import Mailing
from tests.integration.catalogue.test_concurrent_counts import run_together
from tests.integration.catalogue.test_redecisions import take_in
from tests.smtp_server import SmtpServer

if TYPE_CHECKING:
    from deep_images_hub.settings import Settings
    from deep_images_hub.wiring import Hub
    from tests.conftest import HubOf


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def taken_in(hub_of: HubOf) -> Iterator[Hub]:
    """A hub whose three batches are closed, and whose suppliers are told nothing yet."""
    with hub_of() as hub:
        take_in(hub)
        yield hub


def by_smtp(hub: Hub, server: SmtpServer) -> Settings:
    return hub.settings.model_copy(update={"smtp_url": SecretStr(server.url)})


def send(hub: Hub, settings: Settings) -> list[str]:
    with Mailing(hub.engine, settings) as mailing:
        mailing.nudge()
    return mailing.report()


def statuses(hub: Hub) -> dict[str, tuple[str, int]]:
    with hub.engine.connect() as connection:
        rows = connection.execute(text("select key, batch_mails.status, attempts from batch_mails join batches on id = batch_id"))
        return {row.key: (row.status, row.attempts) for row in rows}


def test_every_closed_batch_is_told_of_once(taken_in: Hub, server: SmtpServer) -> None:
    assert send(taken_in, by_smtp(taken_in, server)) == ["3 e-mails to suppliers sent."]
    assert send(taken_in, by_smtp(taken_in, server)) == []

    subjects = [message["Subject"] for message in server.messages]
    assert subjects == [
        "2 of 6 photographs accepted: Apple",
        "2 of 4 photographs accepted: Pear",
        "0 of 1 photographs accepted: Apple",
    ]
    assert "refused: the same picture was here before" in server.messages[2].get_content()


def test_laptop_without_a_mail_server_has_a_file_for_each_mail(taken_in: Hub) -> None:
    send(taken_in, taken_in.settings)

    files = sorted(file.name for file in (taken_in.settings.home / "mail").iterdir())
    assert files == ["batch-b1.eml", "batch-b2.eml", "batch-b3.eml"]


def test_server_that_is_away_is_told_of_and_the_mails_go_with_the_next_run(taken_in: Hub, server: SmtpServer) -> None:
    with SmtpServer() as away:
        settings = by_smtp(taken_in, away)
    (line,) = send(taken_in, settings)

    assert "3 e-mails to suppliers wait for the next run: The mail server at 127.0.0.1" in line
    assert send(taken_in, by_smtp(taken_in, server)) == ["3 e-mails to suppliers sent."]
    assert len(server.messages) == 3


def test_mail_that_is_refused_stands_in_nobodys_way(taken_in: Hub, server: SmtpServer) -> None:
    with taken_in.engine.begin() as connection:
        connection.execute(
            text(
                "with other as (insert into users (email, display_name, role) values ('gone@example.org', 'Gone', 'supplier')"
                " returning id) update batches set supplier_id = other.id from other where key = 'b1'"
            )
        )
    server.refusals["gone@example.org"] = "450 come back"
    send(taken_in, by_smtp(taken_in, server))
    send(taken_in, by_smtp(taken_in, server))
    assert [message["Subject"][-5:] for message in server.messages] == [" Pear", "Apple"]
    assert statuses(taken_in)["b1"][0] == "waiting"

    server.refusals["gone@example.org"] = "550 gone"
    assert "1 e-mails were refused for good" in send(taken_in, by_smtp(taken_in, server))[-1]
    assert statuses(taken_in)["b1"][0] == "refused"


def test_mail_that_may_have_arrived_is_never_sent_again(taken_in: Hub, server: SmtpServer) -> None:
    server.is_lost_in_data = True
    with Mailing(taken_in.engine, by_smtp(taken_in, server)):
        pass
    # And one whose sender died between taking it and saying so.
    with taken_in.engine.begin() as connection:
        assert take_batch_mail(connection) is not None
    server.is_lost_in_data = False
    send(taken_in, by_smtp(taken_in, server))

    told = [message["Message-ID"] for message in server.messages]
    assert len(told) == len(set(told)) == 2
    assert sorted(status for status, _ in statuses(taken_in).values()) == ["sending", "sending", "sent"]


def test_runs_at_once_tell_each_supplier_once(taken_in: Hub, server: SmtpServer) -> None:
    assert run_together(*[lambda: send(taken_in, by_smtp(taken_in, server))] * 4) == []

    assert len(server.messages) == 3


def test_work_that_fails_leaves_the_mails_for_the_next_run(taken_in: Hub, server: SmtpServer) -> None:
    with pytest.raises(KeyboardInterrupt), Mailing(taken_in.engine, by_smtp(taken_in, server)):
        raise KeyboardInterrupt

    assert server.messages == []
    assert {status for status, _ in statuses(taken_in).values()} == {"waiting"}
