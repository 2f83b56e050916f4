"""Labels in the catalogue: reading, searching, adding one, loading a whole graph. Their counts are kept by `label_counts`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.label_counts import lock_graph, recount
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.errors import ConflictError, NotFoundError
from deep_images_hub.labels.graph import LabelEdge, LabelGraph, clean_text


@dataclass(frozen=True)
class Label:
    """A label with its counts.

    Attributes:
        id: its row.
        code: its name outside the catalogue, such as `/m/014j1m`; unique.
        name: for people; may repeat.
        own_images: pictures whose current label it is.
        subtree_images: those, and the pictures of all labels under it.
        has_children: whether labels lie right under it, by any relation.
    """

    id: int
    code: str
    name: str
    own_images: int
    subtree_images: int
    has_children: bool

    @property
    def cursor(self) -> "LabelCursor":
        """Where it stands among the children of a label: hand it over as `after` to read on."""
        return LabelCursor(is_leaf=not self.has_children, name=self.name.lower(), id=self.id)


@dataclass(frozen=True)
class FoundLabel(Label):
    """A label that was searched for. alias: what else it is called, where that was found and not its name."""

    alias: str | None


@dataclass(frozen=True)
class LabelCursor:
    """A place in a list of children, which goes by these three in turn."""

    is_leaf: bool
    name: str
    id: int


@dataclass(frozen=True)
class LoadedGraph:
    """How many rows loading a graph changed; all zero when it was loaded before."""

    labels_added: int
    labels_renamed: int
    edges_added: int
    closure_changed: int


def _labels(connection: Connection, query: str, **parameters: Any) -> list[Label]:
    return [
        Label(row.id, row.code, row.name, row.own_images, row.subtree_images, row.has_children)
        for row in connection.execute(load_query(query), parameters)
    ]


def label_by_code(connection: Connection, code: str) -> Label:
    """Return a label. Raises NotFoundError."""
    for label in _labels(connection, "labels_existing", codes=[code]):
        return label
    raise NotFoundError(f"There is no label with the code {code!r}. Look for it by name, or add it first.")


def label_by_words(connection: Connection, words: str) -> Label:
    """Return the label that has a code or, whatever its case, a name.

    Raises:
        NotFoundError: no label has; those whose name holds it are said.
        ConflictError: several labels have the name; their codes are said.
    """
    found = find_labels(connection, text=words, limit=50)
    wanted = clean_text(words).lower()
    for exactly in (
        [label for label in found if label.code.lower() == wanted],
        [label for label in found if label.name.lower() == wanted],
    ):
        if len(exactly) == 1:
            return exactly[0]
        if exactly:
            listed = ", ".join(label.code for label in exactly)
            raise ConflictError(
                f"Several labels are called {exactly[0].name!r}: {listed}. Give the code of the one that is meant."
            )
    near = ", ".join(f"{label.name} ({label.code})" for label in found[:5])
    hint = f"Is one of these meant: {near}?" if near else "Look for it under Labels."
    raise NotFoundError(f"No label has the name or code {words[:100]!r}. {hint}")


def labels_by_codes(connection: Connection, codes: Collection[str]) -> dict[str, Label]:
    """Return those of the labels that exist, by code."""
    return {label.code: label for label in _labels(connection, "labels_existing", codes=list(codes))}


def labels_by_ids(connection: Connection, label_ids: Collection[int]) -> dict[int, Label]:
    """Return those of the labels that exist, by id."""
    return {label.id: label for label in _labels(connection, "labels_by_ids", ids=list(label_ids))}


def label_names(connection: Connection) -> dict[str, str]:
    """Return the name of every label by its code."""
    return {row.code: row.name for row in connection.execute(text("select code, name from labels"))}


def label_ids(connection: Connection) -> dict[str, int]:
    """Return the id of every label by its code."""
    return {row.code: row.id for row in connection.execute(text("select code, id from labels"))}


def find_labels(connection: Connection, *, text: str, limit: int = 20) -> list[FoundLabel]:
    """Search labels by a piece of their name or of what else they are called, whatever its case, or by their whole code.

    Best first. There are no wildcards.
    """
    wanted = clean_text(text).lower()
    if not wanted:
        return []
    rows = connection.execute(load_query("labels_found"), {"wanted": wanted, "limit": limit})
    return [FoundLabel(**row._mapping) for row in rows]


def aliases_of(connection: Connection, *, label_id: int) -> list[str]:
    """Return what else a label is called, by alphabet."""
    found = text("select alias from label_aliases where label_id = :label_id order by lower(alias), alias")
    return list(connection.execute(found, {"label_id": label_id}).scalars())


def add_aliases(connection: Connection, aliases: Collection[tuple[str, str]]) -> int:
    """Say what else labels are called, and return how many of these are new. Nothing is taken away.

    Args:
        aliases: pairs of a label's code, or its name whatever its case, and another word for it. Those of labels that are not
            here, or of a name that several labels have, are passed over.
    """
    given = {"labels": [label for label, _ in aliases], "aliases": [alias for _, alias in aliases]}
    added: int = connection.execute(load_query("add_label_aliases"), given).scalar_one()
    return added


def label_children(
    connection: Connection, *, label_id: int | None, after: LabelCursor | None = None, limit: int = 200
) -> list[Label]:
    """Return the labels right under a label, by any relation, or those under no other when label_id is None.

    Labels that have children themselves come first, then by name. Read on with `after=page[-1].cursor`.
    """
    place: dict[str, Any] = {
        "after_is_leaf": after.is_leaf if after else None,
        "after_name": after.name if after else None,
        "after_id": after.id if after else None,
        "limit": limit,
    }
    if label_id is None:
        return _labels(connection, "label_roots", **place)
    return _labels(connection, "label_children", label_id=label_id, **place)


def ancestors(connection: Connection, *, label_id: int) -> list[Label]:
    """Return every label above a label, farthest first, without itself."""
    return _labels(connection, "labels_above", label_id=label_id)


def labels_under(connection: Connection, *, label_code: str) -> list[Label]:
    """Return a label and everything under it, by depth, then name. Empty when there is no such label."""
    return _labels(connection, "labels_under", label_code=label_code)


def labels_by_count(
    connection: Connection,
    *,
    min_images: int | None = None,
    max_images: int | None = None,
    after: Label | None = None,
    limit: int = 200,
) -> list[Label]:
    """Return the labels that have, with everything under them, at least and at most so many pictures; fewest first.

    Read on with `after=page[-1]`.
    """
    return _labels(
        connection,
        "labels_by_count",
        min_images=min_images,
        max_images=max_images,
        after_images=after.subtree_images if after else None,
        after_code=after.code if after else None,
        limit=limit,
    )


def add_label(connection: Connection, *, code: str, name: str, parent_code: str | None, source: str = "added") -> Label:
    """Add a new label under a parent, or as a root when parent_code is None.

    Raises:
        InvalidInputError: the code or the name is empty, too long or has odd white space.
        ConflictError: the code is taken.
        NotFoundError: the parent does not exist.
    """
    LabelGraph(names={code: name})
    lock_graph(connection)
    if parent_code is not None:
        label_by_code(connection, parent_code)
    if taken := labels_by_codes(connection, [code]):
        raise ConflictError(f"The code {code!r} is taken by the label {taken[code].name!r}. Choose another code.")
    connection.execute(load_query("add_label"), {"code": code, "name": name, "source": source, "parent_code": parent_code})
    return label_by_code(connection, code)


def parent_codes(connection: Connection, codes: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return the codes of the labels right above each of some, by code; those without any are left out."""
    rows = connection.execute(
        text(
            "select children.code, array_agg(parents.code) as parents from labels as children"
            " join label_closure on descendant_id = children.id and depth = 1 join labels as parents on parents.id = ancestor_id"
            " where children.code = any(:codes) group by children.code"
        ),
        {"codes": list(codes)},
    )
    return {row.code: frozenset(row.parents) for row in rows}


