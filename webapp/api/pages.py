"""Pages about the API: what it can do, and the tokens of one's account."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from deep_images_hub.api_tokens import LIFETIMES_DAYS, MAX_NAME_LENGTH, SCOPES, scopes_of_role
from deep_images_hub.catalogue.account_changes import password_changed_at
from deep_images_hub.catalogue.api_tokens import create_token, revoke_token, revoke_tokens, tokens_of
from deep_images_hub.errors import ConflictError, InvalidInputError
from webapp.access import public, signed_in, signed_in_user
from webapp.api.document import example
from webapp.api.operations import api
from webapp.api.problems import CODES
from webapp.paging import cursor
from webapp.security import TOKEN_LIMIT, limiter
from webapp.services import hub

blueprint = Blueprint("api_pages", __name__)

_DEFAULT_LIFETIME_DAYS = 90


@blueprint.get("/api")
@public
def page() -> ResponseReturnValue:
    """Show what programs can do, and how."""
    return render_template("api.html", groups=api.by_tag(), codes=CODES, scopes=SCOPES, fields=example, prose=_prose)


@blueprint.get("/account/tokens")
@signed_in
def tokens() -> ResponseReturnValue:
    """List the tokens of whoever asks, with the form for another."""
    return _tokens_page()


@blueprint.post("/account/tokens")
@limiter.limit(TOKEN_LIMIT)
@signed_in
def make_token() -> ResponseReturnValue:
    """Make a token, and show it this once."""
    user, form = signed_in_user(), request.form
    try:
        days = cursor(form.get("days"))
        with hub().engine.begin() as connection:
            _, token = create_token(
                connection, user=user, name=form.get("name", ""), scopes=form.getlist("scopes"), lifetime_days=days
            )
    except (InvalidInputError, ConflictError) as error:
        return _tokens_page(problem=str(error)), 400
    # Nothing but this answer has it, and no cache is to.
    return _tokens_page(made=token), 201, {"Cache-Control": "no-store"}


@blueprint.post("/account/tokens/<int:token_id>/revoke")
@signed_in
def end_token(token_id: int) -> ResponseReturnValue:
    """End a token at once."""
    with hub().engine.begin() as connection:
        token = revoke_token(connection, token_id=token_id, user_id=signed_in_user().id)
    flash(f"The token {token.name} is revoked. Programs that show it are turned away from now on.")
    return redirect(url_for("api_pages.tokens"))


@blueprint.post("/account/tokens/revoke-all")
@signed_in
def end_all_tokens() -> ResponseReturnValue:
    """End every token at once."""
    with hub().engine.begin() as connection:
        count = revoke_tokens(connection, user_id=signed_in_user().id)
    flash(f"Revoked: {count}. Programs that show one of these tokens are turned away from now on.")
    return redirect(url_for("api_pages.tokens"))


def _tokens_page(*, made: str | None = None, problem: str | None = None) -> str:
    user = signed_in_user()
    with hub().engine.connect() as connection:
        listed = tokens_of(connection, user_id=user.id)
        password_since = password_changed_at(connection, user_id=user.id)
    is_sent = problem is not None
    return render_template(
        "tokens.html",
        tokens=listed,
        password_since=password_since,
        scopes={scope: SCOPES[scope] for scope in scopes_of_role(user.role)},
        lifetimes=LIFETIMES_DAYS,
        max_name_length=MAX_NAME_LENGTH,
        name=request.form.get("name", "")[:MAX_NAME_LENGTH] if is_sent else "",
        days=request.form.get("days", "") if is_sent else str(_DEFAULT_LIFETIME_DAYS),
        chosen=request.form.getlist("scopes") if is_sent else ["read"],
        made=made,
        problem=problem,
    )


def _prose(text: str) -> Markup:
    """Return a text of the document for a page: what stands between backticks is code."""
    parts = (escape(part) for part in text.split("`"))
    return Markup("").join(Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts))
