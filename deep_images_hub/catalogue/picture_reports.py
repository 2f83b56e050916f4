"""Reports of pictures: who said what is wrong with one, which of them wait for an operator, and what became of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.picture_reports import MAX_NOTE_LENGTH, REPORT_REASONS

# Open reports that are counted; more are said to be more.
MAX_COUNTED = 1_000


@dataclass(frozen=True)
class PictureReport:
    """What somebody said of a picture. reason: one of `REPORT_REASONS`; note: in their own words, or None."""

    reason: str
    note: str | None
    user_name: str
    created_at: datetime


@dataclass(frozen=True)
class ReportedPicture:
    """A picture with reports that no operator has decided on.

    Attributes:
        first_report_id: hand over a page's last one as `after_report_id` to read on.
        label_name: None: it has none now, and is seen by nobody else.
        reports: oldest first.
        versions, models: that have the picture now, or learnt from it.
    """

    first_report_id: int
    sha256: str
    width_px: int
    height_px: int
    label_name: str | None
    batch_key: str
    supplier_name: str
    reports: tuple[PictureReport, ...]
    versions: int
    models: int


def report_picture(connection: Connection, *, image_id: int, user_id: int, reason: str, note: str) -> bool:
    """Write down that somebody reports a picture. False: they have done so already, and nobody has decided on it yet.

    Waits for whoever takes the picture down at this moment, so that no report stays open of one that is down.

    Raises:
        InvalidInputError: the reason is none of REPORT_REASONS, or the note is too long.
        NotFoundError: the picture was taken down.
    """
    if reason not in REPORT_REASONS:
        raise InvalidInputError(f"{reason[:40]!r} is no reason of a report. Expected one of {', '.join(REPORT_REASONS)}.")
    note = note.strip()
    if len(note) > MAX_NOTE_LENGTH:
        raise InvalidInputError(f"The note has {len(note):,} characters; at most {MAX_NOTE_LENGTH:,} are taken. Shorten it.")
    is_there = text("select taken_down_at is null from images where id = :image_id for key share")
    if not connection.scalar(is_there, {"image_id": image_id}):
        raise NotFoundError("There is no such picture here any more: it was taken down.")
    added = connection.execute(
        text(
            "insert into picture_reports (image_id, user_id, reason, note) values (:image_id, :user_id, :reason, :note)"
            " on conflict (image_id, user_id) where outcome is null do nothing"
        ),
        {"image_id": image_id, "user_id": user_id, "reason": reason, "note": note or None},
    )
    return added.rowcount > 0


def reported_pictures(connection: Connection, *, after_report_id: int = 0, limit: int) -> list[ReportedPicture]:
    """Return pictures with open reports, those that have waited longest first."""
    rows = connection.execute(load_query("reported_pictures"), {"after_report_id": after_report_id, "limit": limit})
    return [
        ReportedPicture(
            **{
                **row._mapping,
                "reports": tuple(
                    PictureReport(**{**said, "created_at": datetime.fromisoformat(said["created_at"])}) for said in row.reports
                ),
            }
        )
        for row in rows
    ]


def open_report_count(connection: Connection) -> int:
    """Return how many pictures have open reports, MAX_COUNTED at most."""
    count: int = connection.execute(
        text(
            "select count(distinct image_id)"
            " from (select image_id from picture_reports where outcome is null limit :limit) as waiting"
        ),
        {"limit": MAX_COUNTED},
    ).scalar_one()
    return count


def close_reports(connection: Connection, *, image_id: int, outcome: str, user_id: int) -> list[str]:
    """Close a picture's open reports, and return their reasons, oldest first.

    Args:
        outcome: `kept` or `taken_down`.

    Raises:
        ConflictError: it has none, or no longer: somebody else was first.
    """
    rows = connection.execute(
        text(
            "update picture_reports set outcome = :outcome, decided_by = :user_id, decided_at = now()"
            " where image_id = :image_id and outcome is null returning id, reason"
        ),
        {"image_id": image_id, "outcome": outcome, "user_id": user_id},
    ).all()
    if rows:
        return [row.reason for row in sorted(rows, key=lambda row: row.id)]
    last = connection.execute(
        text(
            "select outcome, display_name from picture_reports join users on users.id = decided_by"
            " where image_id = :image_id order by decided_at desc limit 1"
        ),
        {"image_id": image_id},
    ).one_or_none()
    if last is None:
        raise ConflictError("Nobody has reported this picture. Report it first, so that it is written down why.")
    did = {"kept": "kept it", "taken_down": "took it down"}[last.outcome]
    raise ConflictError(f"No report of this picture is open any more: {last.display_name} {did}. Nothing was changed.")
