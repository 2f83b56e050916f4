import os
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from deep_images_hub.catalogue.label_counts import add_image_counts, recount
from deep_images_hub.catalogue.labels import (
    add_aliases,
    add_label,
    aliases_of,
    ancestors,
    find_labels,
    label_by_code,
    label_children,
    labels_by_codes,
    labels_by_count,
    labels_by_ids,
    labels_under,
    load_graph,
    read_graph,
    refresh_closure,
)
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.labels.graph import LabelEdge, LabelGraph
from deep_images_hub.labels.load import load_aliases, load_labels
from tests.integration.catalogue.planting import GRAPH, plant_batch, plant_labels


@pytest.fixture(autouse=True)
def _labels(connection: Connection) -> None:
    plant_labels(connection)


def subtree(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        text("select code, subtree_images from label_counts join labels on id = label_id where subtree_images > 0")
    )
    return {row.code: row.subtree_images for row in rows}


def test_load_graph_again_changes_nothing(connection: Connection) -> None:
    again = load_graph(connection, GRAPH, source="test")

    assert (again.labels_added, again.labels_renamed, again.edges_added, again.closure_changed) == (0, 0, 0, 0)
    assert read_graph(connection) == GRAPH


def test_closure_in_the_catalogue_is_that_of_the_graph(connection: Connection) -> None:
    rows = connection.execute(
        text(
            "select above.code, below.code, depth from label_closure join labels above on above.id = ancestor_id"
            " join labels below on below.id = descendant_id"
        )
    )

    assert {(ancestor, descendant): depth for ancestor, descendant, depth in rows} == GRAPH.closure()


def test_load_graph_that_closes_a_circle_with_what_is_there_is_refused(connection: Connection) -> None:
    circle = LabelGraph(names={"apple": "Apple", "food": "Food"}, edges=frozenset({LabelEdge("apple", "food")}))

    with pytest.raises(InvalidInputError, match="Labels cannot lie under themselves"):
        load_graph(connection, circle, source="test")


def test_load_graph_with_a_new_parent_moves_counts_along(connection: Connection) -> None:
    plant_batch(connection, "b1", "apple", outcomes=["accepted"] * 3)
    above = LabelGraph(names={"apple": "Apples", "plant": "Plant"}, edges=frozenset({LabelEdge("plant", "apple")}))

    loaded = load_graph(connection, above, source="test")

    assert (loaded.labels_added, loaded.labels_renamed, loaded.edges_added) == (1, 1, 1)
    assert label_by_code(connection, "plant").subtree_images == 3
    assert label_by_code(connection, "apple").name == "Apples"
    assert recount(connection) == []


def test_refresh_closure_after_an_edge_went_away_takes_back_counts(connection: Connection) -> None:
    plant_batch(connection, "b1", "apple", outcomes=["accepted"] * 3)
    connection.execute(text("delete from label_edges using labels where labels.id = parent_id and labels.code = 'snack'"))

    # snack > apple, snack > hells-kitchen, food > hells-kitchen; food still reaches apple by fruit.
    assert refresh_closure(connection) == 3
    assert refresh_closure(connection) == 0
    assert subtree(connection) == {"apple": 3, "fruit": 3, "food": 3}


def test_add_label_under_a_parent_appears_under_every_ancestor(connection: Connection) -> None:
    added = add_label(connection, code="granny's", name='Granny\'s "Smith"; --', parent_code="apple")

    assert [label.code for label in ancestors(connection, label_id=added.id)] == ["food", "fruit", "snack", "apple"]
    for code in ("food", "fruit", "snack", "apple"):
        assert added in labels_under(connection, label_code=code)
    assert refresh_closure(connection) == 0
    plant_batch(connection, "b1", "granny's", outcomes=["accepted"] * 2)
    assert subtree(connection) == {"granny's": 2, "apple": 2, "fruit": 2, "snack": 2, "food": 2}


def test_add_label_without_parent_is_a_root(connection: Connection) -> None:
    added = add_label(connection, code="Z", name="Z", parent_code=None)

    assert ancestors(connection, label_id=added.id) == []
    assert added in label_children(connection, label_id=None)


