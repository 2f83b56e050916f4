"""Make an account, change one, or delete one: `scripts/account EMAIL`.

How the first operator of a hub comes to be, and how somebody gets in again who forgot the password where no mail server is.
"""

import sys
from argparse import ArgumentParser, Namespace
from getpass import getpass

from sqlalchemy import Connection

from deep_images_hub.account_messages import link_address
from deep_images_hub.accounts import ROLES
from deep_images_hub.catalogue.account_mails import make_handed_link
from deep_images_hub.catalogue.users import (
    User,
    change_name,
    change_password,
    change_role,
    create_user,
    end_sessions,
    set_active,
    user_by_email,
)
from deep_images_hub.cli.boundary import run_command
from deep_images_hub.errors import InvalidInputError, NotFoundError
from deep_images_hub.forgetting import delete_account
from deep_images_hub.settings import Settings
from deep_images_hub.uploads.receiving import open_receiver
from deep_images_hub.wiring import Hub, open_hub


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and make, change or delete the account."""
    parser = ArgumentParser(
        prog="scripts/account",
        description="Make, change or delete an account. The password is asked for; without a terminal, standard input has it.",
    )
    parser.add_argument("email", metavar="EMAIL")
    parser.add_argument("--role", choices=ROLES, help="what the account may do (a new one: scientist)")
    parser.add_argument("--name", help="what others see (a new one: the address's part before the @)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--keep-password", action="store_true", help="change role and name alone")
    how.add_argument(
        "--link",
        action="store_true",
        help="ask for no password: print a link that its owner chooses one with, once, within a day",
    )
    how.add_argument("--close", action="store_true", help="close the account: its sessions end, and nobody signs in to it")
    how.add_argument("--reopen", action="store_true", help="open a closed account again")
    how.add_argument("--sign-out", action="store_true", help="end all its sessions")
    how.add_argument(
        "--delete",
        action="store_true",
        help="delete the account for ever, once its address is typed again; its pictures stay, under their licences",
    )
    parser.add_argument("--keep-credit", action="store_true", help="with --delete: licences go on to name the person")
    return run_command(_account, parser, sys.argv[1:] if arguments is None else arguments)


def _account(settings: Settings, given: Namespace) -> int:
    if given.keep_credit and not given.delete:
        raise InvalidInputError("--keep-credit says what becomes of credits with --delete, and means nothing without.")
    hub = open_hub(settings)
    try:
        if given.delete:
            print(_deleted(hub, given))
            return 0
        is_password_given = not (given.keep_password or given.link or given.close or given.reopen or given.sign_out)
        password = _ask_password() if is_password_given else None
        with hub.engine.begin() as connection:
            user = user_by_email(connection, given.email)
            told = _made(connection, given, password) if user is None else _changed(connection, user, given, password)
            link = make_handed_link(connection, email=given.email) if given.link else None
        print(told)
        if link is not None:
            print(f"Works once, within a day: {link_address(hub.settings.portal_address(), link)}")
        return 0
    finally:
        hub.engine.dispose()


def _made(connection: Connection, given: Namespace, password: str | None) -> str:
    if given.close or given.reopen or given.sign_out:
        raise NotFoundError(f"{given.email} has no account. Check the address.")
    if password is None and not given.link:
        raise InvalidInputError(f"{given.email} has no account, and a new one needs a password. Leave out --keep-password.")
    name = given.name or given.email.partition("@")[0]
    user = create_user(connection, email=given.email, display_name=name, role=given.role or "scientist", password=password)
    return f"Made {user.email}: {user.role}."


def _changed(connection: Connection, user: User, given: Namespace, password: str | None) -> str:
    if given.role is not None:
        change_role(connection, user, given.role, changed_by=None)
    if given.name is not None:
        change_name(connection, user, given.name, changed_by=None)
    if password is not None:
        change_password(connection, user, password, changed_by=None)
    if given.close or given.reopen:
        set_active(connection, user, given.reopen, changed_by=None)
    if given.link and not user.is_active:
        raise InvalidInputError(f"{user.email} is closed, and a link to it would not work. Say --reopen first.")
    if given.sign_out:
        end_sessions(connection, user, changed_by=None)
    state = "closed" if given.close or not (user.is_active or given.reopen) else "open"
    return f"Changed {user.email}: {given.role or user.role}, {state}."


def _deleted(hub: Hub, given: Namespace) -> str:
    if given.role is not None or given.name is not None:
        raise InvalidInputError("--delete takes neither --role nor --name: nobody has the account afterwards.")
    with hub.engine.connect() as connection:
        user = user_by_email(connection, given.email)
    if user is None:
        raise NotFoundError(f"{given.email} has no account. Check the address.")
    if _ask(f"Nobody gets {user.email} back. Type the address again to delete it: ").strip().lower() != user.email.lower():
        raise InvalidInputError("That is not its address. Nothing was deleted.")
    receiver = open_receiver(hub.engine, hub.store, hub.settings)
    delete_account(hub.engine, hub.store, receiver, user_id=user.id, decided_by=None, keeps_credit=given.keep_credit)
    return f"Deleted {user.email}."


def _ask(question: str) -> str:
    """Return a line from the terminal, or the first of standard input."""
    return input(question) if sys.stdin.isatty() else sys.stdin.readline()


def _ask_password() -> str:
    """Return a password from the terminal, typed twice, or the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass("Password: ")
    if getpass("Once more: ") != password:
        raise InvalidInputError("The two passwords differ. Nothing was changed; try again.")
    return password


if __name__ == "__main__":
    sys.exit(main())
