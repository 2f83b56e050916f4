"""Downloads of a dataset version: its formats, the files of each, for the whole or a part, with a session or by a signed link.

Where pictures of a version were taken down, every address here gives what is left of it.
"""

import shlex

from flask import Blueprint, Response, current_app, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from deep_images_hub.catalogue.datasets import DatasetVersion
from deep_images_hub.datasets.exports.export import Export
from deep_images_hub.datasets.exports.formats import FORMATS
from deep_images_hub.datasets.exports.identity import etag_of
from deep_images_hub.datasets.exports.lists import CSV_TYPE, csv_blocks
from deep_images_hub.datasets.recipe import SPLITS
from deep_images_hub.datasets.slugs import file_stem
from deep_images_hub.errors import ConflictError, ForbiddenError
from webapp.access import public, requires
from webapp.exporting import ZIP, OpenExport, open_exported
from webapp.services import hub

blueprint = Blueprint("exports", __name__, url_prefix="/datasets")

# A link for the command line opens one dataset's downloads to whoever holds it, for this long.
LINK_HOURS = 24
# A picture that is taken down can be had by its signed address for as long; so not for longer.
URL_LIFETIME_S = 3_600
_LINK_SALT = "dataset download"


@blueprint.get("/<int:version_id>/exports/<format_name>")
@requires("download")
def page(version_id: int, format_name: str) -> ResponseReturnValue:
    """Show the files of a version in a format, and how to get and load them."""
    opened = open_exported(version_id, format_name, request.args)
    export, token = opened.export, _link_token(opened.version)
    return render_template(
        "export.html",
        asked_id=version_id,
        opened=opened,
        export=export,
        formats=FORMATS.values(),
        labels=sorted(export.names.items(), key=lambda label: label[1].casefold()),
        splits=SPLITS,
        sizes={of["name"]: of["size_bytes"] for of in opened.manifest()["files"]},
        list_url=_file_url(token, opened, "files.txt"),
        command=_command(token, opened),
        link_hours=LINK_HOURS,
    )


@blueprint.get("/<int:version_id>/exports/<format_name>/<file_name>")
@requires("download")
def file(version_id: int, format_name: str, file_name: str) -> ResponseReturnValue:
    """Stream a file of an export."""
    return answer_file(open_exported(version_id, format_name, request.args), file_name)


@blueprint.get("/links/<token>/<format_name>/<file_name>")
@public  # whoever made the link had the permission; its signature says so
def file_by_link(token: str, format_name: str, file_name: str) -> ResponseReturnValue:
    """Stream a file of an export of the dataset that a signed link stands for."""
    opened = open_exported(_version_of(token), format_name, request.args)
    check_unchanged(opened, file_name)
    if file_name == "files.txt":
        urls = [_file_url(token, opened, of.name) for of in opened.files]
        headers = {"Cache-Control": "private, no-store"}
        return Response("\n".join(urls) + "\n", content_type="text/plain; charset=utf-8", headers=headers)
    return answer_file(opened, file_name)


@blueprint.get("/<int:version_id>/download")
@requires("download")
def download(version_id: int) -> ResponseReturnValue:
    """Stream the whole as a zip."""
    return _zip_of(version_id)


@blueprint.get("/links/<token>")
@public  # as above
def download_by_link(token: str) -> ResponseReturnValue:
    """Stream the zip that a signed link stands for."""
    return _zip_of(_version_of(token))


def zip_command(export: Export, version: DatasetVersion) -> str:
    """Return what to type to download a version as a zip without a browser."""
    (file,) = ZIP.files(export)
    etag = etag_of(export, ZIP, file)
    url = url_for("exports.download_by_link", token=_link_token(version), etag=etag, _external=True)
    return f"curl -fL -C - -o {shlex.quote(file.name)} {shlex.quote(url)}"


def _command(token: str, opened: OpenExport) -> str:
    """Return what to type for all files, into a folder: curl goes on with what has the same name, of another dataset too."""
    folder = f"{file_stem(opened.version.name)}-{opened.format.name}-{_etag(opened, 'files.txt')[:12]}"
    listed = shlex.quote(_file_url(token, opened, "files.txt"))
    return f"(mkdir -p {folder} && cd {folder} && curl -f {listed} | xargs -n 1 curl -fL -C - -O)"


def check_unchanged(opened: OpenExport, file_name: str) -> None:
    """Raise ConflictError when the address of a request says other bytes: files of before and of now make no dataset together."""
    if request.args.get("etag") not in (None, _etag(opened, file_name)):
        raise ConflictError(
            "What this link is for has changed; most likely a picture was taken down. Open the dataset's page for a new link, "
            "or list its files again, and take all of them again."
        )


def answer_file(opened: OpenExport, file_name: str) -> ResponseReturnValue:
    """Send a file of an export, or one of those that say what is in it. Raises NotFoundError."""
    if file_name == "manifest.json":
        return jsonify(opened.manifest())
    if file_name == "urls.csv":
        return _urls(opened)
    return opened.send(file_name)


def _urls(opened: OpenExport) -> Response:
    """Send the address of each picture: the store's own, signed for a while, or where it has none the portal's."""
    export, store = opened.export, hub().store
    no_sha256 = "0" * 64
    portals = url_for("images.picture", sha256=no_sha256, _external=True)
    rows = (
        (
            of.sha256,
            of.split,
            of.label_code,
            export.class_indices[of.label_code],
            store.signed_url(of.picture_key, lifetime_s=URL_LIFETIME_S) or portals.replace(no_sha256, of.sha256),
        )
        for split in export.splits
        for of in export.pictures(split)
    )
    blocks = csv_blocks(("sha256", "split", "label_code", "class_index", "url"), rows)
    return Response(blocks, content_type=CSV_TYPE, headers={"Cache-Control": "private, no-store"})


def _zip_of(version_id: int) -> Response:
    opened = open_exported(version_id, ZIP.name, {})
    return opened.send(opened.files[0].name)


def _file_url(token: str, opened: OpenExport, file_name: str) -> str:
    url = url_for(
        "exports.file_by_link",
        token=token,
        format_name=opened.format.name,
        file_name=file_name,
        **opened.export.part.query,
        etag=_etag(opened, file_name),
        _external=True,
    )
    # An address may hold it as it is, but xargs takes it for a quotation mark.
    return url.replace("'", "%27")


def _etag(opened: OpenExport, file_name: str) -> str:
    """Return what stands for a file's bytes; for a list of all files, that of the first."""
    return opened.etags.get(file_name, opened.etags[opened.files[0].name])


def _link_token(version: DatasetVersion) -> str:
    """Return the part of an address that opens a dataset's downloads without a session."""
    return _links().dumps(version.id)


def _version_of(token: str) -> int:
    try:
        version_id: int = _links().loads(token, max_age=LINK_HOURS * 3600)
    except SignatureExpired:
        raise ForbiddenError(
            f"This link was good for {LINK_HOURS} hours, which are over. Open the dataset's page for a new one."
        ) from None
    except BadSignature:
        raise ForbiddenError(
            "This link was not made by this hub, or it was cut off. Copy it again from the dataset's page."
        ) from None
    return version_id


def _links() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=_LINK_SALT)
