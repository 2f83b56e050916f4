"""Our code as one zip for Spark's executors, built when it changed.

Named .zip, since executors do not import from a .whl. It holds the packages and, under deep_images_hub/resources/, what they
read: sql/ and config/ (see `deep_images_hub.resources`); and which code it is, for a model's report.
"""

import hashlib
import importlib.util
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from deep_images_hub.code_version import CODE_VERSION_FILE, code_version
from deep_images_hub.errors import UnavailableError
from deep_images_hub.resources import resource

_PACKAGES = ("deep_images_hub", "models", "spark_jobs")
_RESOURCES = ("sql", "config")
_LEFT_OUT = frozenset({"__pycache__", "resources"})
_OLDEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def build_code_zip(folder: Path) -> Path:
    """Return the zip of the code as it is now, made in `folder` unless it is there. Same code and commit, same name, same bytes.

    Raises:
        UnavailableError: a package of ours is not installed.
        OSError: the folder cannot be written.
    """
    contents = {name: file.read_bytes() for name, file in sorted(_files())}
    contents[f"deep_images_hub/resources/{CODE_VERSION_FILE}"] = json.dumps(code_version(), sort_keys=True).encode()
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    path = folder / f"deep_images_hub-{digest.hexdigest()[:16]}.zip"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        # Put there whole: another command may be starting the same code.
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file, zipfile.ZipFile(file, "w") as archive:
            for name, content in contents.items():
                archive.writestr(zipfile.ZipInfo(name, _OLDEST_ZIP_TIME), content, zipfile.ZIP_DEFLATED)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    return path


def package_folder(package: str) -> Path:
    """Return the folder of one of our packages, without importing it."""
    found = importlib.util.find_spec(package)
    for folder in (found.submodule_search_locations or []) if found else []:
        return Path(folder)
    raise UnavailableError(f"The package {package} is not installed. Run the command through scripts/, from a checkout.")


def _files() -> Iterator[tuple[str, Path]]:
    """Yield each file's name in the zip, and the file."""
    for package in _PACKAGES:
        yield from _under(package_folder(package), package)
    for name in _RESOURCES:
        yield from _under(Path(str(resource(name))), f"deep_images_hub/resources/{name}")


def _under(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for file in folder.iterdir():
        if file.name in _LEFT_OUT or file.name.startswith("."):
            continue
        if file.is_dir():
            yield from _under(file, f"{name}/{file.name}")
        else:
            yield f"{name}/{file.name}", file
