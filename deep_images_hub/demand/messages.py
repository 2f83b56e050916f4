"""The e-mails that say what became of a demand, of a proposed label, or of a training run that waited. Pure."""

from dataclasses import dataclass
from email.message import EmailMessage

from deep_images_hub.mail import plain_message

_MAX_SUBJECT_NAME = 80


@dataclass(frozen=True)
class MetDemand:
    """A demand that is met, and one person who is told.

    Attributes:
        label_name, label_id: what was wanted.
        city: where; None: anywhere.
        images: how many there were when it was met.
        target_images: how many were wanted.
        has_asked: it is this person's own; else it is something that they voted for or watch.
    """

    notice_id: int
    to_email: str
    to_name: str
    label_name: str
    label_id: int
    city: str | None
    images: int
    target_images: int
    has_asked: bool


@dataclass(frozen=True)
class DecidedProposal:
    """A proposed label that an operator decided on, and whoever proposed it.

    Attributes:
        name: as it was proposed.
        status: one of `PROPOSAL_STATUSES` but `waiting`.
        label_name, label_id: what it became, or what it is called here already; None where it was refused.
        answer: the operator's words, or None.
    """

    notice_id: int
    to_email: str
    to_name: str
    name: str
    status: str
    label_name: str | None
    label_id: int | None
    answer: str | None


@dataclass(frozen=True)
class StartedRun:
    """A training run that waited for pictures and is in the queue now, and whoever asked for it.

    Attributes:
        dataset_name: what it trains on.
        images: how many pictures it has now.
    """

    notice_id: int
    to_email: str
    to_name: str
    run_id: int
    dataset_name: str
    images: int


Notice = MetDemand | DecidedProposal | StartedRun


def notice_message(notice: Notice, *, sender: str, portal_url: str | None) -> EmailMessage:
    """Write the e-mail of a notice.

    Its Message-ID is made of the notice's number: should it arrive twice all the same, a mail program shows it once.

    Args:
        sender: an address, or a name with an address.
        portal_url: where people reach the portal; None: no link is given.

    Raises:
        InvalidInputError: the address cannot stand in a message.
    """
    page: str | None
    if isinstance(notice, StartedRun):
        (subject, said), page = _started(notice), f"runs/{notice.run_id}"
    else:
        subject, said = _met(notice) if isinstance(notice, MetDemand) else _decided(notice)
        page = None if notice.label_id is None else f"labels/{notice.label_id}"
    lines = [f"Dear {one_line(notice.to_name)},", "", *said]
    if portal_url is not None and page is not None:
        lines += ["", f"Its page: {portal_url.rstrip('/')}/{page}"]
    return plain_message(
        to=notice.to_email, sender=sender, subject=subject, name=f"notice.{notice.notice_id}", lines=[*lines, "", "Thank you."]
    )


def one_line(name: str) -> str:
    """Return a name as it may stand within a line: no line breaks, no runs of white space."""
    return " ".join(name.split())


def _met(notice: MetDemand) -> tuple[str, list[str]]:
    name = one_line(notice.label_name)
    place = f" from around {one_line(notice.city)}" if notice.city else ""
    why = "You asked for them" if notice.has_asked else "You wanted to know when they are there"
    there = "1 picture" if notice.images == 1 else f"{notice.images:,} pictures"
    return (
        f"{there} of {name[:_MAX_SUBJECT_NAME]}: what was wanted is there",
        [
            f"this was wanted of {name}{place}: pictures, {notice.target_images:,} of them. Now the hub has {notice.images:,}.",
            f"{why}; nothing more needs to be done.",
        ],
    )


def _started(notice: StartedRun) -> tuple[str, list[str]]:
    name = one_line(notice.dataset_name)
    return (
        f"{name[:_MAX_SUBJECT_NAME]}: the pictures are there, training begins",
        [
            f"a model of {name} waited for pictures. They are there now, and its training is in the queue.",
            f"The dataset was frozen anew for it, with {notice.images:,} pictures. Nothing more needs to be done.",
        ],
    )


def _decided(notice: DecidedProposal) -> tuple[str, list[str]]:
    name = one_line(notice.name)
    short = name[:_MAX_SUBJECT_NAME]
    answer = [f"An operator adds: {one_line(notice.answer)}"] if notice.answer else []
    if notice.status == "refused":
        return f"No label for {short}", [f"you proposed the label {name}. It was not added.", *answer]
    label = one_line(notice.label_name or name)
    if notice.status == "merged":
        return (
            f"{short} is called {label[:_MAX_SUBJECT_NAME]} here",
            [
                f"you proposed the label {name}. What it means is here already, as {label}; it is found by both names now.",
                *answer,
            ],
        )
    return f"The label {label[:_MAX_SUBJECT_NAME]} is here", [f"you proposed the label {name}. It is here now: {label}.", *answer]
