"""Sign-up and forgotten passwords: both send a link to an address, and the link lets its reader choose a password.

There is no account before its address is proved. Nobody learns here who has one: the answer is the same for every address, and
what is said to it goes to its mail alone.
"""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.accounts import CHOSEN_ROLES
from deep_images_hub.catalogue.account_links import choose_password, confirm_address, open_link
from deep_images_hub.catalogue.account_mails import ask_mail
from deep_images_hub.catalogue.api_tokens import live_tokens, revoke_tokens
from deep_images_hub.catalogue.users import MAX_NAME_LENGTH, clean_email, clean_name, user_by_email
from deep_images_hub.errors import ForbiddenError, HubError, InvalidInputError, NotFoundError
from deep_images_hub.passwords import MIN_PASSWORD_LENGTH
from webapp.access import end_session, public, start_session
from webapp.error_pages import status_of
from webapp.guessing import allow_guesses, may_mail
from webapp.security import ASKING_LIMIT, LINK_LIMIT, limiter
from webapp.services import hub, services

blueprint = Blueprint("joining", __name__)

# What the roles are that people choose themselves, for the form.
ROLE_WORDS = {
    "scientist": ("Use pictures", "Make datasets and download them. You may send pictures too."),
    "supplier": ("Send pictures", "Send photographs and see what became of each."),
}


@blueprint.after_request
def _keep_to_ourselves(response: Response) -> Response:
    """Leave nothing in a cache: addresses here hold tokens, and pages the addresses of people."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/sign-up")
@public
def sign_up() -> ResponseReturnValue:
    """Show the form, or that sign-up is closed."""
    return _sign_up_page()


@blueprint.post("/sign-up")
@limiter.limit(ASKING_LIMIT)
@public
def submit_sign_up() -> ResponseReturnValue:
    """Send a link to an address, whether or not it has an account."""
    if not hub().settings.sign_up_is_open:
        raise ForbiddenError("Sign-up is closed on this hub. Ask an operator for an account.")
    given = {name: request.form.get(name, "")[: MAX_NAME_LENGTH + 1] for name in ("email", "display_name", "role")}
    try:
        email, display_name = clean_email(given["email"]), clean_name(given["display_name"])
        if given["role"] not in CHOSEN_ROLES:
            raise InvalidInputError(f"Choose what you came for: {' or '.join(CHOSEN_ROLES)}. Operators grant every other role.")
    except InvalidInputError as error:
        return _sign_up_page(problem=str(error), **given), 400
    return _asked("sign_up", email, display_name=display_name, role=given["role"])


@blueprint.get("/forgot-password")
@public
def forgot_password() -> ResponseReturnValue:
    """Show the form."""
    return render_template("forgot_password.html")


@blueprint.post("/forgot-password")
@limiter.limit(ASKING_LIMIT)
@public
def submit_forgot_password() -> ResponseReturnValue:
    """Send a link to an address, if it has an account."""
    given = request.form.get("email", "")[: MAX_NAME_LENGTH + 1]
    try:
        email = clean_email(given)
    except InvalidInputError as error:
        return render_template("forgot_password.html", email=given, problem=str(error)), 400
    return _asked("reset", email)


@blueprint.get("/links/<token>")
@public
def open_letter(token: str) -> ResponseReturnValue:
    """Show what a link is for. Changes nothing: mail programs look at links too."""
    return _link_page(token)


@blueprint.post("/links/<token>")
@limiter.limit(LINK_LIMIT)
@public
def use_letter(token: str) -> ResponseReturnValue:
    """Use a link: choose a password, or confirm an address."""
    try:
        with hub().engine.begin() as connection:
            purpose = open_link(connection, token).purpose
            if purpose == "new_address":
                user = confirm_address(connection, token)
            else:
                user = choose_password(connection, token, request.form.get("password", ""))
                if "revoke_tokens" in request.form:
                    revoke_tokens(connection, user_id=user.id)
    except NotFoundError as error:
        return _link_over(error)
    except HubError as error:
        answer = make_response(_link_page(token, problem=str(error)))
        answer.status_code = status_of(error)
        return answer
    services().posting.nudge()
    if purpose == "new_address":
        flash(f"{user.email} is the address of your account now.")
        return redirect(url_for("account.index"))
    allow_guesses(user.email)
    if purpose == "reset":
        # Who reads the mail is not let in by that alone: the password is asked for once.
        end_session()
        flash("Your password is changed, and every session before has ended. Sign in with the new one.")
        return redirect(url_for("accounts.sign_in"))
    start_session(user)
    flash(f"Welcome, {user.display_name}. Your account is ready.")
    return redirect(url_for("home.index"))


def _sign_up_page(problem: str = "", email: str = "", display_name: str = "", role: str = "scientist") -> str:
    return render_template("sign_up.html", roles=ROLE_WORDS, problem=problem, email=email, display_name=display_name, role=role)


def _asked(purpose: str, email: str, *, display_name: str | None = None, role: str | None = None) -> ResponseReturnValue:
    """Do the same for every address, and give the same answer, also where nothing more is sent to it for now."""
    if may_mail(email, purpose):
        with hub().engine.begin() as connection:
            ask_mail(connection, purpose=purpose, email=email, display_name=display_name, role=role)
        services().posting.nudge()
    return render_template("mail_sent.html", email=email, purpose=purpose)


def _link_page(token: str, problem: str = "") -> ResponseReturnValue:
    try:
        with hub().engine.connect() as connection:
            link = open_link(connection, token)
            owner = user_by_email(connection, link.email) if link.purpose == "reset" else None
            token_count = live_tokens(connection, user_id=owner.id) if owner else 0
    except NotFoundError as error:
        return _link_over(error)
    html = render_template(
        "link.html", link=link, token=token, problem=problem, min_length=MIN_PASSWORD_LENGTH, token_count=token_count
    )
    return make_response(html)


def _link_over(error: NotFoundError) -> ResponseReturnValue:
    return make_response(render_template("link_over.html", message=str(error)), 404)
