"""Who asks, and what is in the hub; for operators: everybody's accounts."""

from datetime import datetime

from pydantic import Field

from deep_images_hub.wire.base import Answer, Asked, Page, PageAsked


class HubTotals(Answer):
    """How much there is."""

    version: str = Field(description="Of the hub's software.")
    images: int
    labels: int
    labels_with_images: int


class TokenFacts(Answer):
    """The token that a request shows."""

    name: str
    prefix: str = Field(description="Its first characters.")
    scopes: list[str]
    expires_at: datetime | None


class Account(Answer):
    """Who asks."""

    email: str
    display_name: str
    role: str
    token: TokenFacts


class Token(TokenFacts):
    """A token of whoever asks; its text is nowhere."""

    id: int
    created_at: datetime
    last_used_at: datetime | None = Field(description="To the minute.")
    revoked_at: datetime | None


class Tokens(Answer):
    """Tokens, newest first; those that were revoked come last."""

    tokens: list[Token]


class Tally(Answer):
    """What became of some photographs: `submitted` is the sum of the others, but for `batches`."""

    batches: int
    submitted: int
    pending: int
    accepted: int
    rejected: int
    review: int


class LabelRecord(Answer):
    """A label, and what became of the photographs that one sent for it."""

    code: str
    name: str
    tally: Tally
    quality: float | None = Field(description="Median of the latest, 0 to 1; null: nothing to judge.")


class SupplierRecord(Answer):
    """What became of all that one sent."""

    total: Tally
    labels: list[LabelRecord] = Field(description="Those with most photographs, largest first.")
    reasons: dict[str, int] = Field(description="Of the latest photographs that were refused or are in review, by reason.")
    quality: float | None = Field(description="Median of the latest, 0 to 1; null: nothing to judge.")


class Person(Answer):
    """An account, for operators."""

    id: int
    email: str
    display_name: str
    role: str
    is_active: bool
    is_deleted: bool = Field(description="Nobody knows any more whose it was.")


class PersonPage(Page):
    """A part of the accounts, newest first."""

    people: list[Person]


class PeopleAsked(PageAsked):
    """Which accounts."""

    beginning: str = Field(default="", max_length=200, description="Of an address or a name, in any case.")
    role: str | None = Field(default=None, max_length=40, description="`supplier`, `scientist`, `premium` or `operator`.")
    state: str | None = Field(
        default=None, max_length=40, description="`open`, `closed`, `deleted` or `never` (no password yet)."
    )


class InviteAsked(Asked):
    """Who is to have an account."""

    email: str = Field(max_length=200)
    display_name: str = Field(max_length=200)
    role: str = Field(max_length=40)


class RoleAsked(Asked):
    """The role that an account is to have."""

    role: str = Field(max_length=40)


class DeleteAsked(Asked):
    """What stays of somebody whose account is deleted."""

    keeps_credit: bool = Field(default=False, description="Licences go on to name the person; false: a former supplier.")


class AccountChange(Answer):
    """A change of an account."""

    user_id: int
    user_name: str
    deed: str
    value_before: str | None
    value_after: str | None
    changed_by_name: str | None = Field(description="null: somebody at the hub's command line.")
    created_at: datetime


class AccountChangePage(Page):
    """A part of what operators did to accounts of others, newest first."""

    changes: list[AccountChange]
