"""Dataset versions: the list, one of them, its download, and asking for a baseline model of it."""

import re
import shlex
from collections import Counter
from collections.abc import Sequence

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from deep_images_hub.catalogue.datasets import (
    DatasetVersion,
    label_split_counts,
    version_by_id,
    version_sample,
    versions,
)
from deep_images_hub.catalogue.models import models
from deep_images_hub.catalogue.patches import latest_patch, tombstones
from deep_images_hub.catalogue.training import request_run, runs
from deep_images_hub.datasets.card import LabelSplitCount, split_names
from deep_images_hub.datasets.download import open_image_folder
from deep_images_hub.datasets.recipe import recipe_from_body
from deep_images_hub.datasets.takedown import current_version
from deep_images_hub.errors import ForbiddenError, InvalidInputError
from deep_images_hub.training import MIN_LABELS, MIN_TRAIN_IMAGES_PER_LABEL
from webapp.access import may, public, requires, signed_in_user
from webapp.paging import cursor
from webapp.services import hub, services

blueprint = Blueprint("datasets", __name__, url_prefix="/datasets")

VERSIONS_PAGE = 30
SAMPLE_IMAGES = 24
# A link for the command line opens one download to whoever holds it, for this long.
LINK_HOURS = 24
# Learns from the dataset's own pictures alone: there is always this one, whatever pretrained weights can be had.
_SCRATCH_BACKBONE = "compact_vgg"
_LINK_SALT = "dataset download"


@blueprint.get("")
@public
def index() -> ResponseReturnValue:
    """List versions, newest first."""
    before = cursor(request.args.get("before"))
    with hub().engine.connect() as connection:
        page_of_versions = versions(connection, before_id=before, limit=VERSIONS_PAGE + 1)
    more = len(page_of_versions) > VERSIONS_PAGE
    shown = page_of_versions[:VERSIONS_PAGE]
    return render_template("datasets.html", versions=shown, more=url_for("datasets.index", before=shown[-1].id) if more else None)


@blueprint.get("/<int:version_id>")
@public
def page(version_id: int) -> ResponseReturnValue:
    """Show a version: digest, composition, samples, how to download it, and the models trained on it."""
    with hub().engine.connect() as connection:
        version = version_by_id(connection, version_id)
        stones = tombstones(connection, version_id)
        patch = latest_patch(connection, version) if version.patched_by else None
        counts = services().composition(version_id)
        images = Counter({(count.label_code, count.split): count.image_count for count in counts})
        return render_template(
            "dataset.html",
            version=version,
            taken_down=sum(stone.is_own for stone in stones),
            missing=sum(not stone.is_own for stone in stones),
            patch=patch,
            recipe=recipe_from_body(version.recipe_body),
            names=dict(sorted(((count.label_code, count.label_name) for count in counts), key=lambda pair: pair[1].casefold())),
            images=images,
            splits=split_names(counts),
            untested=sum(1 for code in {count.label_code for count in counts} if not images[code, "test"]),
            sample=version_sample(connection, version_id=version_id, limit=SAMPLE_IMAGES),
            models=models(connection, version_id=version_id),
            runs=[run for run in runs(connection, version_id=version_id) if run.status in ("queued", "running")],
            command=_command(patch or version) if may("download") else None,
            link_hours=LINK_HOURS,
            backbones=backbones(),
            obstacle=training_obstacle(counts),
        )


@blueprint.get("/<int:version_id>/download")
@requires("download")
def download(version_id: int) -> ResponseReturnValue:
    """Stream the zip."""
    return _zip(version_id)


@blueprint.get("/links/<token>")
@public  # whoever made the link had the permission; its signature says so
def download_by_link(token: str) -> ResponseReturnValue:
    """Stream the zip that a signed link stands for."""
    try:
        version_id = _links().loads(token, max_age=LINK_HOURS * 3600)
    except SignatureExpired:
        raise ForbiddenError(
            f"This link was good for {LINK_HOURS} hours, which are over. Open the dataset's page for a new one."
        ) from None
    except BadSignature:
        raise ForbiddenError(
            "This link was not made by this hub, or it was cut off. Copy it again from the dataset's page."
        ) from None
    return _zip(version_id)


@blueprint.post("/<int:version_id>/train")
@requires("train")
def train(version_id: int) -> ResponseReturnValue:
    """Put a training run of this version into the queue, and show it."""
    backbone = request.form.get("backbone") or backbones()[0]
    if backbone not in backbones():
        raise InvalidInputError(f"{backbone[:40]!r} is not trained here. Expected: {' or '.join(backbones())}.")
    with hub().engine.begin() as connection:
        version = current_version(connection, version_id)
        if obstacle := training_obstacle(label_split_counts(connection, version.id)):
            raise InvalidInputError(obstacle)
        run = request_run(
            connection,
            version_id=version.id,
            requested_by=signed_in_user().id,
            backbone=backbone,
            workers=hub().settings.training_workers,
        )
    return redirect(url_for("runs.page", run_id=run.id))


def backbones() -> list[str]:
    """Return the networks that may be asked for: the configured one, and the one that is trained from scratch."""
    return list(dict.fromkeys([hub().settings.backbone, _SCRATCH_BACKBONE]))


def training_obstacle(counts: Sequence[LabelSplitCount]) -> str | None:
    """Say why a model of a version with these pictures is not worth starting; None: it is."""
    labels = {count.label_code for count in counts}
    if len(labels) < MIN_LABELS:
        return f"Training needs at least {MIN_LABELS} labels to tell apart; this dataset has {len(labels)}. Freeze one with more."
    train_images = Counter({count.label_code: count.image_count for count in counts if count.split == "train"})
    names = {count.label_code: count.label_name for count in counts}
    short = sorted(names[code] for code in labels if train_images[code] < MIN_TRAIN_IMAGES_PER_LABEL)
    if short:
        listed = ", ".join(short[:3]) + (f" and {len(short) - 3} more" if len(short) > 3 else "")
        return f"Training needs at least {MIN_TRAIN_IMAGES_PER_LABEL} pictures of each label to learn from; too few: {listed}."
    if not any(count.split == "test" for count in counts):
        return "No picture is left to test a model on: every label has a single batch, or the split gives the test nothing."
    return None


def _zip(version_id: int) -> Response:
    """Stream a version; where pictures of it were taken down, what is left of it."""
    with hub().engine.begin() as connection:
        version = current_version(connection, version_id)
    folder = open_image_folder(version, engine=hub().engine, store=hub().store)
    response = Response(folder.blocks() if request.method == "GET" else b"", mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(version)}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.set_etag(f"{version.digest}-imagefolder")
    if folder.size_bytes is not None:
        response.content_length = folder.size_bytes
    return response


def _file_name(version: DatasetVersion) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", version.name.lower()).strip("-")[:60]
    return f"{slug or 'dataset'}-{version.digest[:12]}.zip"


def _command(version: DatasetVersion) -> str:
    """Return what to type to download a version without a browser."""
    url = url_for("datasets.download_by_link", token=_links().dumps(version.id), _external=True)
    return f"curl -fL -o {shlex.quote(_file_name(version))} {shlex.quote(url)}"


def _links() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=_LINK_SALT)
