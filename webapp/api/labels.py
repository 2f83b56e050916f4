"""Labels: the graph, counts and search."""

from deep_images_hub.catalogue.labels import (
    Label,
    LabelCursor,
    aliases_of,
    ancestors,
    find_labels,
    label_by_code,
    label_children,
    labels_by_count,
    labels_by_ids,
)
from deep_images_hub.errors import NotFoundError
from deep_images_hub.wire import labels as wire
from webapp.access import public
from webapp.api.cursors import following, place_of
from webapp.api.operations import api
from webapp.services import hub


@api.get("/labels", tag="Labels", query=wire.LabelsAsked, answer=wire.LabelPage)
@public
def list_labels(query: wire.LabelsAsked) -> wire.LabelPage:
    """List the labels right under a label, or under no other.

    Labels that have labels under them come first, then by name.
    """
    place = place_of(query.cursor)
    with hub().engine.connect() as connection:
        label_id = None if query.under is None else label_by_code(connection, query.under).id
        found = label_children(connection, label_id=label_id, after=LabelCursor(*place) if place else None, limit=query.limit + 1)
    shown = found[: query.limit]
    more = len(found) > query.limit
    return wire.LabelPage(labels=_answers(shown), next=following(list(vars(shown[-1].cursor).values())) if more else None)


@api.get("/labels/search", tag="Labels", query=wire.LabelSearchAsked, answer=wire.FoundLabels)
@public
def search_labels(query: wire.LabelSearchAsked) -> wire.FoundLabels:
    """Find labels by a piece of a name or of an alias, or by a whole code. Best first."""
    with hub().engine.connect() as connection:
        found = find_labels(connection, text=query.q, limit=query.limit)
    return wire.FoundLabels(labels=[wire.FoundLabel.model_validate(label) for label in found])


@api.get("/labels/by-code", tag="Labels", query=wire.LabelCodeAsked, answer=wire.LabelDetail)
@public
def read_label_by_code(query: wire.LabelCodeAsked) -> wire.LabelDetail:
    """Give the label that has a code, the name to write down: numbers differ among hubs."""
    with hub().engine.connect() as connection:
        label_id = label_by_code(connection, query.code).id
    return read_label(label_id)


@api.get("/labels/by-count", tag="Labels", query=wire.LabelCountsAsked, answer=wire.LabelPage)
@public
def list_labels_by_count(query: wire.LabelCountsAsked) -> wire.LabelPage:
    """List labels by how many pictures they have with everything under them, fewest first: those that are short."""
    place = place_of(query.cursor)
    with hub().engine.connect() as connection:
        after = labels_by_ids(connection, [place]).get(place) if place else None
        found = labels_by_count(
            connection, min_images=query.min_images, max_images=query.max_images, after=after, limit=query.limit + 1
        )
    shown = found[: query.limit]
    more = len(found) > query.limit
    return wire.LabelPage(labels=_answers(shown), next=following(shown[-1].id) if more else None)


@api.get("/labels/<int:label_id>", tag="Labels", answer=wire.LabelDetail)
@public
def read_label(label_id: int) -> wire.LabelDetail:
    """Give a label, what else it is called, and every label above it."""
    with hub().engine.connect() as connection:
        label = labels_by_ids(connection, [label_id]).get(label_id)
        if label is None:
            raise NotFoundError("There is no such label. It may have been on another hub: look for it by code.")
        return wire.LabelDetail(
            **vars(label),
            aliases=aliases_of(connection, label_id=label_id),
            ancestors=_answers(ancestors(connection, label_id=label_id)),
        )


def _answers(labels: list[Label]) -> list[wire.Label]:
    return [wire.Label.model_validate(label) for label in labels]
