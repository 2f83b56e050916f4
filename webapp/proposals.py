"""Labels that people miss: the form that proposes one, and for operators the list of those that wait, with an answer to each."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.label_proposals import (
    accept_proposal,
    merge_proposal,
    propose_label,
    refuse_proposal,
    waiting_proposal_count,
    waiting_proposals,
)
from deep_images_hub.catalogue.labels import find_labels, label_by_words
from deep_images_hub.catalogue.picture_reports import open_report_count
from deep_images_hub.catalogue.reviews import waiting_count
from deep_images_hub.demand.rules import checked_target
from deep_images_hub.errors import ConflictError, HubError, InvalidInputError, NotFoundError, UnavailableError
from webapp.access import may, requires, signed_in, signed_in_user
from webapp.error_pages import status_of
from webapp.paging import cursor
from webapp.security import limiter
from webapp.services import hub
from webapp.wanted import ASK_LIMIT, MAX_WORDS_LENGTH

blueprint = Blueprint("proposals", __name__, url_prefix="/wanted")

PROPOSALS_PAGE = 20
# Labels that look like what is proposed.
ALIKE_LABELS = 5


@blueprint.app_context_processor
def _waiting() -> dict[str, object]:
    return {"proposal_count": _count}


@blueprint.get("/new-label")
@signed_in
def form() -> ResponseReturnValue:
    """Show the form in which somebody proposes a label, with those that are called nearly so."""
    return _form_page(dict(request.args))


@blueprint.post("/new-label")
@limiter.limit(ASK_LIMIT)
@signed_in
def propose() -> ResponseReturnValue:
    """Write a proposal down for the operators."""
    given = request.form
    try:
        with hub().engine.begin() as connection:
            parent = given.get("parent", "").strip()[:MAX_WORDS_LENGTH]
            is_new = propose_label(
                connection,
                user_id=signed_in_user().id,
                name=given.get("name", "")[: 2 * MAX_WORDS_LENGTH],
                parent_id=label_by_words(connection, parent).id if parent else None,
                note=given.get("note", ""),
                target_images=checked_target(given["target"]) if given.get("target", "").strip() else None,
            )
    except (InvalidInputError, NotFoundError, ConflictError) as error:
        return _form_page(dict(given), problem=str(error)), status_of(error)
    flash(
        "Thank you. An operator will look at it, and you will be told by e-mail."
        if is_new
        else "You have proposed this label before, and an operator will look at it."
    )
    return redirect(url_for("wanted.mine"))


@blueprint.get("/proposals")
@requires("operate")
def index() -> ResponseReturnValue:
    """List the proposals that wait, oldest first, each with labels that are called nearly so."""
    return _list_page()


@blueprint.post("/proposals/<int:proposal_id>/accept")
@requires("operate")
def accept(proposal_id: int) -> ResponseReturnValue:
    """Add the label under a parent, given by its code or its name."""
    given = request.form
    try:
        with hub().engine.begin() as connection:
            parent = label_by_words(connection, given.get("parent", "")[:MAX_WORDS_LENGTH])
            label = accept_proposal(
                connection,
                proposal_id=proposal_id,
                user_id=signed_in_user().id,
                name=given.get("name", "")[: 2 * MAX_WORDS_LENGTH],
                parent=parent,
            )
    except (InvalidInputError, NotFoundError, ConflictError) as error:
        return _again(error)
    flash(f"{label.name} is a label now, under {parent.name}. Whoever proposed it is told.")
    return redirect(url_for("proposals.index"))


@blueprint.post("/proposals/<int:proposal_id>/merge")
@requires("operate")
def merge(proposal_id: int) -> ResponseReturnValue:
    """Say which label it is that is here already."""
    try:
        with hub().engine.begin() as connection:
            label = label_by_words(connection, request.form.get("label", "")[:MAX_WORDS_LENGTH])
            merge_proposal(connection, proposal_id=proposal_id, user_id=signed_in_user().id, label=label)
    except (InvalidInputError, NotFoundError, ConflictError) as error:
        return _again(error)
    flash(f"It is {label.name}, which is found by the proposed name too now. Whoever proposed it is told.")
    return redirect(url_for("proposals.index"))


@blueprint.post("/proposals/<int:proposal_id>/refuse")
@requires("operate")
def refuse(proposal_id: int) -> ResponseReturnValue:
    """Refuse it, with a reason."""
    try:
        with hub().engine.begin() as connection:
            refuse_proposal(
                connection, proposal_id=proposal_id, user_id=signed_in_user().id, reason=request.form.get("reason", "")
            )
    except (InvalidInputError, NotFoundError, ConflictError) as error:
        return _again(error)
    flash("It is refused. Whoever proposed it is told why.")
    return redirect(url_for("proposals.index"))


def _again(error: HubError) -> ResponseReturnValue:
    return _list_page(problem=str(error)), status_of(error)


def _list_page(*, problem: str | None = None) -> str:
    after = cursor(request.args.get("after"))
    with hub().engine.connect() as connection:
        found = waiting_proposals(connection, after_id=after, limit=PROPOSALS_PAGE + 1)
        shown = found[:PROPOSALS_PAGE]
        return render_template(
            "proposals.html",
            proposals=[(one, find_labels(connection, text=one.name, limit=ALIKE_LABELS)) for one in shown],
            more=url_for("proposals.index", after=shown[-1].id) if len(found) > PROPOSALS_PAGE else None,
            waiting_pictures=waiting_count(connection),
            open_reports=open_report_count(connection),
            problem=problem,
        )


def _form_page(given: dict[str, str], *, problem: str | None = None) -> str:
    name = given.get("name", "")[: 2 * MAX_WORDS_LENGTH]
    with hub().engine.connect() as connection:
        alike = find_labels(connection, text=name[:MAX_WORDS_LENGTH], limit=ALIKE_LABELS) if name else []
    return render_template("propose.html", given=given, name=name, alike=alike, problem=problem)


def _count() -> int:
    """Return how many proposals wait; 0 for everybody but operators."""
    if not may("operate"):
        return 0
    try:
        with hub().engine.connect() as connection:
            return waiting_proposal_count(connection)
    except UnavailableError:
        return 0
