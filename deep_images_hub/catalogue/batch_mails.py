"""E-mails to suppliers on batches that are closed: one a batch, written down in the transaction that closes it, sent later.

    waiting ──► sending ──► sent
       ▲           ├──────► refused      for good: the server will never take it
       └───────────┘                     not now: the server is away; a later run tries again

A message counts as being sent before it is handed over. Who dies in between leaves it so: perhaps it was sent, and it is never
sent twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from deep_images_hub.batches.report import BatchResult
from deep_images_hub.catalogue.batch_reports import batch_quality
from deep_images_hub.catalogue.batches import batch_funnel
from deep_images_hub.catalogue.queries import load_query

_MAX_ERROR_LENGTH = 500


@dataclass(frozen=True)
class MailCounts:
    """How many e-mails wait, and how many will never be known to have been sent: refused, or in the air when a run died."""

    waiting: int
    refused: int
    sending: int


def queue_batch_mails(connection: Connection, *, batch_ids: Sequence[int]) -> None:
    """Write down that the suppliers of batches are to be told; nobody of those that are forgotten. Again: nothing."""
    connection.execute(
        text(
            "insert into batch_mails (batch_id) select batches.id from batches join users on users.id = supplier_id"
            " where batches.id = any(:ids) and users.deleted_at is null on conflict do nothing"
        ),
        {"ids": list(batch_ids)},
    )


def take_batch_mail(connection: Connection) -> tuple[int, BatchResult] | None:
    """Take an e-mail that waits: the batch's id, and what to tell. None: none waits. Commit before it is handed over."""
    batch_id: int | None = connection.execute(load_query("take_batch_mail")).scalar_one_or_none()
    if batch_id is None:
        return None
    row = connection.execute(load_query("batch_mail"), {"batch_id": batch_id}).one()
    funnel = batch_funnel(connection, batch_key=row.batch_key)
    quality = batch_quality(connection, batch_key=row.batch_key)
    result = BatchResult(
        **row._mapping,
        submitted=funnel.submitted,
        accepted=funnel.accepted,
        rejected=funnel.rejected,
        review=funnel.review,
        quality=quality,
    )
    return batch_id, result


def mail_was_sent(connection: Connection, *, batch_id: int) -> None:
    """Write down that an e-mail was handed over."""
    _end(connection, batch_id, "sent", None)


def mail_was_cut_off(connection: Connection, *, batch_id: int, error: str) -> None:
    """Write down why an e-mail stays as being sent: it may have arrived."""
    _end(connection, batch_id, "sending", error)


def mail_was_refused(connection: Connection, *, batch_id: int, error: str) -> None:
    """Write down that an e-mail will never be taken, and why."""
    _end(connection, batch_id, "refused", error)


def put_mail_back(connection: Connection, *, batch_id: int, error: str) -> None:
    """Let an e-mail that could not be handed over wait for another time, and write down why."""
    _end(connection, batch_id, "waiting", error)


def mail_counts(connection: Connection) -> MailCounts:
    """Return how many e-mails are not known to have been sent."""
    rows = connection.execute(text("select status, count(*) as mails from batch_mails where status <> 'sent' group by status"))
    by_status = {row.status: int(row.mails) for row in rows}
    return MailCounts(**{status: by_status.get(status, 0) for status in ("waiting", "refused", "sending")})


def _end(connection: Connection, batch_id: int, status: str, error: str | None) -> None:
    connection.execute(
        text(
            "update batch_mails set status = :status, last_error = :error, sent_at = case when :status = 'sent' then now() end"
            " where batch_id = :batch_id and status = 'sending'"
        ),
        {"batch_id": batch_id, "status": status, "error": error and error[:_MAX_ERROR_LENGTH]},
    )
