"""Croissant: a description of a dataset version that search engines and loaders read. Pure.

It is JSON-LD in the vocabulary of schema.org and MLCommons: what there is to download, with sha256; which columns it has, and
which of them say label and split; licences, citation, and the fields for responsible AI from what the ledger knows.

Source: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html and croissant-rai-spec.html.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_SPLIT_KINDS = {"train": "cr:TrainingSplit", "validation": "cr:ValidationSplit", "test": "cr:HeldOut"}
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
# Columns of pictures.csv: what they hold, and what they are to a loader.
_COLUMNS: dict[str, tuple[str | list[str], str]] = {
    "file_name": ("sc:Text", "Path of the picture in the ImageFolder zip."),
    "split": (["sc:Text", "cr:Split"], "Pictures of one batch, and near-duplicates, never lie in two splits."),
    "label_code": (["sc:Text", "cr:Label"], "What the picture shows, by the label's code."),
    "label": ("sc:Text", "The label's name."),
    "class_index": ("cr:Int32", "The label's number, the same in every format."),
    "sha256": ("sc:Text", "Of the photograph as it was sent; the picture's name in the hub."),
    "group": ("sc:Text", "Pictures with the same are never parted by a split."),
    "licence_url": ("sc:URL", "The picture's licence."),
    "attribution": ("sc:Text", "Whom to name; empty: nobody asked for it."),
    "taken_at": ("sc:Text", "When it was taken, in UTC; empty: nobody said."),
    "country_code": ("sc:Text", "Where its batch comes from; empty: the supplier did not share it."),
    "city": ("sc:Text", "Likewise."),
}


@dataclass(frozen=True)
class DescribedFile:
    """A file to download. size_bytes: None where only reading it tells."""

    name: str
    url: str
    media_type: str
    sha256: str
    size_bytes: int | None = None
    description: str | None = None


@dataclass(frozen=True)
class Facts:
    """What the ledger knows of a version's pictures.

    Attributes:
        batch_count: batches that they came in.
        first_taken_at, last_taken_at: None when nobody said.
        placed_count: pictures whose supplier shared a city.
    """

    batch_count: int
    first_taken_at: datetime | None
    last_taken_at: datetime | None
    placed_count: int


@dataclass(frozen=True)
class Description:
    """All that a description says of a version.

    Attributes:
        name, digest, created_at: of the version.
        image_count, label_names: how many pictures, of which labels.
        patch_count: versions of which this is what was left, one after the other.
        url: its page.
        citation: as BibTeX.
        licence_urls: of its pictures.
        splits: that have pictures.
        files: by what they are: `pictures`, `labels`, `content`, `zip` (ImageFolder); those whose sha256 is known.
        image_side_px: short side of the pictures.
    """

    name: str
    digest: str
    created_at: datetime
    image_count: int
    label_names: Sequence[str]
    patch_count: int
    url: str
    citation: str
    licence_urls: Sequence[str]
    splits: Sequence[str]
    files: Mapping[str, DescribedFile]
    facts: Facts
    image_side_px: int


def croissant(of: Description) -> dict[str, Any]:
    """Return the description of a version as JSON values."""
    labels = len(of.label_names)
    named = ", ".join(sorted(of.label_names)[:20]) + (f" and {labels - 20} more" if labels > 20 else "")
    organization = {"@type": "sc:Organization", "name": "Deep Images Hub"}
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "@id": of.url,
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": of.name,
        "description": f"{of.image_count:,} photographs of {labels:,} labels, from a crowd: {named}. "
        f"Its content has the sha256 {of.digest} and never changes.",
        "url": of.url,
        "identifier": f"sha256:{of.digest}",
        # What was taken down is missing from a patch: by SemVer a change that is not compatible.
        "version": f"{1 + of.patch_count}.0.0",
        "isLiveDataset": False,
        "license": list(of.licence_urls),
        "citeAs": of.citation,
        "creator": organization,
        "publisher": organization,
        "dateCreated": _date(of.created_at),
        "datePublished": _date(of.created_at),
        "keywords": ["image classification", *sorted(of.label_names)[:20]],
        "distribution": [*(_file_object(file) for file in of.files.values()), *_image_files(of)],
        "recordSet": _record_sets(of),
        **_responsible_ai(of),
    }


def _file_object(file: DescribedFile) -> dict[str, Any]:
    described = {"description": file.description} if file.description else {}
    sized = {"contentSize": f"{file.size_bytes} B"} if file.size_bytes is not None else {}
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        **described,
        "contentUrl": file.url,
        "encodingFormat": file.media_type.partition(";")[0],
        **sized,
        "sha256": file.sha256,
    }


def _image_files(of: Description) -> list[dict[str, Any]]:
    """Describe the pictures within the zip."""
    if "zip" not in of.files:
        return []
    return [
        {
            "@type": "cr:FileSet",
            "@id": "image-files",
            "name": "image-files",
            "description": "The pictures, named by the sha256 of the original.",
            "containedIn": {"@id": of.files["zip"].name},
            "encodingFormat": "image/jpeg",
            "includes": ["*/*/*.jpg", "*/*/*/*.jpg"],
        }
    ]


def _record_sets(of: Description) -> list[dict[str, Any]]:
    sets = [
        {
            "@type": "cr:RecordSet",
            "@id": "splits",
            "name": "splits",
            "dataType": "cr:Split",
            "key": {"@id": "splits/name"},
            "field": [_field("splits", "name", "sc:Text"), _field("splits", "url", "sc:URL")],
            "data": [{"splits/name": split, "splits/url": _SPLIT_KINDS[split]} for split in of.splits],
        }
    ]
    if labels := of.files.get("labels"):
        columns: dict[str, str] = {"class_index": "cr:Int32", "folder": "sc:Text", "label_code": "sc:Text", "label": "sc:Text"}
        sets.append(
            {
                "@type": "cr:RecordSet",
                "@id": "labels",
                "name": "labels",
                "dataType": "sc:Enumeration",
                "key": {"@id": "labels/label_code"},
                "field": [_field("labels", name, kind, column_of=labels.name) for name, kind in columns.items()],
            }
        )
    if pictures := of.files.get("pictures"):
        references = {"split": "splits/name"} | ({"label_code": "labels/label_code"} if labels else {})
        sets.append(
            {
                "@type": "cr:RecordSet",
                "@id": "pictures",
                "name": "pictures",
                "description": "One record a picture.",
                "key": {"@id": "pictures/sha256"},
                "field": [
                    _field("pictures", name, kind, description=words, column_of=pictures.name, references=references.get(name))
                    for name, (kind, words) in _COLUMNS.items()
                ],
            }
        )
    if "zip" in of.files:
        sets.append(_image_set())
    return sets


def _image_set() -> dict[str, Any]:
    image = _field("images", "image", "sc:ImageObject", description="The picture: upright, sRGB.")
    image["source"] = {"fileSet": {"@id": "image-files"}, "extract": {"fileProperty": "content"}}
    sha256 = _field("images", "sha256", "sc:Text", description="As in the records `pictures`.")
    sha256["source"] = {
        "fileSet": {"@id": "image-files"},
        "extract": {"fileProperty": "filename"},
        "transform": {"regex": r"^([0-9a-f]{64})\.jpg$"},
    }
    return {
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "images",
        "key": {"@id": "images/sha256"},
        "field": [image, sha256],
    }


def _field(
    record_set: str,
    name: str,
    kind: str | list[str],
    *,
    description: str | None = None,
    column_of: str | None = None,
    references: str | None = None,
) -> dict[str, Any]:
    field: dict[str, Any] = {"@type": "cr:Field", "@id": f"{record_set}/{name}", "name": name, "dataType": kind}
    if description:
        field["description"] = description
    if column_of:
        field["source"] = {"fileObject": {"@id": column_of}, "extract": {"column": name}}
    if references:
        field["references"] = {"field": {"@id": references}}
    return field


def _responsible_ai(of: Description) -> dict[str, Any]:
    facts = of.facts
    taken = [time for time in (facts.first_taken_at, facts.last_taken_at) if time is not None]
    return {
        "rai:dataCollection": (
            f"Suppliers sent the photographs in {facts.batch_count:,} batches, each of one label, under a licence they chose."
        ),
        "rai:dataCollectionType": ["User-generated content data"],
        **({"rai:dataCollectionTimeframe": [_date(time) for time in taken]} if taken else {}),
        "rai:dataPreprocessingProtocol": [
            f"Upright, sRGB, short side at most {of.image_side_px} pixels, JPEG; what the camera wrote into the file is removed.",
            "Checked for damage, duplicates, size, light, blur and information; a ledger says why each that fails was refused.",
        ],
        "rai:dataAnnotationProtocol": [
            "The supplier of a batch names its label.",
            "A network compares them with known pictures of the label; operators decide on those that it doubts.",
        ],
        "rai:annotationsPerItem": "1",
        "rai:personalSensitiveInformation": [
            f"Places are shared by choice and coarse: {facts.placed_count:,} of {of.image_count:,} photographs have a city.",
            "Names are given only where a supplier asked for an attribution.",
        ],
        "rai:dataLimitations": [
            "Pictures of one batch have one hand, one camera and one afternoon in common.",
            "A label with few batches may lack a split.",
        ],
        "rai:dataReleaseMaintenancePlan": (
            "A version never changes. Where a picture is taken down, one without it takes its place, and names it by sha256."
        ),
    }


def _date(time: datetime) -> str:
    return time.astimezone(UTC).date().isoformat()
