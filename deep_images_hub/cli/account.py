"""Make an account, or change one: `scripts/account EMAIL`. How the first operator of a hub comes to be."""

import sys
from argparse import ArgumentParser, Namespace
from getpass import getpass

from deep_images_hub.accounts import ROLES
from deep_images_hub.catalogue.users import change_user, create_user, user_by_email
from deep_images_hub.cli.boundary import run_command
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.settings import Settings
from deep_images_hub.wiring import open_hub


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and make or change the account."""
    parser = ArgumentParser(
        prog="scripts/account",
        description="Make an account, or change one. The password is asked for; without a terminal, standard input has it.",
    )
    parser.add_argument("email", metavar="EMAIL")
    parser.add_argument("--role", choices=ROLES, help="what the account may do (a new one: scientist)")
    parser.add_argument("--name", help="what others see (a new one: the address's part before the @)")
    parser.add_argument("--keep-password", action="store_true", help="change the role alone")
    return run_command(_account, parser, sys.argv[1:] if arguments is None else arguments)


def _account(settings: Settings, given: Namespace) -> int:
    hub = open_hub(settings)
    try:
        password = None if given.keep_password else _ask_password()
        with hub.engine.begin() as connection:
            user = user_by_email(connection, given.email)
            if user is not None:
                change_user(connection, user.id, role=given.role, password=password)
                print(f"Changed {user.email}: {given.role or user.role}.")
                return 0
            if password is None:
                raise InvalidInputError(
                    f"{given.email} has no account, and a new one needs a password. Leave out --keep-password."
                )
            name = given.name or given.email.partition("@")[0]
            user = create_user(
                connection, email=given.email, display_name=name, role=given.role or "scientist", password=password
            )
            print(f"Made {user.email}: {user.role}.")
            return 0
    finally:
        hub.engine.dispose()


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
