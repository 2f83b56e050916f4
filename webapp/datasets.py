"""Dataset versions: the list, one of them, its pictures, what changed since another, asking for a model. Downloads: `exports`."""

import json
from functools import partial

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.datasets import DatasetVersion, version_by_id, version_gallery, version_sample, versions
from deep_images_hub.catalogue.galleries import GalleryPage
from deep_images_hub.catalogue.models import models
from deep_images_hub.catalogue.patches import latest_patch, tombstones
from deep_images_hub.catalogue.training import runs
from deep_images_hub.catalogue.version_changes import KINDS, changed_pictures
from deep_images_hub.datasets.card import split_names
from deep_images_hub.datasets.citation import bibtex, citation_text
from deep_images_hub.datasets.exports.formats import FORMATS
from deep_images_hub.datasets.recipe import SPLITS, recipe_from_body
from deep_images_hub.datasets.trainable import short_labels, training_obstacle
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.training import ENDED
from deep_images_hub.waiting_runs import lacking
from webapp.access import may, public, requires
from webapp.descriptions import describe
from webapp.exporting import open_exported, whole_of
from webapp.exports import LINK_HOURS, zip_command
from webapp.home import rows
from webapp.paging import cursor
from webapp.services import hub, services
from webapp.training_requests import about_minutes, request_training, ways
from webapp.version_page import licence_rows, positions_of

blueprint = Blueprint("datasets", __name__, url_prefix="/datasets")

VERSIONS_PAGE = 30
# Two rows on a wide screen, four on a phone.
SAMPLE_IMAGES, SAMPLE_ROW_IMAGES = 20, 10
CHANGES_PAGE = PICTURES_PAGE = 60
# Of labels; of more the page would be heavy, and nobody reads them by chance.
SHOWN_LABELS = 20
# A recipe of more names them once somebody asks.
FEW_LABELS = 8


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
    """Show a version: digest, composition, samples, licences, how to download and cite it, and the models trained on it."""
    with hub().engine.connect() as connection:
        version = version_by_id(connection, version_id)
        stones = tombstones(connection, version_id)
        patch = latest_patch(connection, version) if version.patched_by else None
        sample = version_sample(connection, version_id=version_id, limit=SAMPLE_IMAGES)
        shown = {
            "models": models(connection, version_id=version_id),
            "runs": [run for run in runs(connection, version_id=version_id) if run.status not in ENDED],
            "ways": ways(connection) if may("train") else [],
            "others": [other for other in versions(connection, limit=VERSIONS_PAGE) if other.id != version_id],
        }
    taken_down = sum(stone.is_own for stone in stones)
    # What downloads and training use: what is left of it, or nothing.
    used = None if taken_down == version.image_count else patch or version
    export = whole_of(used) if used else None
    obstacle = training_obstacle(export.counts) if export else "Nothing is left of this dataset to train on."
    waits_for = None
    if used and export and obstacle and may("train"):
        with hub().engine.connect() as connection:
            waits_for = lacking(connection, recipe_from_body(used.recipe_body), export.counts)
    return render_template(
        "dataset.html",
        version=version,
        taken_down=taken_down,
        missing=sum(not stone.is_own for stone in stones),
        patch=patch,
        used=used,
        formats=FORMATS.values() if export else [],
        recipe=recipe_from_body(version.recipe_body),
        few_labels=FEW_LABELS,
        sample=sample,
        sample_rows=rows(sample, SAMPLE_ROW_IMAGES),
        composition=services().composition_in_order(version_id),
        shown_labels=None if request.args.get("labels") == "all" else SHOWN_LABELS,
        licences=licence_rows(services().attributions(version)),
        command=zip_command(export, used) if export and used and may("download") else None,
        link_hours=LINK_HOURS,
        obstacle=obstacle,
        waits_for=waits_for,
        about_minutes=about_minutes,
        short_labels=short_labels(export.counts) if export else [],
        citations=citations(version),
        # An old version's page leads to the patch, which describes itself.
        croissant=describe(version, export) if export and used == version and not taken_down else None,
        **shown,
    )


