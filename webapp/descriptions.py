"""The Croissant description of a dataset version, joined from what the catalogue and earlier downloads know."""

from typing import Any

from flask import url_for

from deep_images_hub.catalogue.datasets import DatasetVersion
from deep_images_hub.catalogue.patches import patch_count
from deep_images_hub.datasets.citation import bibtex
from deep_images_hub.datasets.croissant import DescribedFile, Description, croissant
from deep_images_hub.datasets.exports.export import Export
from deep_images_hub.datasets.exports.formats import FORMATS
from deep_images_hub.datasets.exports.picture_list import CONTENT, PICTURES_CSV
from deep_images_hub.licences import LICENCE_URLS
from webapp.exporting import ZIP, OpenExport
from webapp.services import hub, services

# Up to here the list of pictures is read once for its sha256; beyond, whoever downloads it first makes that known.
LISTED_UP_TO_IMAGES = 20_000


def describe(version: DatasetVersion, export: Export) -> dict[str, Any]:
    """Return the description of a version, given the export of all of it."""
    with hub().engine.connect() as connection:
        patches = patch_count(connection, version.id)
    url = url_for("datasets.page", version_id=version.id, _external=True)
    return croissant(
        Description(
            name=version.name,
            digest=version.digest,
            created_at=version.created_at,
            image_count=version.image_count,
            label_names=list(export.names.values()),
            patch_count=patches,
            url=url,
            citation=bibtex(version, url=url),
            licence_urls=sorted({LICENCE_URLS[of.licence] for of in services().attributions(version)}),
            splits=export.splits,
            files=_files(version, export),
            facts=services().facts(version.id),
            image_side_px=hub().settings.image_side_px,
        )
    )


def _files(version: DatasetVersion, export: Export) -> dict[str, DescribedFile]:
    """Return the files whose sha256 is known, by what they are."""
    opened, whole = (OpenExport(version, of, export, of.files(export)) for of in (FORMATS["csv"], ZIP))
    found = {}
    for kind, name, words in (
        ("pictures", PICTURES_CSV, "One row a picture."),
        ("labels", "labels.csv", "Class indices and names."),
    ):
        if kind == "labels" or name in opened.known or opened.version.image_count <= LISTED_UP_TO_IMAGES:
            known = opened.find_out(name)
            found[kind] = _described(opened, name, known.sha256, known.size_bytes, words)
    if known_zip := whole.known.get(whole.files[0].name):
        found["zip"] = _described(
            whole, whole.files[0].name, known_zip.sha256, known_zip.size_bytes, "All pictures, a folder a label."
        )
    # What the digest is the sha256 of: that of this file is known before anybody reads it.
    found["content"] = _described(opened, CONTENT, opened.version.digest, None, "The text that the dataset's digest is made of.")
    return found


def _described(opened: OpenExport, name: str, sha256: str, size_bytes: int | None, description: str) -> DescribedFile:
    file = next(of for of in opened.files if of.name == name)
    url = url_for("exports.file", version_id=opened.version.id, format_name=opened.format.name, file_name=name, _external=True)
    return DescribedFile(name, url, file.media_type, sha256, size_bytes, description)
