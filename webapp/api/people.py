"""For operators: everybody's accounts. What needs a password, people do in the portal."""

from collections.abc import Callable

from sqlalchemy import Connection

from deep_images_hub.catalogue.account_admin import find_users, grant_role, invite, set_account_active
from deep_images_hub.catalogue.account_changes import changes_by_others
from deep_images_hub.catalogue.users import User, user_of
from deep_images_hub.forgetting import delete_account
from deep_images_hub.wire import account as wire
from deep_images_hub.wire.base import PageAsked
from webapp.access import requires, signed_in_user
from webapp.api.cursors import following, place_of
from webapp.api.operations import api
from webapp.people import check_state, mail_link_to
from webapp.services import hub, services


@api.get("/operations/accounts", tag="Operations", query=wire.PeopleAsked, answer=wire.PersonPage)
@requires("operate")
def list_people(query: wire.PeopleAsked) -> wire.PersonPage:
    """List accounts: those whose address or name begins in some way, of a role, in a state. Newest first."""
    check_state(role=query.role, state=query.state)
    with hub().engine.connect() as connection:
        found = find_users(
            connection,
            beginning=query.beginning,
            role=query.role,
            state=query.state,
            before_id=place_of(query.cursor),
            limit=query.limit + 1,
        )
    shown = found[: query.limit]
    return wire.PersonPage(
        people=[wire.Person.model_validate(person) for person in shown],
        next=following(shown[-1].id) if len(found) > query.limit else None,
    )


@api.post("/operations/accounts", tag="Operations", body=wire.InviteAsked, answer=wire.Person, statuses=(201,))
@requires("operate")
def add_person(body: wire.InviteAsked) -> tuple[wire.Person, int]:
    """Make an account for somebody, and send them a link to choose a password with."""
    return _decided(lambda connection, operator_id: invite(connection, operator_id=operator_id, **body.model_dump())), 201


@api.get("/operations/account-changes", tag="Operations", query=PageAsked, answer=wire.AccountChangePage)
@requires("operate")
def list_account_changes(query: PageAsked) -> wire.AccountChangePage:
    """List what operators, and whoever sits at the command line, did to accounts of others, newest first."""
    with hub().engine.connect() as connection:
        found = changes_by_others(connection, before_id=place_of(query.cursor), limit=query.limit + 1)
    shown = found[: query.limit]
    return wire.AccountChangePage(
        changes=[wire.AccountChange.model_validate(change) for change in shown],
        next=following(shown[-1].id) if len(found) > query.limit else None,
    )


@api.get("/operations/accounts/<int:user_id>", tag="Operations", answer=wire.Person)
@requires("operate")
def read_person(user_id: int) -> wire.Person:
    """Give an account."""
    with hub().engine.connect() as connection:
        return wire.Person.model_validate(user_of(connection, user_id))


@api.post("/operations/accounts/<int:user_id>/role", tag="Operations", body=wire.RoleAsked, answer=wire.Person)
@requires("operate")
def grant_role_to_person(user_id: int, body: wire.RoleAsked) -> wire.Person:
    """Give an account of somebody else another role."""
    return _decided(
        lambda connection, operator_id: grant_role(connection, operator_id=operator_id, user_id=user_id, role=body.role)
    )


@api.post("/operations/accounts/<int:user_id>/close", tag="Operations", answer=wire.Person)
@requires("operate")
def close_account(user_id: int) -> wire.Person:
    """Close an account of somebody else: its sessions end, and its tokens are refused."""
    return _set_active(user_id, is_active=False)


@api.post("/operations/accounts/<int:user_id>/reopen", tag="Operations", answer=wire.Person)
@requires("operate")
def reopen_account(user_id: int) -> wire.Person:
    """Open a closed account again."""
    return _set_active(user_id, is_active=True)


@api.post("/operations/accounts/<int:user_id>/link", tag="Operations", answer=wire.Person)
@requires("operate")
def mail_link_to_person(user_id: int) -> wire.Person:
    """Send an account of somebody else a link for another password. Nobody but its owner sees it."""
    return _decided(lambda connection, operator_id: mail_link_to(connection, operator_id=operator_id, user_id=user_id))


@api.post("/operations/accounts/<int:user_id>/delete", tag="Operations", body=wire.DeleteAsked, answer=wire.Person)
@requires("operate")
def delete_account_of_person(user_id: int, body: wire.DeleteAsked) -> wire.Person:
    """Delete an account of somebody else for ever: the person is forgotten, and what they gave under a licence stays."""
    portal, operator_id = services(), signed_in_user().id
    delete_account(
        hub().engine, hub().store, portal.receiver, user_id=user_id, decided_by=operator_id, keeps_credit=body.keeps_credit
    )
    portal.posting.nudge()
    return read_person(user_id)


def _set_active(user_id: int, *, is_active: bool) -> wire.Person:
    return _decided(
        lambda connection, operator_id: set_account_active(
            connection, operator_id=operator_id, user_id=user_id, is_active=is_active
        )
    )


def _decided(decide: Callable[[Connection, int], User]) -> wire.Person:
    with hub().engine.begin() as connection:
        person = decide(connection, signed_in_user().id)
    services().posting.nudge()
    return wire.Person.model_validate(person)