@blueprint.get("/<int:version_id>/pictures")
@public
def pictures(version_id: int) -> ResponseReturnValue:
    """Show all pictures of a version, or those of a split, of a label, or of a label in a split."""
    split, label_code = request.args.get("split") or None, request.args.get("label") or None
    if split not in (None, *SPLITS):
        raise InvalidInputError(f"{split[:40]!r} is no split. Expected one of: {', '.join(SPLITS)}.")
    after = cursor(request.args.get("after"))
    counts = services().composition(version_id)
    positions = positions_of(counts, label_code)
    if after is not None:
        positions = range(max(positions.start, after + 1), positions.stop)
    with hub().engine.connect() as connection:
        version = version_by_id(connection, version_id)
        found = version_gallery(connection, version_id=version_id, split=split, positions=positions, limit=PICTURES_PAGE + 1)
    shown = found[:PICTURES_PAGE]
    here = partial(url_for, "datasets.pictures", version_id=version_id)
    of_label = [count for count in counts if label_code in (None, count.label_code)]
    return render_template(
        "gallery_part.html" if request.args.get("part") == "1" else "version_pictures.html",
        version=version,
        split=split,
        label=next((count for count in of_label if label_code), None),
        splits={name: sum(of.image_count for of in of_label if of.split == name) for name in split_names(counts)},
        labels=services().composition_in_order(version_id).labels,
        addresses={name: here(split=name, label=label_code) for name in (None, *SPLITS)},
        page=GalleryPage([picture for picture in shown if picture.is_public], None, is_cut_short=False),
        hidden=sum(not picture.is_public for picture in shown),
        more=here(split=split, label=label_code, after=shown[-1].position) if len(found) > PICTURES_PAGE else None,
        is_first_page=after is None,
    )


@blueprint.get("/<int:version_id>/croissant.json")
@public
def croissant(version_id: int) -> ResponseReturnValue:
    """Describe a version, or what is left of it, as Croissant."""
    return croissant_of(version_id)


def croissant_of(version_id: int) -> Response:
    """Send the Croissant description of a version, or of what is left of it."""
    opened = open_exported(version_id, "csv", {})
    described = describe(opened.version, opened.export)
    return Response(json.dumps(described, ensure_ascii=False, indent=1), content_type="application/ld+json")


@blueprint.get("/<int:version_id>/changes")
@public
def changes(version_id: int) -> ResponseReturnValue:
    """Show what a version has that another has not, what it lacks, and what is in another split or under another label."""
    before_id, kind = cursor(request.args.get("since")), request.args.get("kind") or None
    if before_id is None:
        raise InvalidInputError("The address names no dataset to compare with. Choose one on the dataset's page.")
    if kind not in (None, *KINDS):
        raise InvalidInputError(f"{kind[:40]!r} is no kind of change. Expected one of: {', '.join(KINDS)}.")
    after = cursor(request.args.get("after"))
    with hub().engine.connect() as connection:
        version, before = version_by_id(connection, version_id), version_by_id(connection, before_id)
        counts = services().difference(version_id, before_id)
        kind = kind or next((of for of in KINDS if counts.of(of)), KINDS[0])
        after_position = -1 if after is None else after
        asked = {"version_id": version_id, "before_id": before_id, "after_position": after_position, "limit": CHANGES_PAGE + 1}
        # To find that there are none would read both versions.
        pictures = changed_pictures(connection, kind=kind, **asked) if counts.of(kind) else []
    shown = pictures[:CHANGES_PAGE]
    here = partial(url_for, "datasets.changes", version_id=version_id, since=before_id)
    return render_template(
        "changes.html",
        version=version,
        before=before,
        kind=kind,
        kinds={of: here(kind=of) for of in KINDS},
        counts=counts,
        pictures=[picture for picture in shown if picture.is_public],
        hidden=sum(not picture.is_public for picture in shown),
        more=here(kind=kind, after=shown[-1].position) if len(pictures) > CHANGES_PAGE else None,
    )


@blueprint.post("/<int:version_id>/train")
@requires("train")
def train(version_id: int) -> ResponseReturnValue:
    """Put a training run of this version into the queue, or let it wait for pictures, and show it."""
    may_wait = request.form.get("wait") == "1"
    # Either a network alone, or one of `ways`.
    backbone, _, method = (request.form.get("way") or request.form.get("backbone") or "").partition("/")
    run = request_training(version_id, backbone or None, method=method or None, may_wait=may_wait)
    return redirect(url_for("runs.page", run_id=run.id))


def citations(version: DatasetVersion) -> dict[str, str]:
    """Return how a version is cited, by the kind of citation."""
    url = url_for("datasets.page", version_id=version.id, _external=True)
    return {"BibTeX": bibtex(version, url=url), "Text": citation_text(version, url=url)}
