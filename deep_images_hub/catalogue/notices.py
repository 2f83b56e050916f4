"""E-mails to people on what they asked for: written down in the transaction that decides it, sent later, as `batch_mails` are.

    waiting ──► sending ──► sent
       ▲           ├──────► refused      for good: the server will never take it
       └───────────┘                     not now: the server is away; later it is tried again

A message counts as being sent before it is handed over. Who dies in between leaves it so: perhaps it was sent, and it is never
sent twice.
"""

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.batch_mails import MailCounts
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.demand.messages import DecidedProposal, MetDemand, Notice, StartedRun

_MAX_ERROR_LENGTH = 500
_OF_DEMAND = ("notice_id", "to_email", "to_name", "label_name", "label_id", "city", "images", "target_images", "has_asked")
_OF_RUN = ("notice_id", "to_email", "to_name", "run_id", "dataset_name", "images")
_OF_PROPOSAL = ("notice_id", "to_email", "to_name", "name", "status", "label_name", "label_id", "answer")


def take_notice(connection: Connection) -> Notice | None:
    """Take a notice that waits. None: none waits. Commit before it is handed over."""
    notice_id: int | None = connection.execute(load_query("take_notice")).scalar_one_or_none()
    if notice_id is None:
        return None
    row = connection.execute(load_query("notice"), {"notice_id": notice_id}).one()
    if row.target_images is not None:
        return MetDemand(**{column: row._mapping[column] for column in _OF_DEMAND})
    if row.run_id is not None:
        return StartedRun(**{column: row._mapping[column] for column in _OF_RUN})
    return DecidedProposal(**{column: row._mapping[column] for column in _OF_PROPOSAL})


def end_notice(connection: Connection, *, notice_id: int, status: str, error: str | None = None) -> None:
    """Write down what became of a notice that was taken.

    Args:
        status: `sent`; `sending`: it was cut off, and may have arrived; `refused`: for good; `waiting`: for another time.
        error: why it was not sent.
    """
    connection.execute(
        text(
            "update notices set status = :status, last_error = :error, sent_at = case when :status = 'sent' then now() end"
            " where id = :id and status = 'sending'"
        ),
        {"id": notice_id, "status": status, "error": error and error[:_MAX_ERROR_LENGTH]},
    )


def notice_counts(connection: Connection) -> MailCounts:
    """Return how many notices are not known to have been sent."""
    rows = connection.execute(text("select status, count(*) as mails from notices where status <> 'sent' group by status"))
    by_status = {row.status: int(row.mails) for row in rows}
    return MailCounts(**{status: by_status.get(status, 0) for status in ("waiting", "refused", "sending")})
