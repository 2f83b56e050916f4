import pytest

from deep_images_hub.landing.folder_labels import FolderLabels

LABELS = FolderLabels(
    {
        "/m/014j1m": "Apple",
        "Fruit/Apple/Golden-Delicious": "Golden-Delicious",
        "golden_apple": "Golden Apple",
        "/m/0cyhj_": "Orange",
        "colour/orange": "Orange",
        "pear": "Birne",
    }
)


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("Fruit/Apple/Golden-Delicious", "Fruit/Apple/Golden-Delicious"),
        ("m/014j1m", "/m/014j1m"),
        ("shop/pear", "pear"),
        ("shop/birne", "pear"),
        ("APPLE", "/m/014j1m"),
        ("Golden_Apple", "golden_apple"),
        ("Golden-apple", "golden_apple"),
        ("Golden Apple", "golden_apple"),
        ("colour/orange", "colour/orange"),
        ("Orange", None),
        ("Unsorted", None),
        ("Apple/Unsorted", None),
    ],
)
def test_folder_stands_for_the_label_that_it_names(folder: str, code: str | None) -> None:
    assert LABELS.label_of(folder) == code


def test_folder_without_a_label_says_why() -> None:
    assert LABELS.problem_of("shop/Unsorted") == "no label has this code or name"
    assert LABELS.problem_of("Orange") == "2 labels are called so: /m/0cyhj_, colour/orange"
