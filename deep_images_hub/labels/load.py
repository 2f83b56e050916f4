"""Take label files into the catalogue."""

from pathlib import Path

from sqlalchemy import Connection

from deep_images_hub.catalogue.labels import LoadedGraph, load_graph
from deep_images_hub.labels.csv_file import read_label_csv
from deep_images_hub.labels.open_images import read_open_images


def load_labels(connection: Connection, path: Path, hierarchy_path: Path | None = None) -> LoadedGraph:
    """Load labels into the catalogue; nothing is taken away, and loading the same files again changes nothing.

    Args:
        path: with a hierarchy, Open Images' class descriptions; without, a CSV of label, parent.
        hierarchy_path: Open Images' hierarchy, or None.

    Raises:
        NotFoundError: a file does not exist.
        InvalidInputError: a file has another form, or labels would lie under themselves.
    """
    if hierarchy_path is None:
        return load_graph(connection, read_label_csv(path), source="csv")
    return load_graph(connection, read_open_images(path, hierarchy_path), source="open_images")
