"""Dataset versions: the list, one of them, and asking for a baseline model of it. Its downloads are in `exports`."""

from collections import Counter
from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.datasets import (
    label_split_counts,
    version_by_id,
    version_sample,
    versions,
)
from deep_images_hub.catalogue.models import models
from deep_images_hub.catalogue.patches import latest_patch, tombstones
from deep_images_hub.catalogue.training import request_run, runs
from deep_images_hub.datasets.card import LabelSplitCount, split_names
from deep_images_hub.datasets.exports.formats import FORMATS
from deep_images_hub.datasets.recipe import recipe_from_body
from deep_images_hub.datasets.takedown import current_version
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.training import MIN_LABELS, MIN_TRAIN_IMAGES_PER_LABEL
from webapp.access import may, public, requires, signed_in_user
from webapp.exports import LINK_HOURS, whole_of, zip_command
from webapp.paging import cursor
from webapp.services import hub, services

blueprint = Blueprint("datasets", __name__, url_prefix="/datasets")

VERSIONS_PAGE = 30
SAMPLE_IMAGES = 24
# Learns from the dataset's own pictures alone: there is always this one, whatever pretrained weights can be had.
_SCRATCH_BACKBONE = "compact_vgg"


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
        sample = version_sample(connection, version_id=version_id, limit=SAMPLE_IMAGES)
        trained = models(connection, version_id=version_id)
        waiting = [run for run in runs(connection, version_id=version_id) if run.status in ("queued", "running")]
    counts = services().composition(version_id)
    images = Counter({(count.label_code, count.split): count.image_count for count in counts})
    taken_down = sum(stone.is_own for stone in stones)
    # What downloads and training use: what is left of it, or nothing.
    used = None if taken_down == version.image_count else patch or version
    export = whole_of(used) if used else None
    return render_template(
        "dataset.html",
        version=version,
        taken_down=taken_down,
        missing=sum(not stone.is_own for stone in stones),
        patch=patch,
        used=used,
        export=export,
        formats=FORMATS.values(),
        recipe=recipe_from_body(version.recipe_body),
        names=dict(sorted(((count.label_code, count.label_name) for count in counts), key=lambda pair: pair[1].casefold())),
        images=images,
        splits=split_names(counts),
        untested=sum(1 for code in {count.label_code for count in counts} if not images[code, "test"]),
        sample=sample,
        models=trained,
        runs=waiting,
        command=zip_command(export, used) if export and used and may("download") else None,
        link_hours=LINK_HOURS,
        backbones=backbones(),
        obstacle=training_obstacle(export.counts) if export else "Nothing is left of this dataset to train on.",
    )


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
