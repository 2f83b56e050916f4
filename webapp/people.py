"""For operators: everybody's accounts. Found, granted roles, closed, opened again, invited; and what operators decided so far."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from deep_images_hub.accounts import ROLES
from deep_images_hub.catalogue.account_admin import (
    STATES,
    find_users,
    grant_role,
    invite,
    send_link,
    set_account_active,
)
from deep_images_hub.catalogue.account_changes import changes_by_others, changes_of_account
from deep_images_hub.catalogue.users import MAX_NAME_LENGTH, User, user_of
from deep_images_hub.errors import ConflictError, InvalidInputError
from deep_images_hub.forgetting import delete_account
from webapp.access import requires, signed_in_user
from webapp.error_pages import status_of
from webapp.guessing import may_mail
from webapp.paging import cursor
from webapp.security import ACCOUNT_LIMIT, limiter
from webapp.services import hub, services

blueprint = Blueprint("people", __name__, url_prefix="/operations/accounts")

PEOPLE_PAGE = 50
CHANGES_PAGE = 40
STATE_WORDS = {"open": "Open", "closed": "Closed", "deleted": "Deleted", "never": "Without a password yet"}


@blueprint.get("")
@requires("operate")
def index() -> ResponseReturnValue:
    """List accounts: those whose address or name begins in some way, of a role, in a state."""
    return _list()


@blueprint.post("")
@limiter.limit(ACCOUNT_LIMIT)
@requires("operate")
def add() -> ResponseReturnValue:
    """Make an account for somebody, and send them a link."""
    given = {name: request.form.get(name, "")[: MAX_NAME_LENGTH + 1] for name in ("email", "display_name", "role")}
    try:
        with hub().engine.begin() as connection:
            user = invite(connection, operator_id=signed_in_user().id, **given)
    except (InvalidInputError, ConflictError) as error:
        return _list(str(error), given), status_of(error)
    services().posting.nudge()
    flash(f"Made the account of {user.display_name}. A link is on its way to {user.email}.")
    return redirect(url_for("people.page", user_id=user.id))


@blueprint.get("/changes")
@requires("operate")
def changes() -> ResponseReturnValue:
    """Show what operators, and whoever sits at the command line, did to accounts of others."""
    with hub().engine.connect() as connection:
        found = changes_by_others(connection, before_id=cursor(request.args.get("before")), limit=CHANGES_PAGE + 1)
    shown = found[:CHANGES_PAGE]
    more = url_for("people.changes", before=shown[-1].id) if len(found) > CHANGES_PAGE else None
    return render_template("people_changes.html", changes=shown, more=more)


@blueprint.get("/<int:user_id>")
@requires("operate")
def page(user_id: int) -> ResponseReturnValue:
    """Show an account, what may be done with it, and what became of it."""
    before = cursor(request.args.get("before"))
    with hub().engine.connect() as connection:
        person = user_of(connection, user_id)
        found = changes_of_account(connection, user_id=user_id, before_id=before, limit=CHANGES_PAGE + 1)
    shown = found[:CHANGES_PAGE]
    more = url_for("people.page", user_id=user_id, before=shown[-1].id) if len(found) > CHANGES_PAGE else None
    return render_template("person.html", person=person, roles=ROLES, changes=shown, more=more)


@blueprint.post("/<int:user_id>/role")
@limiter.limit(ACCOUNT_LIMIT)
@requires("operate")
def grant(user_id: int) -> ResponseReturnValue:
    """Give an account another role."""
    role = request.form.get("role", "")
    return _decided(
        user_id,
        lambda connection, operator_id: grant_role(connection, operator_id=operator_id, user_id=user_id, role=role),
        lambda person: f"{person.display_name} is {person.role} from now on.",
    )


@blueprint.post("/<int:user_id>/close")
@limiter.limit(ACCOUNT_LIMIT)
@requires("operate")
def close(user_id: int) -> ResponseReturnValue:
    """Close an account: its sessions end, and nobody signs in to it."""
    return _decided(
        user_id,
        lambda connection, operator_id: set_account_active(connection, operator_id=operator_id, user_id=user_id, is_active=False),
        lambda person: f"The account of {person.display_name} is closed.",
    )


@blueprint.post("/<int:user_id>/reopen")
@limiter.limit(ACCOUNT_LIMIT)
@requires("operate")
def reopen(user_id: int) -> ResponseReturnValue:
    """Open a closed account again."""
    return _decided(
        user_id,
        lambda connection, operator_id: set_account_active(connection, operator_id=operator_id, user_id=user_id, is_active=True),
        lambda person: f"The account of {person.display_name} is open again.",
    )


@blueprint.post("/<int:user_id>/delete")
@limiter.limit(ACCOUNT_LIMIT)
@requires("operate")
def delete(user_id: int) -> ResponseReturnValue:
    """Delete an account for ever."""
    delete_account(
        hub().engine,
        hub().store,
        services().receiver,
        user_id=user_id,
        decided_by=signed_in_user().id,
        keeps_credit="keeps_credit" in request.form,
    )
    services().posting.nudge()
    flash("The account is deleted.")
    return redirect(url_for("people.page", user_id=user_id))


@blueprint.post("/<int:user_id>/link")
@limiter.limit(ACCOUNT_LIMIT)
@requires("operate")
def mail_link(user_id: int) -> ResponseReturnValue:
    """Send an account a link for another password."""
    return _decided(
        user_id,
        lambda connection, operator_id: mail_link_to(connection, operator_id=operator_id, user_id=user_id),
        lambda person: f"A link is on its way to {person.email}.",
    )


def mail_link_to(connection: Connection, *, operator_id: int, user_id: int) -> User:
    """Send an account of somebody else a link for another password. Raises as `send_link`; ConflictError: too often."""
    person = user_of(connection, user_id)
    if not may_mail(person.email, "invitation"):
        raise ConflictError(f"{person.email} got three links from operators within an hour. Wait before you send another one.")
    return send_link(connection, operator_id=operator_id, user_id=user_id)


def check_state(*, role: str | None, state: str | None) -> None:
    """Raise InvalidInputError unless accounts have such a role and state; None: any."""
    for name, value, known in (("role", role, ROLES), ("state", state, STATES)):
        if value is not None and value not in known:
            raise InvalidInputError(f"{value[:40]!r} is no {name} of an account. Expected one of: {', '.join(known)}.")


def _decided(user_id: int, decide: Callable[[Connection, int], User], words: Callable[[User], str]) -> ResponseReturnValue:
    with hub().engine.begin() as connection:
        person = decide(connection, signed_in_user().id)
    services().posting.nudge()
    flash(words(person))
    return redirect(url_for("people.page", user_id=user_id))


def _list(problem: str = "", given: dict[str, str] | None = None) -> str:
    """Show the list, with what was wrong with an account that was to be made."""
    beginning = request.args.get("q", "").strip()[:MAX_NAME_LENGTH]
    role, state = (request.args.get(name) or None for name in ("role", "state"))
    check_state(role=role, state=state)
    before = cursor(request.args.get("before"))
    with hub().engine.connect() as connection:
        found = find_users(connection, beginning=beginning, role=role, state=state, before_id=before, limit=PEOPLE_PAGE + 1)
    shown = found[:PEOPLE_PAGE]
    asked: dict[str, Any] = {"q": beginning or None, "role": role, "state": state}
    return render_template(
        "people.html",
        people=shown,
        asked=asked,
        roles=ROLES,
        states=STATE_WORDS,
        more=url_for("people.index", **asked, before=shown[-1].id) if len(found) > PEOPLE_PAGE else None,
        problem=problem,
        given=given or {},
    )