def read_graph(connection: Connection) -> LabelGraph:
    """Return all labels and edges."""
    edges = connection.execute(
        text(
            "select parents.code as parent, children.code as child, label_edges.relation from label_edges"
            " join labels as parents on parents.id = label_edges.parent_id"
            " join labels as children on children.id = label_edges.child_id"
        )
    )
    return LabelGraph(
        names=label_names(connection), edges=frozenset(LabelEdge(row.parent, row.child, row.relation) for row in edges)
    )


def load_graph(connection: Connection, graph: LabelGraph, *, source: str) -> LoadedGraph:
    """Add a graph's labels and edges to the catalogue's; nothing is taken away. Loading it again changes nothing.

    Labels that exist get the graph's name. Counts follow where labels came under new ancestors.

    Args:
        source: where the graph is from, such as `open_images`; kept with the labels that it adds.

    Raises:
        InvalidInputError: together with what is there, labels would lie under themselves.
    """
    lock_graph(connection)
    read_graph(connection).merged(graph)
    codes = list(graph.names)
    names = connection.execute(
        load_query("upsert_labels"), {"codes": codes, "names": [graph.names[code] for code in codes], "source": source}
    ).one()
    edges = sorted(graph.edges)
    edges_added: int = connection.execute(
        load_query("insert_edges"),
        {
            "parents": [edge.parent for edge in edges],
            "children": [edge.child for edge in edges],
            "relations": [edge.relation for edge in edges],
        },
    ).scalar_one()
    # Thousands of rows at once: by what PostgreSQL knew of the tables before, queries of them took minutes.
    connection.execute(text("analyze labels, label_edges"))
    closure_changed = refresh_closure(connection)
    connection.execute(text("analyze label_closure, label_counts"))
    return LoadedGraph(
        labels_added=names.added, labels_renamed=names.renamed, edges_added=edges_added, closure_changed=closure_changed
    )


def refresh_closure(connection: Connection) -> int:
    """Make the closure say what the edges say, and the counts with it; return how many rows of the closure were wrong."""
    lock_graph(connection)
    changed = connection.execute(load_query("refresh_closure")).one()
    if changed.removed or changed.written:
        recount(connection)
    return int(changed.removed + changed.written)
