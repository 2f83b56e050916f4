"""What there is: labels, pictures, batches, places."""

from collections.abc import Iterator
from typing import Any

from deep_images_hub.client.asking import Asking, said
from deep_images_hub.wire.account import HubTotals
from deep_images_hub.wire.batches import (
    Batch,
    BatchDetail,
    BatchPage,
    LatestBatch,
    LatestBatchPage,
    RefusedDeliveries,
    RefusedDelivery,
    SentFile,
    SentFilePage,
)
from deep_images_hub.wire.labels import FoundLabel, FoundLabels, Label, LabelDetail, LabelPage
from deep_images_hub.wire.pictures import Picture, PictureCounts, PictureDetail, PicturePage, ReportAnswer, ReportAsked
from deep_images_hub.wire.places import Cities, City


class CatalogueCalls(Asking):
    """What the client asks of the catalogue."""

    def totals(self) -> HubTotals:
        """Return how much there is."""
        return self._get(HubTotals, "/hub")

    def labels(self, *, under: str | None = None) -> Iterator[Label]:
        """Yield the labels right under a label, named by its code, or those under no other."""
        for page in self._pages(LabelPage, "/labels", under=under):
            yield from page.labels

    def short_labels(self, *, max_images: int | None = None, min_images: int | None = None) -> Iterator[Label]:
        """Yield labels by how many pictures they have with everything under them, fewest first."""
        for page in self._pages(LabelPage, "/labels/by-count", min_images=min_images, max_images=max_images):
            yield from page.labels

    def find_labels(self, words: str, *, limit: int = 20) -> list[FoundLabel]:
        """Return the labels that are called something like this, best first."""
        return self._get(FoundLabels, "/labels/search", q=words, limit=limit).labels

    def label(self, code: str) -> LabelDetail:
        """Return a label, what else it is called, and what is above it."""
        return self._get(LabelDetail, "/labels/by-code", code=code)

    def pictures(self, *, label: str | None = None, sort: str | None = None, **wanted: Any) -> Iterator[Picture]:
        """Yield the pictures of a label, or of the hub, that fit a filter.

        Args:
            label: its code.
            sort: `newest`, `oldest`, `quality` or `size`.
            wanted: as an address of a gallery says it: country="CA", licence=["cc0", "by"], min_quality=0.5, reviewed="yes",
                since="2026-03-01" (or `from`, which Python keeps for itself) and so on.
        """
        asked = {{"since": "from", "until": "to"}.get(name, name): value for name, value in wanted.items()}
        for page in self._pages(PicturePage, "/pictures", label=label, sort=sort, **asked):
            yield from page.pictures

    def picture(self, sha256: str) -> PictureDetail:
        """Return a picture with its verdicts, its lineage, and what looks the same."""
        return self._get(PictureDetail, f"/pictures/{sha256}")

    def picture_bytes(self, sha256: str) -> bytes:
        """Return the stored picture, a JPEG."""
        with self._transport.request("GET", f"/pictures/{sha256}/picture.jpg") as response:
            return response.content

    def thumbnail_bytes(self, sha256: str) -> bytes:
        """Return a small JPEG of a picture."""
        with self._transport.request("GET", f"/pictures/{sha256}/thumbnail.jpg") as response:
            return response.content

    def report(self, sha256: str, reason: str, note: str = "") -> bool:
        """Tell the operators what is wrong with a picture. False: this account did so before, and nobody has decided yet."""
        asked = ReportAsked(reason=reason, note=note)
        return self._post(ReportAnswer, f"/pictures/{sha256}/reports", asked.model_dump()).is_new

    def counts(self, *, label: str | None = None) -> PictureCounts:
        """Return how many pictures of a label, or of the hub, have which licence, country, month and so on."""
        return self._get(PictureCounts, "/pictures/counts", label=label)

    def latest_batches(self, *, city: str | None = None) -> Iterator[LatestBatch]:
        """Yield everybody's batches, newest first."""
        for page in self._pages(LatestBatchPage, "/latest-batches", city=city):
            yield from page.batches

    def latest_places(self, *, city: str | None = None) -> dict[str, Any]:
        """Return where the newest batches come from, as GeoJSON."""
        places: dict[str, Any] = self._transport.json("GET", "/latest-batches.geojson", params=said(city=city))
        return places

    def batches(self) -> Iterator[Batch]:
        """Yield one's own batches, newest first."""
        for page in self._pages(BatchPage, "/batches"):
            yield from page.batches

    def batch(self, key: str) -> BatchDetail:
        """Return a batch with what became of it."""
        return self._get(BatchDetail, f"/batches/{key}")

    def files_of_batch(self, key: str) -> Iterator[SentFile]:
        """Yield what became of each photograph of a batch."""
        for page in self._pages(SentFilePage, f"/batches/{key}/files"):
            yield from page.files

    def report_of_batch(self, key: str) -> bytes:
        """Return the same as one CSV file."""
        with self._transport.request("GET", f"/batches/{key}/report.csv") as response:
            return response.content

    def refused_deliveries(self) -> list[RefusedDelivery]:
        """Return the manifests in one's own name that are refused as they are now."""
        return self._get(RefusedDeliveries, "/refused-deliveries").deliveries

    def places(self) -> list[City]:
        """Return the cities that the hub knows by itself, the largest first. `upload` understands others, too."""
        return self._get(Cities, "/places").places
