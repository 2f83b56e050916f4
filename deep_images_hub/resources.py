"""Files that the code reads but that are not code: sql/ and config/.

They lie at the top of a checkout, and under `deep_images_hub/resources/` in a wheel and in the zip that goes to Spark executors.
A zip has no paths, so a resource is a Traversable and not a Path.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def resource(path: str) -> Traversable:
    """Return a file or folder of sql/ or config/, e.g. `sql/queries/labels_under.sql`. It need not exist."""
    packaged = files("deep_images_hub").joinpath("resources")
    if packaged.is_dir():
        return packaged.joinpath(path)
    return Path(__file__).parent.parent / path
