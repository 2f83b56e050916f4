"""Labels and how they lie under one another: a graph in which a label may have several parents. Pure.

Two relations: a `subcategory` is a kind of its parent (an Apple is a Fruit), so a picture of it counts for the parent too; a
`part` belongs to its parent (a Wheel is part of a Car) and its pictures count for nobody else. The closure follows subcategories.
"""

import unicodedata
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from deep_images_hub.errors import InvalidInputError

SUBCATEGORY = "subcategory"
PART = "part"
RELATIONS = (SUBCATEGORY, PART)
MAX_TEXT_LENGTH = 200


@dataclass(frozen=True, order=True)
class LabelEdge:
    """One label (child) lies under another (parent); both by code. relation: one of RELATIONS."""

    parent: str
    child: str
    relation: str = SUBCATEGORY


@dataclass(frozen=True)
class LabelGraph:
    """Labels with their edges; neither relation goes in a circle.

    Attributes:
        names: display name by code. Names may repeat; codes do not.
        edges: each at most once.

    Raises:
        InvalidInputError: a code or name is empty or too long, an edge names an unknown label, or edges go in a circle.
    """

    names: Mapping[str, str]
    edges: frozenset[LabelEdge] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", MappingProxyType(dict(self.names)))
        object.__setattr__(self, "edges", frozenset(self.edges))
        for code, name in self.names.items():
            _check_text("code", code)
            _check_text("name", name)
        for edge in sorted(self.edges):
            self._check_edge(edge)
        for relation in RELATIONS:
            self._check_no_circle(relation)

    def _check_edge(self, edge: LabelEdge) -> None:
        if edge.relation not in RELATIONS:
            raise InvalidInputError(f"The relation {edge.relation!r} is unknown. Expected one of: {', '.join(RELATIONS)}.")
        for code in (edge.parent, edge.child):
            if code not in self.names:
                raise InvalidInputError(
                    f"The edge from {edge.parent!r} to {edge.child!r} names the label {code!r}, which does not exist. "
                    "Add it first."
                )

    def _check_no_circle(self, relation: str) -> None:
        children = self.children_by_parent(relation)
        finished: set[str] = set()
        for start in sorted(children):
            # Depth first with a stack of our own: a chain of labels may be deeper than Python's.
            path: list[str] = []
            on_path: set[str] = set()
            stack: list[tuple[str, bool]] = [(start, False)]
            while stack:
                code, is_left = stack.pop()
                if is_left:
                    path.pop()
                    on_path.discard(code)
                    finished.add(code)
                elif code in on_path:
                    circle = [*path[path.index(code) :], code]
                    raise InvalidInputError(
                        f"Labels cannot lie under themselves: {' > '.join(circle)} ({relation}). Remove one of these edges."
                    )
                elif code not in finished:
                    path.append(code)
                    on_path.add(code)
                    stack.append((code, True))
                    stack.extend((child, False) for child in reversed(children.get(code, [])))

    def children_by_parent(self, relation: str = SUBCATEGORY) -> dict[str, list[str]]:
        """Return the codes right under each label that has any, in order of code."""
        children: defaultdict[str, list[str]] = defaultdict(list)
        for edge in sorted(self.edges):
            if edge.relation == relation:
                children[edge.parent].append(edge.child)
        return dict(children)

    @property
    def roots(self) -> list[str]:
        """Codes of the labels under no other, in order."""
        below = {edge.child for edge in self.edges}
        return sorted(code for code in self.names if code not in below)

    def closure(self) -> dict[tuple[str, str], int]:
        """Return (ancestor, descendant) -> depth: the fewest subcategory steps between them; each label with itself at 0."""
        children = self.children_by_parent()
        depths: dict[tuple[str, str], int] = {}
        for ancestor in self.names:
            depths[ancestor, ancestor] = 0
            queue = deque([(ancestor, 0)])
            while queue:
                code, depth = queue.popleft()
                for child in children.get(code, ()):
                    # Breadth first: the first way that leads to a label is a shortest one.
                    if (ancestor, child) not in depths:
                        depths[ancestor, child] = depth + 1
                        queue.append((child, depth + 1))
        return depths

    def merged(self, other: "LabelGraph") -> "LabelGraph":
        """Return a graph with the labels and edges of both; where names differ, the other's hold.

        Raises:
            InvalidInputError: together they go in a circle.
        """
        return LabelGraph(names={**self.names, **other.names}, edges=self.edges | other.edges)


def clean_text(value: str) -> str:
    """Return a code or a name as it is kept: Unicode NFC, runs of white space as one space, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", value).split())


def graph_from_pairs(pairs: Iterable[tuple[str, str | None]]) -> LabelGraph:
    """Make a graph of labels that are named by their code: pairs of (label, parent), parent None or empty for a root."""
    names: dict[str, str] = {}
    edges = set()
    for label, parent in pairs:
        child = clean_text(label)
        names[child] = child
        if parent and (parent := clean_text(parent)):
            names[parent] = parent
            edges.add(LabelEdge(parent, child))
    return LabelGraph(names=names, edges=frozenset(edges))


def _check_text(kind: str, value: str) -> None:
    if not value or value != clean_text(value) or len(value) > MAX_TEXT_LENGTH:
        raise InvalidInputError(
            f"{value[:MAX_TEXT_LENGTH]!r} cannot be a label's {kind}: expected 1 to {MAX_TEXT_LENGTH} characters "
            "without white space at the ends, runs of spaces or control characters."
        )
