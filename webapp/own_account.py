"""Everybody's own account: name, address, password, sessions, what became of it so far, and its end."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.account_changes import changes_of_account
from deep_images_hub.catalogue.account_mails import ask_mail
from deep_images_hub.catalogue.api_tokens import live_tokens, revoke_tokens
from deep_images_hub.catalogue.users import (
    MAX_NAME_LENGTH,
    change_name,
    change_password,
    clean_email,
    end_sessions,
)
from deep_images_hub.errors import HubError, InvalidInputError
from deep_images_hub.forgetting import delete_account
from deep_images_hub.passwords import MIN_PASSWORD_LENGTH, is_password
from webapp.access import end_session, signed_in, signed_in_user, start_session
from webapp.error_pages import status_of
from webapp.guessing import count_guess, forgive_guess, may_mail
from webapp.paging import cursor
from webapp.security import ACCOUNT_LIMIT, ASKING_LIMIT, limiter
from webapp.services import hub, services

blueprint = Blueprint("account", __name__, url_prefix="/account")

CHANGES_PAGE = 20


@blueprint.get("")
@signed_in
def index() -> ResponseReturnValue:
    """Show the account of whoever asks."""
    return _page()


@blueprint.post("/name")
@limiter.limit(ACCOUNT_LIMIT)
@signed_in
def rename() -> ResponseReturnValue:
    """Change the name that others see."""
    user = signed_in_user()
    name = request.form.get("display_name", "")[: MAX_NAME_LENGTH + 1]
    try:
        with hub().engine.begin() as connection:
            change_name(connection, user, name, changed_by=user.id)
    except InvalidInputError as error:
        return _page("name", error, display_name=name)
    flash("Your name is changed, wherever it is shown.")
    return redirect(url_for("account.index"))


@blueprint.post("/password")
@limiter.limit(ACCOUNT_LIMIT)
@signed_in
def change_own_password() -> ResponseReturnValue:
    """Change the password, by the present one. Every other session ends; API tokens where that is asked for."""
    user = signed_in_user()
    try:
        _check_present_password()
        with hub().engine.begin() as connection:
            changed = change_password(connection, user, request.form.get("password", ""), changed_by=user.id)
            revoked = revoke_tokens(connection, user_id=user.id) if "revoke_tokens" in request.form else 0
            ask_mail(connection, purpose="password_changed", email=user.email)
    except HubError as error:
        return _page("password", error)
    services().posting.nudge()
    start_session(changed)
    flash(f"Your password is changed. Every other session has ended{', and your API tokens are revoked' if revoked else ''}.")
    return redirect(url_for("account.index"))


@blueprint.post("/email")
@limiter.limit(ASKING_LIMIT)
@signed_in
def ask_for_new_address() -> ResponseReturnValue:
    """Send a link to another address, by the present password; the account keeps its own until the link is used."""
    user = signed_in_user()
    given = request.form.get("email", "")[: MAX_NAME_LENGTH + 1]
    try:
        email = clean_email(given)
        if email == user.email:
            raise InvalidInputError(f"{email} is the address of your account already.")
        _check_present_password()
    except HubError as error:
        return _page("email", error, new_email=given)
    if may_mail(email, "new_address"):
        with hub().engine.begin() as connection:
            ask_mail(connection, purpose="new_address", email=email, user_id=user.id)
        services().posting.nudge()
    # The same whether or not the address has an account.
    flash(f"A link is on its way to {email}. Until it is used, {user.email} remains your address.")
    return redirect(url_for("account.index"))


@blueprint.post("/sign-out-everywhere")
@limiter.limit(ACCOUNT_LIMIT)
@signed_in
def sign_out_everywhere() -> ResponseReturnValue:
    """End every session of the account, this one too."""
    user = signed_in_user()
    with hub().engine.begin() as connection:
        end_sessions(connection, user, changed_by=user.id)
    end_session()
    flash("Signed out on every device.")
    return redirect(url_for("accounts.sign_in"))


@blueprint.post("/delete")
@limiter.limit(ACCOUNT_LIMIT)
@signed_in
def delete() -> ResponseReturnValue:
    """Delete the account, by the present password."""
    user, portal = signed_in_user(), services()
    try:
        _check_present_password()
        delete_account(
            hub().engine,
            hub().store,
            portal.receiver,
            user_id=user.id,
            decided_by=user.id,
            keeps_credit="keeps_credit" in request.form,
        )
    except HubError as error:
        return _page("delete", error)
    portal.posting.nudge()
    end_session()
    flash("Your account is deleted. Goodbye.")
    return redirect(url_for("home.index"))


def _check_present_password() -> None:
    """Raise InvalidInputError unless the form has the password of whoever asks: a session left open must not be enough."""
    user = signed_in_user()
    count_guess(user.email)
    if not is_password(request.form.get("present_password", ""), user.password_hash):
        raise InvalidInputError("This is not your present password. Nothing was changed.")
    forgive_guess(user.email)


def _page(place: str = "", error: HubError | None = None, **given: str) -> ResponseReturnValue:
    """Show the account; with an error, where it happened and with what was given."""
    user = signed_in_user()
    before = cursor(request.args.get("before"))
    with hub().engine.connect() as connection:
        token_count = live_tokens(connection, user_id=user.id)
        changes = changes_of_account(connection, user_id=user.id, before_id=before, limit=CHANGES_PAGE + 1)
    shown = changes[:CHANGES_PAGE]
    more = url_for("account.index", before=shown[-1].id) if len(changes) > CHANGES_PAGE else None
    html = render_template(
        "account.html",
        problem_at=place,
        problem=str(error or ""),
        given=given,
        changes=shown,
        more=more,
        min_length=MIN_PASSWORD_LENGTH,
        token_count=token_count,
    )
    return html, status_of(error) if error else 200
