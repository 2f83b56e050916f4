"""scripts/account: the first operator, a changed role, a changed password."""

import io

import pytest

from deep_images_hub.catalogue.account_changes import changes_of_account
from deep_images_hub.catalogue.account_links import choose_password
from deep_images_hub.catalogue.users import User, user_by_email
from deep_images_hub.cli.account import main
from deep_images_hub.errors import NotFoundError
from deep_images_hub.passwords import is_password
from deep_images_hub.wiring import Hub

PASSWORD = "correct horse battery"


@pytest.fixture
def account(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    """Run the command on the hub, with a line on standard input."""
    assert hub.settings.database_url is not None
    monkeypatch.setenv("HUB_HOME", str(hub.settings.home))
    monkeypatch.setenv("HUB_DATABASE_URL", hub.settings.database_url.get_secret_value())

    def run(*arguments: str, password: str = "") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        return main(list(arguments))

    return run


def _user(hub: Hub, email: str) -> User | None:
    with hub.engine.connect() as connection:
        return user_by_email(connection, email)


def test_account_that_is_new_can_sign_in(hub: Hub, account) -> None:
    assert account("Olga@example.org", "--role", "operator", password=PASSWORD) == 0
    user = _user(hub, "olga@example.org")
    assert user is not None
    assert (user.role, user.display_name) == ("operator", "Olga")
    assert is_password(PASSWORD, user.password_hash)


def test_account_that_exists_changes_role_and_keeps_password(hub: Hub, account) -> None:
    account("olga@example.org", password=PASSWORD)
    assert account("olga@example.org", "--role", "premium", "--keep-password") == 0
    user = _user(hub, "olga@example.org")
    assert user is not None
    assert user.role == "premium"
    assert is_password(PASSWORD, user.password_hash)


def test_account_with_short_password_is_refused(hub: Hub, account, capsys: pytest.CaptureFixture[str]) -> None:
    assert account("olga@example.org", password="short") == 1
    assert "at least 15" in capsys.readouterr().err
    assert _user(hub, "olga@example.org") is None


def test_account_gets_a_link_that_works_once_instead_of_a_password(hub: Hub, account, capsys: pytest.CaptureFixture[str]) -> None:
    account("olga@example.org", password=PASSWORD)
    assert account("olga@example.org", "--link") == 0
    token = capsys.readouterr().out.rpartition("/links/")[2].strip()
    with hub.engine.begin() as connection:
        choose_password(connection, token, "wombat otter lemon")
    with hub.engine.begin() as connection, pytest.raises(NotFoundError):
        choose_password(connection, token, PASSWORD)
    user = _user(hub, "olga@example.org")
    assert user is not None
    assert is_password("wombat otter lemon", user.password_hash)


def test_account_is_closed_signed_out_and_opened_with_its_history(hub: Hub, account, capsys: pytest.CaptureFixture[str]) -> None:
    account("olga@example.org", password=PASSWORD)
    assert [account("olga@example.org", option) for option in ("--close", "--link", "--reopen", "--sign-out")] == [0, 1, 0, 0]
    assert "Say --reopen first" in capsys.readouterr().err
    assert account("nobody@example.org", "--close") == 1
    user = _user(hub, "olga@example.org")
    assert user is not None
    assert (user.is_active, user.session_series) == (True, 2)
    with hub.engine.connect() as connection:
        changes = changes_of_account(connection, user_id=user.id, limit=10)
    assert [(change.deed, change.changed_by) for change in changes] == [
        (deed, None) for deed in ("signed_out", "reopened", "closed", "made")
    ]


def test_account_is_deleted_once_its_address_is_typed_again(hub: Hub, account, capsys: pytest.CaptureFixture[str]) -> None:
    account("olga@example.org", password=PASSWORD)
    account("ada@example.org", "--role", "operator", password=PASSWORD)
    user = _user(hub, "olga@example.org")
    assert user is not None
    assert account("olga@example.org", "--delete", password="ada@example.org") == 1
    assert "Nothing was deleted" in capsys.readouterr().err
    assert account("ada@example.org", "--delete", password="ada@example.org") == 1
    assert "once it has another role" in capsys.readouterr().err
    assert account("olga@example.org", "--keep-credit", "--keep-password") == 1
    assert account("olga@example.org", "--delete", password="Olga@example.org") == 0
    assert _user(hub, "olga@example.org") is None
    with hub.engine.connect() as connection:
        (last, *_) = changes_of_account(connection, user_id=user.id, limit=10)
    assert (last.deed, last.changed_by) == ("deleted", None)
