"""Forgetting a person: name, address and sign-in go. What was given under a licence stays, as a former supplier's."""

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.account_changes import add_account_change
from deep_images_hub.catalogue.demands import take_vote_back, withdraw
from deep_images_hub.catalogue.kept_files import forget_files_of
from deep_images_hub.catalogue.training import cancel_run
from deep_images_hub.catalogue.users import User, end_links
from deep_images_hub.training import ENDED

FORMER_SUPPLIER, FORMER_USER = "A former supplier", "A former user"
# A domain that can have no mail (RFC 2606).
_NOBODYS_DOMAIN = "deleted.invalid"
_NO_LONGER = "The manifest names a supplier whose account was deleted since."

# What waits for its owner or would be sent to them, and what names them.
_REMOVED = (
    # Those to addresses of before too, unless one is somebody else's by now.
    (
        "delete from account_mails where user_id = :id or email = :email or email in"
        " (select value_before from account_changes where user_id = :id and deed = 'email' except select email from users)"
    ),
    "delete from api_tokens where user_id = :id",
    "delete from watches where user_id = :id",
    "delete from label_proposals where user_id = :id and status = 'waiting'",
    "delete from notices where user_id = :id and status = 'waiting'",
    "delete from batch_mails using batches where batches.id = batch_id and supplier_id = :id and batch_mails.status = 'waiting'",
    "update account_changes set value_before = null, value_after = null where user_id = :id and deed in ('name', 'email')",
    "update deliveries set problem = :no_longer where supplier_id = :id and reason in ('other_supplier', 'unknown_supplier')",
)


def forget_user(connection: Connection, user: User, *, changed_by: int | None, keeps_credit: bool) -> None:
    """Forget whose an account is, and close it for ever. Its pictures, datasets and models stay.

    Args:
        keeps_credit: licences go on to name the person; False: they name a former supplier.
    """
    if not keeps_credit:
        _take_credit_back(connection, user)
    _withdraw_wishes(connection, user)
    end_links(connection, user)
    for statement in _REMOVED:
        connection.execute(text(statement), {"id": user.id, "email": user.email, "no_longer": _NO_LONGER})
    connection.execute(
        text(
            "update users set email = :email, password_hash = null, is_active = false, role = 'supplier', deleted_at = now(),"
            " session_series = session_series + 1,"
            " display_name = case when exists (select from batches where supplier_id = :id) then :supplier else :user end"
            " where id = :id"
        ),
        {"id": user.id, "email": forgotten_address(user.id), "supplier": FORMER_SUPPLIER, "user": FORMER_USER},
    )
    add_account_change(connection, user_id=user.id, deed="deleted", changed_by=changed_by)


def forgotten_address(user_id: int) -> str:
    """Return what stands where an address was."""
    return f"{user_id}@{_NOBODYS_DOMAIN}"


def names_of(connection: Connection, user: User) -> list[str]:
    """Return what an account is called and was called before."""
    before = text("select distinct value_before from account_changes where user_id = :id and deed = 'name'")
    return [user.display_name, *connection.execute(before, {"id": user.id}).scalars()]


def batch_keys_of(connection: Connection, user: User) -> list[str]:
    """Return the keys of all batches of an account."""
    return list(connection.execute(text("select key from batches where supplier_id = :id"), {"id": user.id}).scalars())


def _take_credit_back(connection: Connection, user: User) -> None:
    """Let licences name a former supplier. Who sent what others made, named others: those names stay."""
    changed = connection.execute(
        text(
            "update batches set attribution = :nobody where supplier_id = :id and attribution is not null"
            " and (origin is null or attribution = any(:names)) returning id"
        ),
        {"id": user.id, "nobody": FORMER_SUPPLIER, "names": names_of(connection, user)},
    )
    versions = connection.execute(
        text(
            "update dataset_versions set credits_revision = credits_revision + 1 where id in"
            " (select version_id from version_batches where batch_id = any(:batch_ids)) returning id"
        ),
        {"batch_ids": list(changed.scalars())},
    )
    # Kept files still name the person.
    forget_files_of(connection, list(versions.scalars()))


def _withdraw_wishes(connection: Connection, user: User) -> None:
    """Take back what is wanted and requested. Where others want it too, it becomes theirs."""
    mine = {"id": user.id}
    votes = text(
        "select demand_id from demand_votes join demands on demands.id = demand_id"
        " where demand_votes.user_id = :id and status = 'open'"
    )
    for demand_id in connection.execute(votes, mine).scalars().all():
        take_vote_back(connection, demand_id=demand_id, user_id=user.id)
    asked = text("select id from demands where user_id = :id and status = 'open'")
    for demand_id in connection.execute(asked, mine).scalars().all():
        withdraw(connection, demand_id=demand_id, user_id=user.id)
    runs = text("select id from training_runs where requested_by = :id and status <> all(:ended)")
    for run_id in connection.execute(runs, {**mine, "ended": list(ENDED)}).scalars().all():
        cancel_run(connection, run_id=run_id)
