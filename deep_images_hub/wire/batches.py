"""Batches: what came last, one's own, and what became of each photograph."""

from datetime import datetime

from pydantic import Field

from deep_images_hub.wire.base import Answer, Asked, Page, PageAsked


class BatchPlace(Answer):
    """Where a batch was taken, as coarsely as it is kept. Degrees, WGS 84."""

    country_code: str
    region: str | None
    city: str
    postcode: str | None
    latitude: float
    longitude: float


class Batch(Answer):
    """One supplier's photographs for one label."""

    key: str
    status: str = Field(description="`pending` until every photograph is decided, then `closed`.")
    label_code: str
    label_name: str
    supplier_name: str
    licence: str
    submitted_count: int
    accepted_count: int
    rejected_count: int
    review_count: int
    submitted_at: datetime
    closed_at: datetime | None
    place: BatchPlace | None = Field(description="null when the supplier shared none.")


class BatchPage(Page):
    """A part of a list of batches, newest first."""

    batches: list[Batch]


class LatestBatch(Answer):
    """A batch as everybody sees it."""

    label_code: str
    label_name: str
    supplier_name: str
    licence: str
    status: str
    submitted_count: int
    accepted_count: int
    submitted_at: datetime
    country_code: str | None = Field(description="null when the supplier shared no place.")
    city: str | None


class LatestBatchPage(Page):
    """A part of a list of everybody's batches, newest first."""

    batches: list[LatestBatch]


class Funnel(Answer):
    """What became of what was sent: submitted is the sum of all others."""

    submitted: int
    pending: int
    accepted: int
    rejected: dict[str, int] = Field(description="By reason.")
    review: dict[str, int] = Field(description="By reason.")


class BatchQuality(Answer):
    """Quartiles of the quality scores, 0..1, of what can be read and is no copy; null: there is none."""

    pictures: int
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


class BatchDetail(Batch):
    """A batch with what became of it."""

    funnel: Funnel
    quality: BatchQuality


class SentFile(Answer):
    """What became of one photograph of a batch."""

    position: int = Field(description="Its place in the batch, from 0.")
    filename: str
    size_bytes: int
    status: str = Field(description="`pending`, `accepted`, `rejected` or `review`.")
    reason: str | None
    detail: str | None
    score: float | None
    threshold: float | None
    image_sha256: str | None = Field(description="Its picture; for a copy, the original.")
    is_public: bool
    cause: str | None = Field(description="What changed its decision last; null: it is as intake decided.")
    changed_at: datetime | None


class SentFilePage(Page):
    """A part of a batch's photographs, in their order."""

    files: list[SentFile]


class RefusedDelivery(Answer):
    """A manifest in one's name that was refused."""

    manifest_key: str
    reason: str
    problem: str
    decided_at: datetime


class RefusedDeliveries(Answer):
    """Manifests in one's name that are refused as they are now, latest first."""

    deliveries: list[RefusedDelivery]


class LatestAsked(PageAsked):
    """Which batches."""

    city: str | None = Field(default=None, max_length=100, description="Left out: from everywhere.")


class CityAsked(Asked):
    """Batches of where."""

    city: str | None = Field(default=None, max_length=100, description="Left out: of everywhere.")
