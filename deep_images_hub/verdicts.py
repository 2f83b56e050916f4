"""What intake can say about a submission: the closed sets of checks, outcomes, reasons and statuses.

Names and the direction of scores (0..1, lower is worse) are CleanVision's where it has the check. A failure of an expected kind
is a row with a reason from here; it is never an exception that stops a batch.
"""

from collections.abc import Iterable
from dataclasses import dataclass

SUBMISSION_STATUSES = ("pending", "accepted", "rejected", "review")
OUTCOMES = ("pass", "flag", "fail")

# Why a submission cannot become a picture at all, in the order in which it is found out.
BROKEN_REASONS = (
    "missing",  # the object that the manifest names is not in the store
    "empty",
    "too_large",
    "not_an_image",
    "unsupported_format",
    "too_many_pixels",
    "animated",
    "truncated",
    "corrupt",
)
# Why a picture that decodes is refused or looked at by a person.
QUALITY_REASONS = ("odd_size", "odd_aspect_ratio", "dark", "light", "low_information", "blurry", "grayscale")
# Why a person has to look at a picture: a network doubts its label, and networks never refuse a picture by themselves.
REVIEW_REASONS = ("label_agreement",)
# What only a person says of a picture.
PERSONS_REASONS = ("wrong_label", "not_a_photograph", "unsuitable", "taken_down")
# What a person who looks at a picture may refuse it for, the commonest first.
REFUSAL_REASONS = ("wrong_label", "blurry", "dark", "low_information", "not_a_photograph", "unsuitable")
# In the order in which they count: of several, the first one is why.
REASONS = (*BROKEN_REASONS, "exact_duplicates", *QUALITY_REASONS, *REVIEW_REASONS, *PERSONS_REASONS)

# What a person says of a picture, as the ledger names it. Later than the checks, and stronger: see `catalogue.reviews`.
REVIEW_CHECK = "review"
# A check of the ledger. `bytes`, `decode` and `review` fail with a reason at the begin of their detail; the others fail under
# their own name.
CHECKS = ("bytes", "decode", "exact_duplicates", "near_duplicates", *QUALITY_REASONS, *REVIEW_REASONS, REVIEW_CHECK)

# Who may change a decision after intake's: a new threshold, the network's opinion, a person.
DECISION_CAUSES = ("redecide", "network", "operator")

# Raise a check's version when its score changes meaning; the ledger keeps the verdicts of all versions.
CHECK_VERSION = 2


@dataclass(frozen=True)
class Verdict:
    """One row of the ledger, before it has an id.

    Attributes:
        check_name: one of CHECKS.
        outcome: `pass`, `flag` (kept, but worth a look) or `fail`.
        score: 0 (worst) to 1, or None where the check gives no score.
        threshold: lower scores do not pass; None where the check gives no score.
        detail: for people: what was found, what was expected.
    """

    check_name: str
    outcome: str
    score: float | None = None
    threshold: float | None = None
    detail: str | None = None


def decision_of(verdicts: Iterable[Verdict]) -> tuple[str, str | None]:
    """Return what the checks' verdicts make of a submission, in whatever order they come: its status and reason.

    The first failing check, in the order of REASONS, is the reason: rejected, or in review when it is one of REVIEW_REASONS.
    Without any it is accepted. Flags change nothing. A person's verdict is not for this: it is a decision already.
    """
    failed = {_reason_of(verdict) for verdict in verdicts if verdict.outcome == "fail"}
    if not failed:
        return "accepted", None
    reason = min(failed, key=REASONS.index)
    return ("review" if reason in REVIEW_REASONS else "rejected"), reason


def _reason_of(failed: Verdict) -> str:
    if failed.check_name in ("bytes", "decode"):
        return (failed.detail or "").partition(":")[0]
    return failed.check_name
