"""Recipes and dataset versions: preview, freeze, what is in a version, what changed since another."""

from collections import Counter

from flask import Response, url_for

from deep_images_hub.catalogue.datasets import DatasetVersion, version_by_digest, version_by_id, version_page
from deep_images_hub.catalogue.datasets import versions as newest_versions
from deep_images_hub.catalogue.labels import labels_by_codes
from deep_images_hub.catalogue.patches import tombstones
from deep_images_hub.catalogue.version_changes import changed_pictures
from deep_images_hub.datasets.freeze import expect, freeze
from deep_images_hub.datasets.recipe import Recipe, recipe_from_body
from deep_images_hub.datasets.takedown import current_version
from deep_images_hub.wire import versions as wire
from deep_images_hub.wire.base import PageAsked
from webapp.access import public, requires, signed_in_user
from webapp.api.cursors import following, place_of
from webapp.api.limits import FREEZE_LIMIT, whose
from webapp.api.operations import api
from webapp.api.pictures import picture_fields
from webapp.datasets import citations, croissant_of
from webapp.security import limiter
from webapp.services import hub, services


@api.post("/recipes/preview", tag="Datasets", body=wire.Recipe, answer=wire.Preview)
@limiter.limit(FREEZE_LIMIT, key_func=whose)
@public
def preview_recipe(body: wire.Recipe) -> wire.Preview:
    """Say what a recipe would give now, by label and split. Writes nothing."""
    recipe = _recipe(body)
    with hub().engine.connect() as connection:
        expected = expect(connection, recipe)
        counts = expected.counts
        names = labels_by_codes(connection, {code for code, _ in counts or ()})
    return wire.Preview(
        recipe_digest=recipe.digest,
        image_count=expected.about if counts is None else counts.total(),
        is_exact=counts is not None,
        size_bytes=None if counts is None else expected.size_bytes,
        labels=_label_counts(counts or Counter(), {code: label.name for code, label in names.items()}),
    )


@api.post("/versions", tag="Datasets", body=wire.FreezeAsked, answer=wire.Version, statuses=(201, 200))
@limiter.limit(FREEZE_LIMIT, key_func=whose)
@requires("freeze")
def freeze_version(body: wire.FreezeAsked) -> tuple[wire.Version, int]:
    """Freeze a recipe.

    The same recipe on the same catalogue gives the same version, under its first name: then the status is 200.
    """
    with hub().engine.begin() as connection:
        newest = newest_versions(connection, limit=1)
        version = freeze(connection, _recipe(body.recipe), name=body.name, created_by=signed_in_user().id)
    is_new = not newest or version.id > newest[0].id
    return wire.Version.model_validate(version), 201 if is_new else 200


@api.get("/versions", tag="Datasets", query=PageAsked, answer=wire.VersionPage)
@public
def list_versions(query: PageAsked) -> wire.VersionPage:
    """List dataset versions, newest first."""
    with hub().engine.connect() as connection:
        found = newest_versions(connection, before_id=place_of(query.cursor), limit=query.limit + 1)
    shown = found[: query.limit]
    return wire.VersionPage(
        versions=[wire.Version.model_validate(version) for version in shown],
        next=following(shown[-1].id) if len(found) > query.limit else None,
    )


@api.get("/versions/by-digest", tag="Datasets", query=wire.DigestAsked, answer=wire.VersionDetail)
@public
def read_version_by_digest(query: wire.DigestAsked) -> wire.VersionDetail:
    """Give the first version whose content has a digest, as a paper cites it."""
    with hub().engine.connect() as connection:
        version = version_by_digest(connection, query.digest)
    return _detail(version)


@api.get("/versions/<int:version_id>", tag="Datasets", answer=wire.VersionDetail)
@public
def read_version(version_id: int) -> wire.VersionDetail:
    """Give a version with its recipe, its composition, its licences, and how to cite it."""
    with hub().engine.connect() as connection:
        version = version_by_id(connection, version_id)
    return _detail(version)


