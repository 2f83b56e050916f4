"""What is known of a network before it is built. Imports no Keras, so that it costs nothing to ask."""

from dataclasses import dataclass

from deep_images_hub.errors import InvalidInputError

# Classes of ImageNet's challenge of 2012, which a pretrained network's classification head knows.
IMAGENET_CLASSES = 1000


@dataclass(frozen=True)
class BackboneSpec:
    """A network that turns pictures into features.

    Attributes:
        name: as in the setting `backbone`.
        side_px: side of its input, (n, side_px, side_px, 3) RGB 0..255.
        feature_count: length of its pooled features.
        is_dense: it consists of dense convolutions, which gain from bfloat16 on a processor with AMX: VGG16 four times.
            MobileNetV2, most of whose layers convolve each channel apart, lost a quarter of its rate, and 8 % of precision.
        is_pretrained: it comes with weights, and a head is trained on its features; else all of it is trained from scratch.
    """

    name: str
    side_px: int
    feature_count: int
    is_dense: bool = True
    is_pretrained: bool = True


_SPECS = {
    spec.name: spec
    for spec in (
        BackboneSpec("vgg16", side_px=224, feature_count=512),
        BackboneSpec("mobilenet_v2", side_px=224, feature_count=1280, is_dense=False),
        BackboneSpec("resnet50", side_px=224, feature_count=2048),
        BackboneSpec("efficientnet_v2_b0", side_px=224, feature_count=1280, is_dense=False),
        BackboneSpec("compact_vgg", side_px=96, feature_count=128, is_pretrained=False),
        # VGG's form at a thousandth of its cost: for tests of mechanics. No pretrained weights of it exist.
        BackboneSpec("tiny_vgg", side_px=32, feature_count=8),
    )
}


def backbone_spec(name: str) -> BackboneSpec:
    """Return a network's spec. Raises InvalidInputError for a name that is not known."""
    if name not in _SPECS:
        raise InvalidInputError(f"There is no backbone {name!r}. Expected one of: {', '.join(_SPECS)}.")
    return _SPECS[name]


def features_model(backbone: str, weights_sha256: str) -> str:
    """Return the name under which the catalogue keeps features: the same for the same network with the same weights."""
    return f"{backbone}-{weights_sha256[:12]}"
