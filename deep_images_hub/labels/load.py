"""Take label files into the catalogue."""

from importlib.resources import as_file
from pathlib import Path

from sqlalchemy import Connection

from deep_images_hub.catalogue.labels import LoadedGraph, add_aliases, load_graph
from deep_images_hub.labels.aliases import read_aliases
from deep_images_hub.labels.csv_file import read_label_csv
from deep_images_hub.labels.open_images import read_open_images
from deep_images_hub.resources import resource


def load_labels(connection: Connection, path: Path, hierarchy_path: Path | None = None) -> LoadedGraph:
    """Load labels into the catalogue, with what else they are called as far as config/labels/aliases.csv knows.

    Nothing is taken away, and loading the same files again changes nothing.

    Args:
        path: with a hierarchy, Open Images' class descriptions; without, a CSV of label, parent.
        hierarchy_path: Open Images' hierarchy, or None.

    Raises:
        NotFoundError: a file does not exist.
        InvalidInputError: a file has another form, or labels would lie under themselves.
    """
    if hierarchy_path is None:
        loaded = load_graph(connection, read_label_csv(path), source="csv")
    else:
        loaded = load_graph(connection, read_open_images(path, hierarchy_path), source="open_images")
    load_aliases(connection)
    return loaded


def load_aliases(connection: Connection, path: Path | None = None) -> int:
    """Load what else labels are called, from config/labels/aliases.csv or a file of its form; return how many words are new.

    Raises:
        NotFoundError: the file does not exist.
        InvalidInputError: it has another form.
    """
    if path is not None:
        return add_aliases(connection, read_aliases(path))
    with as_file(resource("config/labels/aliases.csv")) as own:
        return add_aliases(connection, read_aliases(own))