@api.get("/versions/<int:version_id>/croissant", tag="Datasets", gives=("application/ld+json",))
@public
def describe_version(version_id: int) -> Response:
    """Describe a version, or what is left of it, as Croissant."""
    return croissant_of(version_id)


@api.get("/versions/<int:version_id>/pictures", tag="Datasets", query=wire.VersionPicturesAsked, answer=wire.VersionPicturePage)
@requires("download")
def list_pictures_of_version(version_id: int, query: wire.VersionPicturesAsked) -> wire.VersionPicturePage:
    """List the pictures of a version, or of what is left of it, by position."""
    place = place_of(query.cursor)
    with hub().engine.begin() as connection:
        version = current_version(connection, version_id)
        pictures = version_page(
            connection,
            version_id=version.id,
            split=query.split,
            label_code=query.label,
            after_position=-1 if place is None else place,
            limit=query.limit + 1,
        )
    names = {count.label_code: count.label_name for count in services().composition(version.id)}
    shown = pictures[: query.limit]
    return wire.VersionPicturePage(
        digest=version.digest,
        pictures=[
            wire.VersionPicture(
                position=picture.position,
                sha256=picture.sha256,
                split=picture.split,
                label_code=picture.label_code,
                label_name=names[picture.label_code],
                picture_url=url_for("api.download_picture", sha256=picture.sha256, _external=True),
            )
            for picture in shown
        ],
        next=following(shown[-1].position) if len(pictures) > query.limit else None,
    )


@api.get("/versions/<int:version_id>/changes", tag="Datasets", query=wire.ChangesAsked, answer=wire.Changes)
@public
def list_changes_of_version(version_id: int, query: wire.ChangesAsked) -> wire.Changes:
    """Say what a version has that another has not, what it lacks, and what is in another split or under another label."""
    place = place_of(query.cursor)
    with hub().engine.connect() as connection:
        version_by_id(connection, version_id)
        version_by_id(connection, query.since)
        counts = services().difference(version_id, query.since)
        changed = (
            changed_pictures(
                connection,
                kind=query.kind,
                version_id=version_id,
                before_id=query.since,
                after_position=-1 if place is None else place,
                limit=query.limit + 1,
            )
            if counts.of(query.kind)
            else []
        )
    shown = changed[: query.limit]
    return wire.Changes(
        **vars(counts),
        pictures=[
            wire.ChangedPicture(
                **picture_fields(picture),
                split=picture.split,
                split_before=picture.split_before,
                label_before=picture.label_before,
            )
            for picture in shown
            if picture.is_public
        ],
        hidden=sum(not picture.is_public for picture in shown),
        next=following(shown[-1].position) if len(changed) > query.limit else None,
    )


def _recipe(body: wire.Recipe) -> Recipe:
    """Read a recipe as the hub does everywhere. Raises InvalidInputError."""
    return recipe_from_body(body.model_dump(exclude_unset=True, exclude_none=True))


def _detail(version: DatasetVersion) -> wire.VersionDetail:
    counts = services().composition(version.id)
    images = Counter({(count.label_code, count.split): count.image_count for count in counts})
    licences: Counter[str] = Counter()
    for attribution in services().attributions(version):
        licences[attribution.licence] += attribution.image_count
    with hub().engine.connect() as connection:
        stones = tombstones(connection, version.id)
    cited = citations(version)
    return wire.VersionDetail(
        **wire.Version.model_validate(version).model_dump(),
        recipe=version.recipe_body,
        labels=_label_counts(images, {count.label_code: count.label_name for count in counts}),
        licences=dict(licences),
        taken_down=[stone.sha256 for stone in stones],
        citation=cited["Text"],
        bibtex=cited["BibTeX"],
    )


def _label_counts(counts: Counter[tuple[str, str]], names: dict[str, str]) -> list[wire.LabelCounts]:
    by_label: dict[str, dict[str, int]] = {}
    for (code, split), images in counts.items():
        by_label.setdefault(code, {})[split] = images
    return [wire.LabelCounts(label_code=code, label_name=names[code], images=by_label[code]) for code in sorted(by_label)]
