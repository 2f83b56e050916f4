"""Signing in and out."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.users import MAX_NAME_LENGTH, user_by_email
from deep_images_hub.passwords import hash_password, is_password
from webapp.access import end_session, public, signed_in, signed_in_user, start_session
from webapp.addresses import safe_target
from webapp.guessing import count_guess, forgive_guess
from webapp.security import SIGN_IN_LIMIT, limiter
from webapp.services import hub

blueprint = Blueprint("accounts", __name__)

# Checked where there is no such account, so that the answer takes as long as where there is one.
_NOBODYS_HASH = hash_password("the password of nobody")


@blueprint.app_context_processor
def _sign_up() -> dict[str, bool]:
    return {"sign_up_is_open": hub().settings.sign_up_is_open}


@blueprint.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Show the form."""
    return render_template("sign_in.html", target=safe_target(request.args.get("next"), otherwise=url_for("home.index")))


@blueprint.post("/sign-in")
@limiter.limit(SIGN_IN_LIMIT)
@public
def submit_sign_in() -> ResponseReturnValue:
    """Check an e-mail address and a password, and start a session."""
    email, password = request.form.get("email", "").strip().lower()[:MAX_NAME_LENGTH], request.form.get("password", "")
    target = safe_target(request.form.get("next"), otherwise=url_for("home.index"))
    count_guess(email)
    with hub().engine.connect() as connection:
        user = user_by_email(connection, email)
    password_hash = user.password_hash if user and user.is_active else None
    is_right = is_password(password, password_hash or _NOBODYS_HASH)
    if user is None or password_hash is None or not is_right:
        # One answer for a wrong address and a wrong password: nobody learns who has an account.
        message = "This e-mail address and password do not go together. Check both and try again."
        return render_template("sign_in.html", target=target, email=email, problem=message), 401
    forgive_guess(email)
    start_session(user)
    return redirect(target)


@blueprint.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    """End the session."""
    name = signed_in_user().display_name
    end_session()
    flash(f"Signed out. Goodbye, {name}.")
    return redirect(url_for("home.index"))
