import io

import numpy as np
import pytest
from PIL import Image

from deep_images_hub.errors import NotFoundError
from deep_images_hub.images.examine import examine, limits_from_settings
from deep_images_hub.labels.csv_file import read_label_csv
from deep_images_hub.resources import resource
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.products import PRODUCTS
from deep_images_hub.simulation.scenes import render


def test_same_seed_label_and_index_give_the_same_bytes() -> None:
    assert render(4, "Pear", 7) == render(4, "Pear", 7)
    assert len({render(4, "Pear", 7), render(4, "Pear", 8), render(5, "Pear", 7), render(4, "Apple", 7)}) == 4


def test_unknown_product_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="Striped mug"):
        render(0, "Unicorn", 0)


def test_products_are_the_leaves_of_the_demo_labels() -> None:
    graph = read_label_csv(resource("config/labels/demo.csv"))  # type: ignore[arg-type]
    parents = {edge.parent for edge in graph.edges}
    assert set(PRODUCTS) == set(graph.names) - parents
    assert any(sum(edge.child == label for edge in graph.edges) > 1 for label in PRODUCTS)


PER_PRODUCT = 7


@pytest.fixture(scope="module")
def drawn() -> dict[tuple[str, int], bytes]:
    return {(label, index): render(11, label, index) for label in PRODUCTS for index in range(PER_PRODUCT)}


def test_drawn_photographs_pass_intake(drawn: dict[tuple[str, int], bytes]) -> None:
    limits = limits_from_settings(Settings())
    refused = {place: examine(body, limits).reason for place, body in drawn.items()}
    assert {place: reason for place, reason in refused.items() if reason} == {}


def test_mean_colour_does_not_tell_the_products_apart(drawn: dict[tuple[str, int], bytes]) -> None:
    labels = list(PRODUCTS)
    truth = np.array([labels.index(label) for label, _ in drawn])
    colours = np.array(
        [np.asarray(Image.open(io.BytesIO(body)).resize((16, 16)), float).mean(axis=(0, 1)) for body in drawn.values()]
    )
    is_train = np.array([index < PER_PRODUCT - 3 for _, index in drawn])
    centres = np.array([colours[is_train & (truth == number)].mean(axis=0) for number in range(len(labels))])
    nearest = ((colours[~is_train, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == truth[~is_train]).mean() < 0.4
