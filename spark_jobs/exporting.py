"""Write a judged model's files, hold them against it, and put them into the store."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deep_images_hub.catalogue.models import ModelFile
from deep_images_hub.errors import ConflictError
from deep_images_hub.model_files import INT8, file_kind
from deep_images_hub.object_store.keys import model_key
from deep_images_hub.wiring import Hub
from models.examples import at_even_steps
from models.known_looks import KnownLooks
from models.specs import backbone_spec
from spark_jobs.stored_pictures import read_ahead, read_picture
from spark_jobs.training_plan import TrainingPlan
from spark_jobs.training_set import TrainingSet

if TYPE_CHECKING:
    import keras

    from models.export import ExportedModel

# Pictures of the test split on which the files are compared with the model.
_PROOF_IMAGES = 16
# Pictures of the training split by which the ranges of a model in 8 bits are set.
_REPRESENTATIVE_IMAGES = 100
# Largest difference of a probability between the model as it was judged, on features that may have been computed in bfloat16, and
# as it is published, in float32 from the picture on.
_JUDGED_TOLERANCE = 0.25


def export(
    hub: Hub,
    plan: TrainingPlan,
    training_set: TrainingSet,
    classifier: "keras.Model",
    probabilities: NDArray[np.float32],
    known: KnownLooks | None,
    row: dict[str, Any],
    folder: Path,
    call_apart: Callable[..., Any],
) -> "ExportedModel":
    """Write a model's files into a folder.

    Args:
        classifier: the model.
        probabilities: what it was judged by, (n, classes), of the test split.
        row: what is known of it, as `catalogue.models.save_model` takes it; its metrics are those of the model card.
        call_apart: as `models.export.export_model` takes it.

    Raises:
        ExportMismatchError: it says other things than it was judged by, or a file gives other answers than the model.
    """
    from models.export import ExportMismatchError, export_model

    proof = at_even_steps(len(training_set.positions("test")), _PROOF_IMAGES)
    side_px = backbone_spec(plan.backbone).side_px
    pictures = _pictures(hub, plan, training_set, "test", _PROOF_IMAGES)
    said = classifier.predict(pictures.astype(np.float32), verbose=0)
    difference = np.abs(said - probabilities[proof]).max()
    if not difference <= _JUDGED_TOLERANCE:
        raise ExportMismatchError(
            f"The model that was put together says other things of {len(proof)} test pictures than the one that was judged "
            f"(by up to {difference:.2g} in a probability). The kept features of {plan.features_model} were not computed as "
            "they would be now: delete them and run the training again."
        )
    headline = ("mode", "test_top1", "test_top1_interval", "majority_top1", "images", "epochs")
    card = {
        "backbone": plan.backbone,
        "weights": row["weights"],
        "run": plan.run_id,
        "dataset_digest": plan.version_digest,
        "input": f"(n, {side_px}, {side_px}, 3) RGB 0..255: short side resized to {round(side_px * 256 / 224)}, middle cut out",
        "metrics": {name: row["metrics"][name] for name in headline},
        "none_of_these": row["metrics"].get("none_of_these"),
    }
    formats = frozenset(filter(None, hub.settings.model_formats.split(",")))
    return export_model(
        classifier,
        folder,
        labels=training_set.labels,
        card=card,
        pictures=pictures,
        known=known,
        formats=formats,
        representative=_pictures(hub, plan, training_set, "train", _REPRESENTATIVE_IMAGES) if INT8 in formats else None,
        call_apart=call_apart,
    )


def _pictures(hub: Hub, plan: TrainingPlan, training_set: TrainingSet, split: str, count: int) -> NDArray[np.uint8]:
    """Read so many pictures of a split, from its first to its last at even steps; all where there are fewer."""
    positions = training_set.positions(split)
    chosen = positions[at_even_steps(len(positions), count)]
    side_px = backbone_spec(plan.backbone).side_px
    return np.stack([read_picture(hub.store, hub.settings, side_px, training_set.pictures[at].picture_key) for at in chosen])


def in_8_bits(hub: Hub, plan: TrainingPlan, training_set: TrainingSet, exported: "ExportedModel") -> dict[str, Any]:
    """Judge the file in 8 bits on pictures of the test split; nothing where there is none."""
    if INT8 not in exported.files:
        return {}
    from models.tensorflow_files import litert_answers

    positions = training_set.positions("test")
    model = exported.files[INT8].path.read_bytes()
    keys = [training_set.pictures[at].picture_key for at in positions]
    read = partial(read_picture, hub.store, hub.settings, backbone_spec(plan.backbone).side_px)
    step = hub.settings.feature_batch_size
    chunks = (keys[start : start + step] for start in range(0, len(keys), step))
    said = np.concatenate([litert_answers(model, of.astype(np.float32)) for _keys, of in read_ahead(read, chunks, list)])
    is_right = said.argmax(axis=1) == training_set.class_index[positions]
    return {"int8": {"test_top1": float(is_right.mean()), "images": len(positions)}}


def stored(hub: Hub, plan: TrainingPlan, exported: "ExportedModel") -> list[ModelFile]:
    """Put the files into the store, and return what the catalogue keeps of them.

    Raises:
        ConflictError: this attempt's files are there already.
    """
    files = []
    for kind, file in exported.files.items():
        key = model_key(plan.run_id, plan.attempt, file.path.name)
        if not hub.store.create_from_file(key, str(file.path), file_kind(kind).media_type):
            raise ConflictError(f"{key} is there already: another process works on attempt {plan.attempt} of this run.")
        files.append(ModelFile(kind, key, file.sha256, file.size_bytes))
    return files
