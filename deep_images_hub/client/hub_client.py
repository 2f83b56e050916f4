"""One hub, as a program sees it: lists that read on by themselves, datasets to freeze and download, models to ask for."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from deep_images_hub.client.downloads import DownloadedFile, WantedFile, download_all, etag_of_url
from deep_images_hub.client.sending import send_all
from deep_images_hub.client.transport import Transport
from deep_images_hub.errors import InvalidInputError, UnavailableError
from deep_images_hub.progress import Progress
from deep_images_hub.wire.account import Account, HubTotals
from deep_images_hub.wire.base import Answer, Page
from deep_images_hub.wire.batches import Batch, BatchDetail, BatchPage, SentFile, SentFilePage
from deep_images_hub.wire.labels import FoundLabel, FoundLabels, Label, LabelDetail, LabelPage
from deep_images_hub.wire.model_reports import ModelReport
from deep_images_hub.wire.pictures import Picture, PictureDetail, PicturePage, ReportAnswer, ReportAsked
from deep_images_hub.wire.places import Cities, City
from deep_images_hub.wire.training import Model, ModelDetail, ModelPage, Prediction, Predictions, Run, RunDetail, RunPage
from deep_images_hub.wire.uploads import FinishedUpload, Upload, UploadAsked, Uploads
from deep_images_hub.wire.versions import (
    Changes,
    ExportManifest,
    Preview,
    Recipe,
    Version,
    VersionDetail,
    VersionPage,
    VersionPicture,
    VersionPicturePage,
)

TOKEN_VARIABLE = "HUB_TOKEN"  # noqa: S105
# Files that are downloaded at once.
WORKERS = 4
# How often a training run is asked after: soon at first, then less and less.
FIRST_LOOK_S = 1.0
LONGEST_LOOK_S = 15.0

_Answer = TypeVar("_Answer", bound=Answer)
_Page = TypeVar("_Page", bound=Page)


class HubClient:
    """A hub's API. Safe to share between threads.

    Every call raises the errors of `deep_images_hub.errors`: NotFoundError, ForbiddenError and so on, each with the `code` of the
    API. A request that finds the hub busy is tried again, after as long as the hub asks for.

    Args:
        url: where people reach the portal: `https://hub.example.org`.
        token: made at `/account/tokens`; None: what the environment's HUB_TOKEN holds, and nothing: ask as anybody.
        tries: how often a request is tried.
        timeout_s: longest wait for a connection, and for the next bytes of an answer.
    """

    def __init__(self, url: str, token: str | None = None, *, tries: int = 6, timeout_s: float = 60.0) -> None:
        found = token if token is not None else os.environ.get(TOKEN_VARIABLE)
        self._transport = Transport(url, token=found or None, tries=tries, timeout_s=timeout_s)

    def totals(self) -> HubTotals:
        """Return how much there is."""
        return self._get(HubTotals, "/hub")

    def account(self) -> Account:
        """Return whose token this is, and what it may do."""
        return self._get(Account, "/account")

    def labels(self, *, under: str | None = None) -> Iterator[Label]:
        """Yield the labels right under a label, named by its code, or those under no other."""
        for page in self._pages(LabelPage, "/labels", under=under):
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

    def report(self, sha256: str, reason: str, note: str = "") -> bool:
        """Tell the operators what is wrong with a picture. False: this account did so before, and nobody has decided yet."""
        asked = ReportAsked(reason=reason, note=note)
        return self._post(ReportAnswer, f"/pictures/{sha256}/reports", asked.model_dump()).is_new

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

    def places(self) -> list[City]:
        """Return the cities that the hub knows by itself, the largest first. `upload` understands others, too."""
        return self._get(Cities, "/places").places

    def uploads(self) -> list[Upload]:
        """Return what was begun to be sent and not finished, latest first."""
        return self._get(Uploads, "/uploads").uploads

    def upload(
        self,
        label: str,
        photographs: Iterable[str | Path],
        *,
        licence: str,
        attribution: str | None = None,
        place: str | None = None,
        uses_positions: bool = False,
        key: str | None = None,
        workers: int = WORKERS,
        shows_progress: bool | None = None,
    ) -> str:
        """Send photographs for one label, and return the key of the batch that they become.

        By sending them you say that you may give them away under the licence.

        Args:
            label: its code.
            licence: `by`, `by-sa`, `by-nc`, `by-nc-sa` or `cc0`.
            attribution: whom to credit; None: the account's name.
            place: a city or a postcode; None: no place is shared.
            uses_positions: let the hub see near which known place the photographs were taken.
            key: of an upload to go on with, from `uploads`; None: begin one.
            workers: files at once.
            shows_progress: None: on a terminal.
        """
        files = [Path(photograph) for photograph in photographs]
        if not files:
            raise InvalidInputError("No photograph is to be sent. Name at least one file.")
        if key is None:
            asked = UploadAsked(
                label=label, licence=licence, consents=True, attribution=attribution, place=place, uses_positions=uses_positions
            )
            key = self._post(Upload, "/uploads", asked.model_dump()).key
        total = sum(file.stat().st_size for file in files)
        with _shown(f"Upload {key}", total, shows_progress) as progress:
            send_all(self._transport, key, files, workers=workers, advance=progress)
        answer = self._transport.json("POST", f"/uploads/{key}/finish", may_repeat=True)
        return FinishedUpload.model_validate(answer).batch_key

    def preview(self, recipe: Recipe) -> Preview:
        """Return what a recipe would give now."""
        return self._post(Preview, "/recipes/preview", recipe.model_dump(exclude_unset=True))

    def freeze(self, name: str, recipe: Recipe) -> Version:
        """Freeze a recipe. The same recipe on the same catalogue gives the same version, under its first name."""
        return self._post(Version, "/versions", {"name": name, "recipe": recipe.model_dump(exclude_unset=True)})

    def versions(self) -> Iterator[Version]:
        """Yield dataset versions, newest first."""
        for page in self._pages(VersionPage, "/versions"):
            yield from page.versions

    def version(self, version: int | str) -> VersionDetail:
        """Return a version by its number on this hub, or by its digest, which is the same everywhere."""
        if isinstance(version, str):
            return self._get(VersionDetail, "/versions/by-digest", digest=version)
        return self._get(VersionDetail, f"/versions/{version}")

    def pictures_of_version(self, version_id: int, *, split: str | None = None) -> Iterator[VersionPicture]:
        """Yield the pictures of a version, or of what is left of it, by position."""
        for page in self._pages(VersionPicturePage, f"/versions/{version_id}/pictures", split=split, limit=200):
            yield from page.pictures

    def changes(self, version_id: int, *, since: int) -> Changes:
        """Return how many pictures changed from one version to another."""
        return self._get(Changes, f"/versions/{version_id}/changes", since=since, limit=1)

    def export(self, version_id: int, format_name: str, **part: Any) -> ExportManifest:
        """Return the files of a version in a format. part: split, label, first."""
        return self._get(ExportManifest, f"/versions/{version_id}/exports/{format_name}", **part)

    def download(
        self,
        version_id: int,
        format_name: str,
        folder: str | Path,
        *,
        files: Sequence[str] | None = None,
        workers: int = WORKERS,
        shows_progress: bool | None = None,
        **part: Any,
    ) -> list[DownloadedFile]:
        """Download a version, or of an old one what is left of it, into a folder. Run it again after anything: it goes on.

        Args:
            format_name: `imagefolder`, `webdataset`, `parquet`, `tfrecord`, `coco` or `csv`.
            files: names of those that are wanted; None: all.
            workers: files at once.
            shows_progress: None: on a terminal.
            part: split, label (a code), first (pictures of each split).

        Raises:
            UnavailableError: a file broke off too often, or is not what the hub says that it is.
        """
        manifest = self.export(version_id, format_name, **part)
        names = [file.name for file in manifest.files]
        if unknown := set(files or ()) - set(names):
            raise InvalidInputError(f"This export has no file {min(unknown)!r}. It has: {', '.join(names[:20])}.")
        wanted = [
            WantedFile(file.name, file.url, etag_of_url(file.url), file.size_bytes, file.sha256)
            for file in manifest.files
            if files is None or file.name in files
        ]
        return self._download(wanted, Path(folder), f"{format_name} of version {version_id}", workers, shows_progress)

    def request_training(self, version_id: int, *, backbone: str | None = None) -> Run:
        """Ask for a baseline model of a version."""
        return self._post(Run, f"/versions/{version_id}/runs", {"backbone": backbone})

    def runs(self) -> Iterator[Run]:
        """Yield one's own training requests, newest first."""
        for page in self._pages(RunPage, "/runs"):
            yield from page.runs

    def run(self, run_id: int) -> RunDetail:
        """Return a training request and how far it is."""
        return self._get(RunDetail, f"/runs/{run_id}")

    def cancel_run(self, run_id: int) -> Run:
        """Stop a training request."""
        return self._post(Run, f"/runs/{run_id}/cancel", None)

    def wait_for_run(
        self, run_id: int, *, timeout_s: float | None = None, follow: Callable[[RunDetail], None] | None = None
    ) -> RunDetail:
        """Return a training request once it has ended, well or not: see its `status`.

        Args:
            timeout_s: None: for ever.
            follow: called whenever it was looked at.

        Raises:
            UnavailableError: it had not ended by then. It goes on by itself.
        """
        begun, look_s = time.monotonic(), FIRST_LOOK_S
        while True:
            run = self.run(run_id)
            if follow is not None:
                follow(run)
            if run.has_ended:
                return run
            left_s = LONGEST_LOOK_S if timeout_s is None else timeout_s - (time.monotonic() - begun)
            if left_s <= 0:
                raise UnavailableError(f"Training run {run_id} is {run.status} after {timeout_s:g} s: {run.message}. It goes on.")
            time.sleep(min(look_s, left_s))
            look_s = min(LONGEST_LOOK_S, look_s * 1.5)

    def models(self) -> Iterator[Model]:
        """Yield models, newest first."""
        for page in self._pages(ModelPage, "/models"):
            yield from page.models

    def model(self, model_id: int) -> ModelDetail:
        """Return a model with all that was measured of it."""
        return self._get(ModelDetail, f"/models/{model_id}")

    def model_report(self, model_id: int) -> ModelReport:
        """Return a model's whole report: scores, labels, confusions, calibration, learning curve, examples."""
        return self._get(ModelReport, f"/models/{model_id}/report")

    def download_model(self, model_id: int, folder: str | Path, *, shows_progress: bool | None = None) -> list[DownloadedFile]:
        """Download a model's files into a folder."""
        wanted = [WantedFile(of.name, of.url, of.sha256, of.size_bytes, of.sha256) for of in self.model(model_id).files]
        return self._download(wanted, Path(folder), f"Model {model_id}", WORKERS, shows_progress)

    def predict(self, model_id: int, picture: bytes | str | Path) -> list[Prediction]:
        """Ask a model what a picture shows; likeliest label first. picture: a file, or its bytes: JPEG, PNG or WebP."""
        body = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        answer = self._transport.json(
            "POST", f"/models/{model_id}/predictions", data=body, headers={"Content-Type": "application/octet-stream"}
        )
        return Predictions.model_validate(answer).answers

    def _get(self, model: type[_Answer], path: str, **query: Any) -> _Answer:
        return model.model_validate(self._transport.json("GET", path, params=_said(query)))

    def _post(self, model: type[_Answer], path: str, body: Any) -> _Answer:
        given = {} if body is None else {"json": body}
        return model.model_validate(self._transport.json("POST", path, **given))

    def _pages(self, model: type[_Page], path: str, **query: Any) -> Iterator[_Page]:
        page = self._get(model, path, **query)
        yield page
        while page.next is not None:
            page = model.model_validate(self._transport.json("GET", page.next))
            yield page

    def _download(
        self, wanted: list[WantedFile], folder: Path, title: str, workers: int, shows_progress: bool | None
    ) -> list[DownloadedFile]:
        sizes = [file.size_bytes for file in wanted]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        with _shown(title, total, shows_progress) as progress:
            return download_all(self._transport, wanted, folder, workers=workers, advance=progress)


@contextmanager
def _shown(title: str, total: int | None, shows_progress: bool | None) -> Iterator[Callable[[int], None]]:
    """Give what counts bytes, and show them where that is wanted."""
    if not (sys.stderr.isatty() if shows_progress is None else shows_progress):
        yield lambda _bytes: None
        return
    with Progress(title, total, "bytes") as progress:
        yield progress.advance


def _said(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an address says: nothing of what is None."""
    return {name: value for name, value in query.items() if value is not None}
