"""One hub, as a program sees it: what there is and is wanted, datasets to freeze and download, models to ask for."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deep_images_hub.client.account_calls import AccountCalls
from deep_images_hub.client.catalogue_calls import CatalogueCalls
from deep_images_hub.client.demand_calls import DemandCalls
from deep_images_hub.client.downloads import DownloadedFile, WantedFile, download_all, etag_of_url
from deep_images_hub.client.operator_calls import OperatorCalls
from deep_images_hub.client.sending import send_all
from deep_images_hub.errors import InvalidInputError, UnavailableError
from deep_images_hub.progress import Progress
from deep_images_hub.wire.model_reports import ModelReport
from deep_images_hub.wire.training import (
    AnsweredPage,
    AnsweredPicture,
    Comparison,
    Model,
    ModelDetail,
    ModelPage,
    Predictions,
    Run,
    RunDetail,
    RunPage,
)
from deep_images_hub.wire.uploads import FinishedUpload, Upload, UploadAsked, Uploads
from deep_images_hub.wire.versions import (
    Changes,
    ExportFormat,
    ExportFormats,
    ExportManifest,
    Preview,
    Recipe,
    Version,
    VersionDetail,
    VersionPage,
    VersionPicture,
    VersionPicturePage,
)

# Files that are downloaded at once.
WORKERS = 4
DOCUMENTS = ("report.html", "report.pdf", "card.md")
# How often a training run is asked after: soon at first, then less and less.
FIRST_LOOK_S = 1.0
LONGEST_LOOK_S = 15.0


class HubClient(AccountCalls, CatalogueCalls, DemandCalls, OperatorCalls):
    """A hub's API. Safe to share between threads.

    Every call raises the errors of `deep_images_hub.errors`: NotFoundError, ForbiddenError and so on, each with the `code` of the
    API. A request that finds the hub busy is tried again, after as long as the hub asks for.

    Args:
        url: where people reach the portal: `https://hub.example.org`.
        token: made at `/account/tokens`; None: what the environment's HUB_TOKEN holds, and nothing: ask as anybody.
        tries: how often a request is tried.
        timeout_s: longest wait for a connection, and for the next bytes of an answer.
    """

    def uploads(self) -> list[Upload]:
        """Return what was begun to be sent and not finished, latest first."""
        return self._get(Uploads, "/uploads").uploads

    def discard_upload(self, key: str) -> None:
        """Give an upload up, and all that has come of it."""
        self._transport.json("POST", f"/uploads/{key}/discard")

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

    def croissant(self, version_id: int) -> dict[str, Any]:
        """Return a version's description as Croissant, which machine-learning tools read."""
        described: dict[str, Any] = self._transport.json("GET", f"/versions/{version_id}/croissant")
        return described

    def export_formats(self) -> list[ExportFormat]:
        """Return the formats that versions can be had in."""
        return self._get(ExportFormats, "/export-formats").formats

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

    def request_training(
        self, version_id: int, *, backbone: str | None = None, method: str | None = None, may_wait: bool = False
    ) -> Run:
        """Ask for a baseline model of a version.

        Args:
            method: `head` or `fine_tune`; None: the hub's usual one.
            may_wait: where there are too few pictures, wait for them.
        """
        return self._post(Run, f"/versions/{version_id}/runs", {"backbone": backbone, "method": method, "wait": may_wait})

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

    def repeat_run(self, run_id: int) -> Run:
        """Ask again for what failed or was cancelled: a new request."""
        return self._post(Run, f"/runs/{run_id}/repeat", None)

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

    def model_document(self, model_id: int, name: str) -> bytes:
        """Return a document on a model: `report.html`, `report.pdf` or `card.md`."""
        if name not in DOCUMENTS:
            raise InvalidInputError(f"{name!r} is no document on a model. Expected one of {', '.join(DOCUMENTS)}.")
        with self._transport.request("GET", f"/models/{model_id}/{name}") as response:
            return response.content

    def model_answers(self, model_id: int, *, truth: str | None = None, said: str | None = None) -> Iterator[AnsweredPicture]:
        """Yield what a model says of its test pictures, the surest first: with both codes a cell of the matrix, else mistakes."""
        for page in self._pages(AnsweredPage, f"/models/{model_id}/answers", truth=truth, said=said):
            yield from page.pictures

    def compare_models(self, first: int, second: int) -> Comparison:
        """Return two models side by side, and whether one is better by more than chance."""
        return self._get(Comparison, "/models/comparison", models=f"{first},{second}")

    def download_model(self, model_id: int, folder: str | Path, *, shows_progress: bool | None = None) -> list[DownloadedFile]:
        """Download a model's files into a folder."""
        wanted = [WantedFile(of.name, of.url, of.sha256, of.size_bytes, of.sha256) for of in self.model(model_id).files]
        return self._download(wanted, Path(folder), f"Model {model_id}", WORKERS, shows_progress)

    def predict(self, model_id: int, picture: bytes | str | Path) -> Predictions:
        """Ask a model what a picture shows, and whether it is none of its labels. picture: a file, or its bytes."""
        body = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        answer = self._transport.json(
            "POST", f"/models/{model_id}/predictions", data=body, headers={"Content-Type": "application/octet-stream"}
        )
        return Predictions.model_validate(answer)

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
