"""Why a delivery is refused: the closed set of reasons. Pure."""

from dataclasses import dataclass

REFUSALS = (
    "manifest_too_large",  # longer than what is read
    "not_a_manifest",  # not JSON, or a field is missing, unknown or wrong
    "unusable_name",  # a name that cannot be an object key
    "other_supplier",  # somebody else than whom the place is for
    "unknown_supplier",  # no account, or one that may not send
    "unknown_label",
    "missing_file",
    "denied_file",  # the store has it, and does not give it out
    "size_differs",  # from what the manifest says
    "sha256_differs",
    "file_too_large",  # to be copied at all
)

_MAX_PROBLEM_CHARACTERS = 1000


@dataclass(frozen=True)
class Refused:
    """A delivery, or one file of it, that is not taken in.

    Attributes:
        reason: one of REFUSALS.
        problem: what was found and what was expected, for people; cut where it is too long. It repeats what others wrote: signs
            that cannot be shown, such as NUL, which PostgreSQL does not take, are replaced.
    """

    reason: str
    problem: str

    def __post_init__(self) -> None:
        if self.reason not in REFUSALS:
            raise ValueError(f"{self.reason!r} is none of REFUSALS")
        shown = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in self.problem)
        if len(shown) > _MAX_PROBLEM_CHARACTERS:
            shown = shown[: _MAX_PROBLEM_CHARACTERS - 1] + "…"
        object.__setattr__(self, "problem", shown)
