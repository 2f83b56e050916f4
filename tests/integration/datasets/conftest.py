"""One hub with labels whose names are alike, and one version of it, for all tests of freezing and of downloads."""

import pytest

from deep_images_hub.datasets.freeze import freeze
from deep_images_hub.datasets.recipe import Recipe, SplitFractions
from deep_images_hub.wiring import Hub
from tests.builders import HubBuilder, photographs

RECIPE = Recipe(label_codes=("/m/food",), fractions=SplitFractions(0.5, 0.25, 0.25), seed=7)
BATCHES = [(f"b{number}", ("/m/apple", "/m/hk", "/m/apple2")[number % 3]) for number in range(12)]


def fill(hub: Hub, batches: list[tuple[str, str]]) -> HubBuilder:
    builder = HubBuilder(hub)
    names = {"/m/food": "Food", "/m/apple": "Apple", "/m/apple2": "apple", "/m/hk": "Hell's Kitchen", "/m/lone": "Lone"}
    builder.labels(names, under={code: "/m/food" for code in names if code != "/m/food"})
    for key, code in batches:
        builder.batch(
            key,
            code,
            photographs(4, seed=key),
            licence="by",
            attribution='Ada "Ace", 2026\nand friends',
            city="Köln" if key == "b1" else None,
        )
    builder.batch("lone", "/m/lone", photographs(2, seed="lone"), licence="cc0", attribution=None)
    return builder


@pytest.fixture(scope="session")
def filled(hub_of):
    with hub_of() as hub:
        yield fill(hub, BATCHES)


@pytest.fixture(scope="session")
def version(filled):
    with filled.hub.engine.begin() as connection:
        return freeze(connection, RECIPE, name="Food", created_by=None)
