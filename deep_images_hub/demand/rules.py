"""What may be asked for, how far it is, and when it is met. Pure.

A demand asks that there be `target_images` pictures of a label. Without a place, what counts is what the label's page shows: the
pictures whose current label it is, and those of everything under it. With a place, what counts are the accepted photographs of
batches for the label, or for anything under it, that were sent from at most `AROUND_KM` away; a batch whose supplier shared no
place counts for no place.
"""

import math
from dataclasses import dataclass

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.labels.graph import MAX_TEXT_LENGTH, clean_text

DEMAND_STATUSES = ("open", "met", "withdrawn")
PROPOSAL_STATUSES = ("waiting", "accepted", "merged", "refused")
# In which order demands are listed: who wants it most, of what most is missing, what was asked for last.
ORDERS = ("votes", "missing", "newest")

MAX_TARGET_IMAGES = 100_000
MAX_NOTE_LENGTH = 500
# Of one account: what it asks for, and labels that it proposed and nobody has decided on.
MAX_OPEN_DEMANDS = 100
MAX_WAITING_PROPOSALS = 20

# From how far away photographs count for a place, in kilometres; and how far around a place one may look for demands.
AROUND_KM = 50.0
RADII_KM = (25, 50, 200, 1000)


@dataclass(frozen=True)
class Progress:
    """How far a demand is. have: pictures that count for it; target: at least 1."""

    have: int
    target: int

    @property
    def missing(self) -> int:
        """How many more are wanted; 0 when it is met."""
        return max(0, self.target - self.have)

    @property
    def share(self) -> float:
        """How much of it is there, 0..1."""
        return min(1.0, self.have / self.target)


def checked_target(given: str | int) -> int:
    """Return how many pictures somebody wants. Raises InvalidInputError."""
    digits = str(given).replace(",", "").replace(" ", "").strip()
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 9 or not 1 <= int(digits) <= MAX_TARGET_IMAGES:
        raise InvalidInputError(
            f"{str(given)[:40]!r} is no number of pictures to ask for. Expected a whole number from 1 to {MAX_TARGET_IMAGES:,}."
        )
    return int(digits)


def checked_note(given: str, what: str = "note") -> str | None:
    """Return what somebody adds in their own words; None: nothing. Raises InvalidInputError when it is too long."""
    note = given.replace("\r\n", "\n").strip()
    if len(note) > MAX_NOTE_LENGTH:
        raise InvalidInputError(f"The {what} has {len(note):,} characters; at most {MAX_NOTE_LENGTH} are taken. Shorten it.")
    return note or None


def checked_name(given: str) -> str:
    """Return the name of a label that somebody proposes, as labels' names are kept. Raises InvalidInputError."""
    name = clean_text(given)
    if not name or len(name) > MAX_TEXT_LENGTH or not any(character.isalnum() for character in name):
        raise InvalidInputError(
            f"{name[:60]!r} cannot be a label's name. Expected 1 to {MAX_TEXT_LENGTH} characters, a letter or a digit among them."
        )
    if not name.isprintable():
        raise InvalidInputError(
            f"{name[:60]!r} cannot be a label's name: it has characters that cannot be shown. Leave them out."
        )
    return name


def target_for_training(*, has: int, needs: int, train_share: float) -> int:
    """Return how many pictures of a label the hub must have so that a model has `has + needs` of them to learn from.

    Only a part of a label's pictures is learnt from; the others are for validation and test.

    Args:
        has: training pictures of the label now.
        needs: how many more are wanted, at least 0.
        train_share: share of a dataset's pictures in its training split, above 0, at most 1.

    Raises:
        InvalidInputError: more than anybody may ask for.
    """
    return checked_target(math.ceil(round((has + needs) / train_share, 6)))