@pytest.mark.parametrize(
    ("code", "parent", "error", "message"),
    [
        ("apple", "food", ConflictError, "'apple' is taken by the label 'Apple'"),
        ("new", "nowhere", NotFoundError, "no label with the code 'nowhere'"),
        (" new", "food", InvalidInputError, "cannot be a label's code"),
    ],
)
def test_add_label_that_cannot_be_says_why(
    connection: Connection, code: str, parent: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        add_label(connection, code=code, name="New", parent_code=parent)


def test_labels_by_codes_and_ids_leave_out_what_does_not_exist(connection: Connection) -> None:
    found = labels_by_codes(connection, ["apple", "hells-kitchen", "x' or '1'='1"])

    assert set(found) == {"apple", "hells-kitchen"}
    assert labels_by_ids(connection, [found["apple"].id, -1]) == {found["apple"].id: found["apple"]}
    assert labels_by_codes(connection, []) == {}


def test_labels_under_holds_leaves_and_parents_but_no_parts(connection: Connection) -> None:
    assert [label.code for label in labels_under(connection, label_code="food")] == [
        "food",
        "fruit",
        "snack",
        "apple",
        "hells-kitchen",
        "pear",
    ]
    assert [label.code for label in labels_under(connection, label_code="car")] == ["car"]
    assert labels_under(connection, label_code="nowhere") == []


def test_label_children_by_pages_come_each_once_with_parents_first(connection: Connection) -> None:
    page = label_children(connection, label_id=None, limit=2)
    pages = [page]
    while page := label_children(connection, label_id=None, after=page[-1].cursor, limit=2):
        pages.append(page)

    assert [[label.code for label in page] for page in pages] == [["car", "food"], ["crane1", "crane2"]]


def test_label_children_of_a_label_hold_its_parts_too(connection: Connection) -> None:
    car, food = label_by_code(connection, "car"), label_by_code(connection, "food")

    assert [label.code for label in label_children(connection, label_id=car.id)] == ["wheel"]
    assert [label.code for label in label_children(connection, label_id=food.id)] == ["fruit", "snack"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("crane", ["crane1", "crane2"]),
        ("CRANE2", ["crane2"]),
        ("kit", ["hells-kitchen"]),
        ("hell's", ["hells-kitchen"]),
        ("e", ["apple", "crane1", "crane2", "hells-kitchen", "pear", "wheel"]),
        ("%", []),
        ("_", []),
        ("  ", []),
    ],
)
def test_find_labels_by_a_piece_of_the_name(connection: Connection, text: str, codes: list[str]) -> None:
    assert sorted(label.code for label in find_labels(connection, text=text)) == codes


def test_find_labels_by_what_else_they_are_called(connection: Connection) -> None:
    aliases = [("Apple", "pomme"), ("pear", "POMME de rien"), ("crane", "bird"), ("nothing", "pomme"), ("apple", "50 %' <b>")]
    assert add_aliases(connection, aliases) == 3
    assert add_aliases(connection, aliases) == 0

    assert [(label.code, label.alias) for label in find_labels(connection, text="pomme")] == [
        ("apple", "pomme"),
        ("pear", "POMME de rien"),
    ]
    # A name goes before other words, and says nothing of these.
    assert [(label.code, label.alias) for label in find_labels(connection, text="apple")] == [("apple", None)]
    assert [label.code for label in find_labels(connection, text="%' <")] == ["apple"]
    assert aliases_of(connection, label_id=label_by_code(connection, "apple").id) == ["50 %' <b>", "pomme"]


