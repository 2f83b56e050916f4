"""Which of ImageNet's classes show a label: files that are sound, and how classes travel through the graph."""

import csv

import pytest

from deep_images_hub.labels.graph import PART, LabelEdge, LabelGraph
from deep_images_hub.labels.imagenet import ClassMapping, LabelClasses, classes_by_label, imagenet_class_names, imagenet_mapping
from deep_images_hub.resources import resource

MAPPING = ClassMapping(
    by_code={"/m/fruit": frozenset({1, 2, 3}), "/m/lemon": frozenset({2}), "/m/milk": frozenset()},
    by_name={"lemon": frozenset({2}), "green apple": frozenset({1})},
)
GRAPH = LabelGraph(
    names={
        "/m/entity": "Entity",
        "/m/food": "Food",
        "/m/fruit": "Fruit",
        "/m/lemon": "Lemon",
        "/m/lime": "Lime",
        "/m/milk": "Milk",
        "/m/oat": "Oat milk",
        "/m/seat": "Seat",
        "/m/car": "Car",
        "Fruit/Green-Apples": "Green-Apples",
        "/m/other": "Lemon",
    },
    edges=frozenset(
        {
            LabelEdge("/m/entity", "/m/food"),
            LabelEdge("/m/food", "/m/fruit"),
            LabelEdge("/m/fruit", "/m/lemon"),
            LabelEdge("/m/fruit", "/m/lime"),
            LabelEdge("/m/food", "/m/milk"),
            LabelEdge("/m/milk", "/m/oat"),
            LabelEdge("/m/fruit", "Fruit/Green-Apples"),
            LabelEdge("/m/fruit", "/m/seat", PART),
        }
    ),
)


@pytest.mark.parametrize(
    ("code", "own", "kin"),
    [
        ("/m/lemon", {2}, {1, 2, 3}),
        ("/m/lime", {1, 2, 3}, {1, 2, 3}),  # nobody said anything of limes: what is said of fruit
        ("/m/food", {1, 2, 3}, {1, 2, 3}),  # shown by what shows anything under it
        ("/m/milk", set(), set()),  # "nothing shows it" is an answer, and its kin are no other one
        ("/m/oat", set(), set()),
        ("/m/seat", set(), set()),  # a part is no kind
        ("/m/car", set(), set()),
        ("Fruit/Green-Apples", {1}, {1, 2, 3}),  # by name, whatever hyphens, case and plural
        ("/m/other", set(), set()),  # Open Images' labels are known by code: names repeat
    ],
)
def test_classes_of_a_label_come_from_itself_from_below_or_from_the_nearest_above(
    code: str, own: set[int], kin: set[int]
) -> None:
    assert classes_by_label(GRAPH, MAPPING)[code] == LabelClasses(frozenset(own), frozenset(kin))


def test_of_several_nearest_labels_above_all_are_taken() -> None:
    names = {"/m/a": "A", "/m/b": "B", "/m/c": "C", "/m/top": "Top"}
    edges = frozenset({LabelEdge("/m/a", "/m/c"), LabelEdge("/m/b", "/m/c"), LabelEdge("/m/top", "/m/a")})
    said = {"/m/a": frozenset({1}), "/m/b": frozenset({2}), "/m/top": frozenset({9})}

    found = classes_by_label(LabelGraph(names, edges), ClassMapping(by_code=said))

    assert found["/m/c"] == LabelClasses(frozenset({1, 2}), frozenset({1, 2, 9}))


def test_files_name_every_class_once_and_map_to_known_ones() -> None:
    with (resource("config/labels/imagenet_classes.csv")).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (resource("config/labels/imagenet_1k.csv")).open(encoding="utf-8") as file:
        classes = {row["wordnet_id"]: row["name"] for row in csv.DictReader(file)}

    assert len(classes) == len(imagenet_class_names()) == 1000
    assert list(classes) == sorted(classes)  # the order of a network's outputs
    assert all(classes.get(row["wordnet_id"], "") == row["class_name"] for row in rows)
    assert len({tuple(row.values()) for row in rows}) == len(rows)
    said_both = {row["name"] for row in rows if not row["wordnet_id"]} & {row["name"] for row in rows if row["wordnet_id"]}
    assert said_both == set()


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        ("/m/09qck", "Banana", "banana"),
        ("Fruit/Satsumas", "Satsumas", "orange"),
        ("Vegetables/Zucchini", "Zucchini", "zucchini"),
        ("Red-Bell-Pepper", "Red-Bell-Pepper", "bell pepper"),
    ],
)
def test_mapping_knows_groceries(code: str, name: str, expected: str) -> None:
    said = imagenet_mapping().said_of(code, name)
    assert said is not None
    assert expected in {imagenet_class_names()[index] for index in said}


def test_mapping_says_that_nothing_fits_cartons_of_milk() -> None:
    assert imagenet_mapping().said_of("Packages/Milk", "Milk") == frozenset()
    assert imagenet_mapping().said_of("Packages", "Something else") is None
