"""Labels: search, the tree, and one label with its pictures."""

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.labels import aliases_of, ancestors, find_labels, label_by_code, label_children, labels_by_ids
from deep_images_hub.catalogue.overview import cover_images
from deep_images_hub.errors import NotFoundError
from webapp.access import public
from webapp.galleries import gallery_answer
from webapp.selection import selected
from webapp.services import hub
from webapp.wanted import of_label

blueprint = Blueprint("labels", __name__, url_prefix="/labels")

SUGGESTIONS = 8
FOUND_LABELS = 60
MAX_CHILDREN = 500
COVERED_LABELS = 24
MAX_QUERY_LENGTH = 100
SHOWN_DEMANDS = 3


@blueprint.get("")
@public
def index() -> ResponseReturnValue:
    """Search by a piece of a name, or show the tree from its top when nothing is searched for."""
    query = request.args.get("q", "").strip()[:MAX_QUERY_LENGTH]
    with hub().engine.connect() as connection:
        if query:
            found = find_labels(connection, text=query, limit=FOUND_LABELS)
            covers = cover_images(connection, label_ids=[label.id for label in found if label.subtree_images][:COVERED_LABELS])
            return render_template("labels_found.html", query=query, labels=found, covers=covers)
        roots = label_children(connection, label_id=None, limit=MAX_CHILDREN)
        # Most graphs have one label above all others, which says nothing: show what is under it.
        top = label_children(connection, label_id=roots[0].id, limit=MAX_CHILDREN) if len(roots) == 1 else roots
        largest = sorted((label for label in top if label.subtree_images), key=lambda label: -label.subtree_images)[
            :COVERED_LABELS
        ]
        covers = cover_images(connection, label_ids=[label.id for label in largest])
        return render_template("labels.html", top=top, largest=largest, covers=covers)


@blueprint.get("/by-code")
@public
def by_code() -> ResponseReturnValue:
    """Go to the label that has a code, such as `/m/014j1m`: the address to write down, since numbers differ among hubs."""
    with hub().engine.connect() as connection:
        label = label_by_code(connection, request.args.get("code", ""))
    return redirect(url_for("labels.page", label_id=label.id))


@blueprint.get("/suggestions")
@public
def suggestions() -> ResponseReturnValue:
    """Give the best few labels for what somebody is typing, as JSON."""
    query = request.args.get("q", "")[:MAX_QUERY_LENGTH]
    with hub().engine.connect() as connection:
        found = find_labels(connection, text=query, limit=SUGGESTIONS)
    return jsonify(
        labels=[
            {
                "name": label.name,
                "alias": label.alias,
                "code": label.code,
                "images": label.subtree_images,
                "url": url_for("labels.page", label_id=label.id),
            }
            for label in found
        ]
    )


@blueprint.get("/<int:label_id>/children")
@public
def children(label_id: int) -> ResponseReturnValue:
    """Give one level of the tree, as a piece of a page."""
    with hub().engine.connect() as connection:
        found = label_children(connection, label_id=label_id, limit=MAX_CHILDREN)
    return render_template("label_tree.html", labels=found)


@blueprint.get("/<int:label_id>")
@public
def page(label_id: int) -> ResponseReturnValue:
    """Show a label: what is above and under it, and its pictures, filtered and in the order that the address says."""
    with hub().engine.connect() as connection:
        label = labels_by_ids(connection, [label_id]).get(label_id)
        if label is None:
            raise NotFoundError("There is no such label. It may have been on another hub: look for it by name.")
        # The pictures that come next need nothing around them.
        is_part = request.args.get("part") == "1"
        # What is under a label, and what is wanted of it, stands on its first page alone.
        is_later = is_part or bool(request.args.get("after"))
        under = [] if is_later else label_children(connection, label_id=label_id, limit=MAX_CHILDREN)
        return gallery_answer(
            connection,
            "label.html",
            label_id=label_id,
            address={"endpoint": "labels.page", "label_id": label_id},
            label=label,
            aliases=[] if is_part else aliases_of(connection, label_id=label_id),
            above=[] if is_part else ancestors(connection, label_id=label_id),
            # Those with something to see come first.
            children=sorted(under, key=lambda child: child.subtree_images == 0),
            is_selected=label.code in selected().label_codes,
            demand={} if is_part else of_label(connection, label_id, limit=0 if is_later else SHOWN_DEMANDS),
        )
