"""What a label looks like to a network trained on ImageNet: which of its 1,000 classes show it. Reads config/labels alone.

`imagenet_1k.csv` names the classes by index; `imagenet_classes.csv` says which of them show a label, by WordNet id. "None" is an
answer too: a line without an id. A label without lines has those of the nearest label above it that has some.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from deep_images_hub.labels.graph import LabelGraph
from deep_images_hub.resources import resource

# Codes of Open Images begin so. Its labels are known by code alone: names repeat.
_OPEN_IMAGES_CODES = ("/m/", "/g/")


@dataclass(frozen=True)
class LabelClasses:
    """The classes of ImageNet that show a label, by index.

    Attributes:
        own: those that show what the label names. Empty: ImageNet has nothing that fits.
        kin: own, and those of the labels above it: a network that sees a lemon in a satsuma has at least seen a fruit.
    """

    own: frozenset[int] = frozenset()
    kin: frozenset[int] = frozenset()


@dataclass(frozen=True)
class ClassMapping:
    """Which classes show which label, as far as anybody said; empty where somebody said that none does.

    Attributes:
        by_code: of Open Images' labels.
        by_name: of all others, by their name as `_plain` has it.
    """

    by_code: Mapping[str, frozenset[int]] = field(default_factory=dict)
    by_name: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def said_of(self, code: str, name: str) -> frozenset[int] | None:
        """Return the classes that show a label, or None when nobody said anything of it."""
        if code.startswith(_OPEN_IMAGES_CODES):
            return self.by_code.get(code)
        plain = _plain(name)
        return self.by_name.get(plain, self.by_name.get(plain.removesuffix("s")))


def classes_by_label(graph: LabelGraph, mapping: ClassMapping) -> dict[str, LabelClasses]:
    """Return the classes of every label of a graph, by code.

    What a label names is shown by its own classes and those of every label under it. Where nobody said anything of either, it has
    the classes of the nearest labels above it of which somebody did.
    """
    said = {code: classes for code, name in graph.names.items() if (classes := mapping.said_of(code, name)) is not None}
    gathered = dict(said)
    above: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for (ancestor, code), depth in graph.closure().items():
        if depth and code in said:
            gathered[ancestor] = gathered.get(ancestor, frozenset()) | said[code]
        # Only labels of which something was said hand it down: what lies under Entity says nothing of a wheel.
        if depth and ancestor in said:
            above[code].append((depth, ancestor))
    found = {}
    for code in graph.names:
        nearest = [ancestor for depth, ancestor in above[code] if depth == min(above[code])[0]]
        own = gathered[code] if code in gathered else _joined(gathered[ancestor] for ancestor in nearest)
        # A label that is shown by nothing has no kin either: a milk carton is not to look like food.
        kin = own | _joined(gathered[ancestor] for _, ancestor in above[code]) if own else frozenset()
        found[code] = LabelClasses(own, kin)
    return found


@cache
def imagenet_mapping() -> ClassMapping:
    """Read config/labels/imagenet_classes.csv, once a process."""
    indexes = {row["wordnet_id"]: int(row["class_index"]) for row in _rows("imagenet_1k")}
    by_code: defaultdict[str, set[int]] = defaultdict(set)
    by_name: defaultdict[str, set[int]] = defaultdict(set)
    for row in _rows("imagenet_classes"):
        classes = {indexes[row["wordnet_id"]]} if row["wordnet_id"] else set()
        by_name[_plain(row["name"])] |= classes
        if row["code"]:
            by_code[row["code"]] |= classes
    return ClassMapping(_frozen(by_code), _frozen(by_name))


@cache
def imagenet_class_names() -> tuple[str, ...]:
    """Return the names of ImageNet's 1,000 classes by index, for people."""
    return tuple(row["name"] for row in _rows("imagenet_1k"))


def _rows(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(resource(f"config/labels/{name}.csv").read_text(encoding="utf-8").splitlines(), strict=True)


def _plain(name: str) -> str:
    """Return a name as names are compared: small letters, words parted by one space."""
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())


def _joined(sets: Iterable[frozenset[int]]) -> frozenset[int]:
    return frozenset().union(*sets)


def _frozen(sets: Mapping[str, set[int]]) -> dict[str, frozenset[int]]:
    return {key: frozenset(classes) for key, classes in sets.items()}
