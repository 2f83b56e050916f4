"""Who asks, and what is in the hub."""

from datetime import datetime

from pydantic import Field

from deep_images_hub.wire.base import Answer


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
