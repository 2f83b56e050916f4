"""The product kinds that the simulator can photograph. Their taxonomy is config/labels/demo.csv; a test holds both equal."""

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

from PIL import Image

from deep_images_hub.simulation import fruit, packaging
from deep_images_hub.simulation.solids import Light

# By label code: draws one cut-out, RGBA, upright, trimmed, at about twice the size that it has in a scene.
PRODUCTS: Mapping[str, Callable[[Light, random.Random], Image.Image]] = MappingProxyType(
    {
        "Alpine water bottle": packaging.water_bottle,
        "Apple": fruit.apple,
        "Banana": fruit.banana,
        "Berry jam jar": packaging.jam_jar,
        "Crunch cereal box": packaging.cereal_box,
        "Grove olive oil": packaging.oil_bottle,
        "Lumo cola can": packaging.cola_can,
        "Meadow milk carton": packaging.milk_carton,
        "Orbit soda can": packaging.soda_can,
        "Pear": fruit.pear,
        "Striped mug": packaging.mug,
        "Sunny juice carton": packaging.juice_carton,
    }
)
