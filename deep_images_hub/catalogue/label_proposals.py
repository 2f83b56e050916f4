"""Labels that people miss: proposing one, and an operator's answer, of which whoever proposed it is told.

waiting ──► accepted   it is here now, under a parent
   ├──────► merged     it was here already, under another name, by which it is found from now on
   └──────► refused    with a reason
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.demands import ask_for
from deep_images_hub.catalogue.labels import Label, add_aliases, add_label, labels_by_codes
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.watches import watch
from deep_images_hub.demand.rules import MAX_WAITING_PROPOSALS, checked_name, checked_note, checked_target
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.labels.graph import MAX_TEXT_LENGTH

SOURCE = "proposed"
# Waiting proposals that are counted; more are said to be more.
MAX_COUNTED = 1_000


@dataclass(frozen=True)
class LabelProposal:
    """A label that somebody proposed.

    Attributes:
        parent_id, parent_name, parent_code: where they would put it; None: they do not say.
        target_images: how many pictures they want of it; None: they do not say.
        status: one of `PROPOSAL_STATUSES`.
        label_id, label_name: what it became; None where it waits or was refused.
        answer: the operator's words, or None.
    """

    id: int
    user_id: int
    user_name: str
    name: str
    parent_id: int | None
    parent_name: str | None
    parent_code: str | None
    note: str | None
    target_images: int | None
    status: str
    label_id: int | None
    label_name: str | None
    answer: str | None
    created_at: datetime


def propose_label(
    connection: Connection,
    *,
    user_id: int,
    name: str,
    parent_id: int | None = None,
    note: str = "",
    target_images: int | None = None,
) -> bool:
    """Write down that somebody misses a label. False: they have proposed it already, and nobody has decided on it.

    Raises:
        InvalidInputError: the name, the note or the target cannot be used.
        ConflictError: too many of the account's proposals wait.
    """
    values = {
        "user_id": user_id,
        "name": checked_name(name),
        "parent_id": parent_id,
        "note": checked_note(note),
        "target_images": None if target_images is None else checked_target(target_images),
    }
    connection.execute(text("select id from users where id = :user_id for no key update"), {"user_id": user_id})
    waiting = text("select count(*) from label_proposals where user_id = :user_id and status = 'waiting'")
    if connection.scalar(waiting, {"user_id": user_id}) >= MAX_WAITING_PROPOSALS:
        raise ConflictError(f"{MAX_WAITING_PROPOSALS} labels that you proposed wait for an operator. Wait for an answer first.")
    added = connection.execute(
        text(
            "insert into label_proposals (user_id, name, parent_id, note, target_images)"
            " values (:user_id, :name, :parent_id, :note, :target_images)"
            " on conflict (lower(name), user_id) where status = 'waiting' do nothing"
        ),
        values,
    )
    return added.rowcount > 0


def waiting_proposals(connection: Connection, *, after_id: int | None = None, limit: int) -> list[LabelProposal]:
    """Return the proposals that wait for an operator, oldest first."""
    return _proposals(connection, user_id=None, after_id=after_id, limit=limit)


def proposals_of_user(connection: Connection, *, user_id: int, before_id: int | None = None, limit: int) -> list[LabelProposal]:
    """Return what somebody proposed, newest first, with what became of it."""
    return _proposals(connection, user_id=user_id, after_id=before_id, limit=limit)


def waiting_proposal_count(connection: Connection) -> int:
    """Return how many proposals wait, MAX_COUNTED at most."""
    count: int = connection.execute(
        text("select count(*) from (select from label_proposals where status = 'waiting' limit :limit) as waiting"),
        {"limit": MAX_COUNTED},
    ).scalar_one()
    return count


def accept_proposal(connection: Connection, *, proposal_id: int, user_id: int, name: str, parent: Label) -> Label:
    """Add a proposed label under a parent, and ask for the pictures that whoever proposed it wants.

    Others who proposed the same name are told too.

    Args:
        user_id: the operator.
        name: as it shall be called.

    Raises:
        InvalidInputError: the name cannot be used.
        NotFoundError: there is no such proposal.
        ConflictError: somebody decided on it before, or right under the parent a label has the name.
    """
    name = checked_name(name)
    _lock_waiting(connection, proposal_id)
    siblings = text(
        "select code from labels join label_edges on child_id = id where parent_id = :parent_id and lower(name) = lower(:name)"
    )
    taken = connection.scalar(siblings, {"parent_id": parent.id, "name": name})
    if taken is not None:
        raise ConflictError(f"Under {parent.name} there is a label {name!r} already: {taken}. Say that it is the same instead.")
    label = add_label(connection, code=_free_code(connection, name, parent), name=name, parent_code=parent.code, source=SOURCE)
    _decide(connection, proposal_id, "accepted", user_id, label=label)
    return label


def merge_proposal(connection: Connection, *, proposal_id: int, user_id: int, label: Label) -> None:
    """Say that a proposed label is one that is here. From now on that is found by the proposed name too.

    Raises:
        NotFoundError: there is no such proposal.
        ConflictError: somebody decided on it before.
    """
    name = _lock_waiting(connection, proposal_id)
    if name.lower() != label.name.lower():
        add_aliases(connection, [(label.code, name)])
    _decide(connection, proposal_id, "merged", user_id, label=label)


def refuse_proposal(connection: Connection, *, proposal_id: int, user_id: int, reason: str) -> None:
    """Refuse a proposed label, with a reason that whoever proposed it is told.

    Raises:
        InvalidInputError: there is no reason, or it is too long.
        NotFoundError: there is no such proposal.
        ConflictError: somebody decided on it before.
    """
    answer = checked_note(reason, "reason")
    if answer is None:
        raise InvalidInputError("Say why it is refused: whoever proposed it is told.")
    _lock_waiting(connection, proposal_id)
    _decide(connection, proposal_id, "refused", user_id, answer=answer)


def _decide(
    connection: Connection, proposal_id: int, status: str, user_id: int, *, label: Label | None = None, answer: str | None = None
) -> None:
    decided = connection.execute(
        load_query("proposals_decided"),
        {
            "proposal_id": proposal_id,
            "status": status,
            "label_id": None if label is None else label.id,
            "answer": answer,
            "user_id": user_id,
        },
    ).all()
    for proposal in decided:
        if label is None:
            continue
        watch(connection, label_id=label.id, user_id=proposal.user_id)
        if proposal.target_images is not None:
            # Of a label that was here there may be enough, and who asks for too much already is no reason not to add it.
            with suppress(ConflictError):
                ask_for(connection, label_id=label.id, user_id=proposal.user_id, target_images=proposal.target_images)


def _lock_waiting(connection: Connection, proposal_id: int) -> str:
    """Return the name of a proposal that waits, and keep everybody else from deciding on it until the transaction ends."""
    found = connection.execute(
        text("select name, status from label_proposals where id = :id for update"), {"id": proposal_id}
    ).one_or_none()
    if found is None:
        raise NotFoundError("There is no such proposal.")
    if found.status != "waiting":
        raise ConflictError(f"Somebody has decided on {found.name!r} before: {found.status}. Nothing was changed.")
    return str(found.name)


def _free_code(connection: Connection, name: str, parent: Label) -> str:
    """Return a code for a label: its name; where that is taken, with its parent's name."""
    longer = f"{name} ({parent.name})"[:MAX_TEXT_LENGTH].strip()
    taken = labels_by_codes(connection, [name, longer])
    return next((code for code in (name, longer) if code not in taken), longer)


def _proposals(connection: Connection, *, user_id: int | None, after_id: int | None, limit: int) -> list[LabelProposal]:
    rows = connection.execute(load_query("label_proposals"), {"user_id": user_id, "after_id": after_id, "limit": limit})
    return [LabelProposal(**row._mapping) for row in rows]
