import json
from pathlib import Path

import pytest

from deep_images_hub.errors import InvalidInputError, NotFoundError
from deep_images_hub.labels.csv_file import read_label_csv
from deep_images_hub.labels.graph import PART, LabelEdge
from deep_images_hub.labels.open_images import read_open_images
from deep_images_hub.resources import resource


def write(folder: Path, content: str | bytes, name: str = "labels.csv") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_label_csv_with_quotes_apostrophes_and_several_parents_is_read(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "\ufefflabel,parent\r\nDrinks,\r\n\"Ducks, geese\",Animals\r\nHell's brew,Drinks\r\nHell's brew,Gifts\r\n\r\nTea\r\n",
    )

    graph = read_label_csv(file)

    assert set(graph.names) == {"Drinks", "Ducks, geese", "Animals", "Hell's brew", "Gifts", "Tea"}
    assert graph.edges == {
        LabelEdge("Animals", "Ducks, geese"),
        LabelEdge("Drinks", "Hell's brew"),
        LabelEdge("Gifts", "Hell's brew"),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "Expected the header line"),
        ("Apple,Fruit\n", "Expected the header line"),
        ("label,parent\n", "names no label"),
        ("label,parent\nApple,Fruit,Food\n", "Line 2"),
        ("label,parent\n,Fruit\n", "Line 2"),
        ('label,parent\n"Apple,Fruit\n', "is not CSV"),
        ("label,parent\nApple,Fruit\nFruit,Apple\n", "Apple > Fruit > Apple"),
        (b"label,parent\n\xff\xfe,Fruit\n", "not text in UTF-8"),
    ],
)
def test_label_csv_of_another_form_is_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read_label_csv(write(tmp_path, content))


def test_label_csv_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"nowhere\.csv"):
        read_label_csv(tmp_path / "nowhere.csv")


def test_label_csv_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_label_csv(tmp_path)


def test_demo_labels_are_a_graph_with_a_label_under_several_parents() -> None:
    file = resource("config/labels/demo.csv")
    assert isinstance(file, Path)

    graph = read_label_csv(file)

    parents = [edge.child for edge in graph.edges]
    assert len(graph.names) > 10
    assert len(parents) > len(set(parents))


HIERARCHY = {
    "LabelName": "/m/0bl9f",
    "Subcategory": [
        {
            "LabelName": "/m/food",
            "Subcategory": [{"LabelName": "/m/apple", "Part": [{"LabelName": "/m/stem"}]}],
        },
        {"LabelName": "/m/plant", "Subcategory": [{"LabelName": "/m/apple", "Part": [{"LabelName": "/m/stem"}]}]},
    ],
}
DESCRIPTIONS = '/m/food,Food\n/m/apple,Apple\n/m/stem,Stem\n/m/plant,Plant\n/m/crane1,Crane\n/m/crane2,Crane\n/m/x,"A, b"\n'


def test_open_images_with_repeated_subtrees_and_names_is_read_once(tmp_path: Path) -> None:
    graph = read_open_images(write(tmp_path, DESCRIPTIONS), write(tmp_path, json.dumps(HIERARCHY), "hierarchy.json"))

    assert graph.names["/m/0bl9f"] == "Entity"
    assert graph.names["/m/crane1"] == graph.names["/m/crane2"] == "Crane"
    assert graph.names["/m/x"] == "A, b"
    assert graph.edges == {
        LabelEdge("/m/0bl9f", "/m/food"),
        LabelEdge("/m/0bl9f", "/m/plant"),
        LabelEdge("/m/food", "/m/apple"),
        LabelEdge("/m/plant", "/m/apple"),
        LabelEdge("/m/apple", "/m/stem", PART),
    }


@pytest.mark.parametrize(
    ("descriptions", "hierarchy", "message"),
    [
        ("/m/food\n", "{}", "Line 1"),
        (DESCRIPTIONS, "{", "is not JSON"),
        (DESCRIPTIONS, "[]", "where a class was expected"),
        (DESCRIPTIONS, '{"LabelName": "/m/0bl9f", "Subcategory": [{"LabelName": "/m/pear"}]}', "'/m/pear', which does not exist"),
    ],
)
def test_open_images_of_another_form_is_refused(tmp_path: Path, descriptions: str, hierarchy: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read_open_images(write(tmp_path, descriptions), write(tmp_path, hierarchy, "hierarchy.json"))
