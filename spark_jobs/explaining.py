"""Pick pictures of the test split that tell what a model goes by, and write down where in them it finds what it says."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deep_images_hub.wiring import Hub
from models.examples import as_levels, nearest, telling_right, telling_wrong
from models.specs import backbone_spec
from spark_jobs.stored_pictures import read_picture
from spark_jobs.training_plan import TrainingPlan
from spark_jobs.training_set import TrainingSet

if TYPE_CHECKING:
    import keras

_WRONG_IMAGES, _RIGHT_IMAGES = 12, 6
_NEAREST_IMAGES = 3


def examples(
    hub: Hub,
    plan: TrainingPlan,
    training_set: TrainingSet,
    classifier: "keras.Model",
    probabilities: NDArray[np.float32],
    features: NDArray[np.float32] | None,
) -> dict[str, Any]:
    """Return wrong and right answers of the test split as JSON values.

    Args:
        probabilities: (n, classes) of the test split.
        features: of all pictures of the version; None where there are none.

    Returns:
        `wrong`, the surest first, and `right`, from sure to unsure. Each has the picture's `sha256`, the class index of the
        `truth` and of what was `said`, its `score`, and `evidence`, the levels 0..99 of each place of the middle of the picture,
        by row. Wrong ones have `nearest` too: sha256s of pictures that the answer was learnt from and that look most like it.
    """
    from models.explanation import with_evidence

    positions = training_set.positions("test")
    class_index, said = training_set.class_index[positions], probabilities.argmax(axis=1)
    wrong = telling_wrong(probabilities, class_index, limit=_WRONG_IMAGES)
    right = telling_right(probabilities, class_index, limit=_RIGHT_IMAGES)
    chosen = [*wrong, *right]
    side_px = backbone_spec(plan.backbone).side_px
    keys = [training_set.pictures[positions[at]].picture_key for at in chosen]
    pictures = np.stack([read_picture(hub.store, hub.settings, side_px, key) for key in keys])
    _, evidence = with_evidence(classifier).predict(pictures.astype(np.float32), verbose=0)
    rows = [
        {
            "sha256": training_set.pictures[positions[at]].sha256,
            "truth": int(class_index[at]),
            "said": int(said[at]),
            "score": round(float(probabilities[at].max()), 4),
            "evidence": as_levels(places[..., said[at]]),
        }
        for at, places in zip(chosen, evidence, strict=True)
    ]
    if features is not None:
        for row, at in zip(rows, wrong, strict=False):
            row["nearest"] = _nearest(training_set, features, int(positions[at]), int(said[at]))
    return {"wrong": rows[: len(wrong)], "right": rows[len(wrong) :]}


def _nearest(training_set: TrainingSet, features: NDArray[np.float32], position: int, label: int) -> list[str]:
    """Return the training pictures of a label that look most like a picture."""
    train = training_set.positions("train")
    mean = features[train].mean(axis=0)
    of_label = train[training_set.class_index[train] == label]
    found = nearest(features[[position]] - mean, features[of_label] - mean, limit=_NEAREST_IMAGES)[0]
    return [training_set.pictures[of_label[at]].sha256 for at in found]
