"""Read the labels of Open Images: its class descriptions (CSV) and the hierarchy of its boxable classes (JSON).

Source: storage.googleapis.com/openimages, `class-descriptions.csv` and `bbox_labels_600_hierarchy.json` (CC BY 4.0).
"""

import csv
import json
from pathlib import Path
from typing import Any

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.labels.graph import PART, SUBCATEGORY, LabelEdge, LabelGraph, clean_text
from deep_images_hub.labels.text_file import open_text

# The hierarchy's root has no class description.
ROOT_CODE = "/m/0bl9f"
ROOT_NAME = "Entity"

_RELATIONS = {"Subcategory": SUBCATEGORY, "Part": PART}


def read_open_images(descriptions: Path, hierarchy: Path) -> LabelGraph:
    """Return all described classes, and the edges between those of the hierarchy.

    Most classes are in no hierarchy and stand alone. Names repeat; codes do not.

    Args:
        descriptions: CSV without a header line: code, name.
        hierarchy: JSON: nodes of `LabelName`, `Subcategory` and `Part`, the last two lists of nodes.

    Raises:
        NotFoundError: a file does not exist.
        InvalidInputError: a file has another form, or the hierarchy names a class that is not described.
    """
    return LabelGraph(names=_read_names(descriptions), edges=_read_edges(hierarchy))


def _read_names(file: Path) -> dict[str, str]:
    names = {ROOT_CODE: ROOT_NAME}
    with open_text(file) as lines:
        rows = csv.reader(lines, strict=True)
        try:
            for row in rows:
                if len(row) != 2:
                    raise InvalidInputError(f"Line {rows.line_num} of {file} is {','.join(row)[:80]!r}. Expected: code,name.")
                names[clean_text(row[0])] = clean_text(row[1])
        except csv.Error as error:
            raise InvalidInputError(f"Line {rows.line_num} of {file} is not CSV: {error}.") from error
    return names


def _read_edges(file: Path) -> frozenset[LabelEdge]:
    with open_text(file) as stream:
        try:
            root = json.load(stream)
        except json.JSONDecodeError as error:
            raise InvalidInputError(f"{file} is not JSON: {error}.") from error
    edges = set()
    # A class hangs under each of its parents with everything below it, so most edges are met several times.
    nodes = [root]
    while nodes:
        node = nodes.pop()
        parent = _code(node, file)
        for key, relation in _RELATIONS.items():
            for child in node.get(key, ()):
                edges.add(LabelEdge(parent, _code(child, file), relation))
                nodes.append(child)
    return frozenset(edges)


def _code(node: Any, file: Path) -> str:
    if not isinstance(node, dict) or not isinstance(node.get("LabelName"), str):
        raise InvalidInputError(
            f"{file} holds {str(node)[:80]!r} where a class was expected: "
            "an object with LabelName, and Subcategory or Part as lists."
        )
    return clean_text(node["LabelName"])
