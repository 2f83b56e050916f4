"""A photograph that is to be fetched from the web, as a list of such photographs describes it. Pure."""

from dataclasses import dataclass

# What becomes of one: fetched, and part of a batch; gone for good (404, 410); other bytes than the list says; or still missing.
DOWNLOAD_STATUSES = ("waiting", "fetched", "gone", "differs")


@dataclass(frozen=True, slots=True)
class Download:
    """One photograph of a list.

    Attributes:
        name: in the list; unique there.
        url: http or https.
        label_code: the label under which it is taken in.
        licence: one of `licences.LICENCES`.
        attribution: whom to credit, and the very licence; None where the list does not say.
        size_bytes: of its bytes; None: unknown.
        md5: of its bytes, in lower-case hex; None: unknown. Says that they are the ones that were meant, and proves nothing.
    """

    name: str
    url: str
    label_code: str
    licence: str
    attribution: str | None
    size_bytes: int | None
    md5: str | None


@dataclass(frozen=True)
class NotFetched:
    """A photograph that was not fetched.

    Attributes:
        status: `gone` and `differs` are final; `waiting`: for reasons outside of it, to be tried again.
        problem: what the server said, or what was found and what was expected.
    """

    status: str
    problem: str