def test_labels_that_are_loaded_come_with_what_else_they_are_called(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("label,parent\nrefrigerator,\n", encoding="utf-8")
    load_labels(connection, tmp_path / "labels.csv")
    assert [label.code for label in find_labels(connection, text="fridge")] == ["refrigerator"]
    for wrong in ("label,alias\nx,y\n", "label,also_called\nx\n", "label,also_called\nx,\n"):
        (tmp_path / "aliases.csv").write_text(wrong, encoding="utf-8")
        with pytest.raises(InvalidInputError, match=r"Expected|begins with"):
            load_aliases(connection, tmp_path / "aliases.csv")


def test_find_labels_puts_the_best_first(connection: Connection) -> None:
    for code, name in [("a", "Pineapple"), ("b", "Big apple"), ("c", "Applesauce")]:
        add_label(connection, code=code, name=name, parent_code=None)

    assert [label.name for label in find_labels(connection, text="apple", limit=3)] == ["Apple", "Applesauce", "Big apple"]


def test_labels_by_count_within_bounds_by_pages(connection: Connection) -> None:
    plant_batch(connection, "b1", "apple", outcomes=["accepted"] * 3)
    plant_batch(connection, "b2", "pear", outcomes=["accepted"] * 1)

    page = labels_by_count(connection, min_images=1, max_images=3, limit=2)
    assert [(label.code, label.subtree_images) for label in page] == [("pear", 1), ("apple", 3)]
    assert [label.code for label in labels_by_count(connection, min_images=1, max_images=3, after=page[-1])] == ["snack"]
    assert [label.code for label in labels_by_count(connection, min_images=4)] == ["food", "fruit"]
    assert "crane1" in [label.code for label in labels_by_count(connection, max_images=0)]


def test_counts_of_a_label_with_two_ways_to_the_top_count_each_picture_once(connection: Connection) -> None:
    plant_batch(connection, "b1", "apple", outcomes=["accepted"] * 3)
    plant_batch(connection, "b2", "fruit", outcomes=["accepted"] * 2)

    food, fruit = label_by_code(connection, "food"), label_by_code(connection, "fruit")
    assert (food.own_images, food.subtree_images) == (0, 5)
    assert (fruit.own_images, fruit.subtree_images) == (2, 5)
    assert recount(connection) == []


def test_recount_puts_right_what_was_kept_wrong_and_says_so(connection: Connection) -> None:
    plant_batch(connection, "b1", "apple", outcomes=["accepted"] * 3)
    connection.execute(
        text("update label_counts set own_images = 7, subtree_images = 9 from labels where id = label_id and code = 'apple'")
    )
    connection.execute(text("delete from label_counts using labels where id = label_id and code = 'pear'"))

    differences = {difference.label_code: difference for difference in recount(connection)}

    apple, pear = differences["apple"], differences["pear"]
    assert set(differences) == {"apple", "pear"}
    assert (apple.own_kept, apple.own_found, apple.subtree_kept, apple.subtree_found) == (7, 3, 9, 3)
    assert (pear.own_kept, pear.own_found) == (None, 0)
    assert recount(connection) == []


def test_add_image_counts_of_an_unknown_label_is_refused(connection: Connection) -> None:
    with pytest.raises(NotFoundError, match="no label with the id -5"):
        add_image_counts(connection, {label_by_code(connection, "apple").id: 1, -5: 1})


def test_load_labels_of_open_images_gives_the_graph_of_their_601_classes(connection: Connection) -> None:
    folder = os.environ.get("HUB_TEST_OPEN_IMAGES")
    if not folder:
        pytest.skip("HUB_TEST_OPEN_IMAGES names no folder with class-descriptions.csv and bbox_labels_600_hierarchy.json")
    files = Path(folder) / "class-descriptions.csv", Path(folder) / "bbox_labels_600_hierarchy.json"
    # As PostgreSQL's own statistics are of a catalogue that had a handful of labels until now.
    connection.execute(text("analyze labels, label_edges, label_closure, label_counts"))

    loaded = load_labels(connection, *files)

    assert loaded.edges_added == 685
    under_entity = labels_under(connection, label_code="/m/0bl9f")
    with_several_parents = connection.scalar(
        text(
            "select count(*) from (select child_id from label_edges join labels on id = child_id"
            " where relation = 'subcategory' and source = 'open_images' group by child_id having count(*) > 1) as several"
        )
    )
    assert with_several_parents == 45
    assert len(under_entity) > 500
    assert {"Fruit", "Food", "Entity"} <= {label.name for label in ancestors(connection, label_id=find_apple(connection))}
    assert len(find_labels(connection, text="crane", limit=50)) > 2


def find_apple(connection: Connection) -> int:
    return label_by_code(connection, "/m/014j1m").id
