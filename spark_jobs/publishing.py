"""Judge a trained model on its test split, and publish it; `exporting` makes its files."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from deep_images_hub.code_version import code_version
from deep_images_hub.pretrained_weights import WeightsFile
from deep_images_hub.wiring import Hub
from models.calibration import Thresholds, fit_temperature, thresholds_by
from models.evaluate import HeldOut, judge, judge_scores
from models.feature_scale import FeatureScale
from models.known_looks import KnownLooks, known_looks, looks_of
from models.learning_curve import learning_curve
from models.linear_probe import class_probabilities
from models.regularisation import HeadChoice, solve_head
from models.specs import backbone_spec
from models.training_outcome import Trained
from spark_jobs.answering import answers_of
from spark_jobs.comparing import random_features_of
from spark_jobs.explaining import examples
from spark_jobs.exporting import export, in_8_bits, stored
from spark_jobs.second_phase import FineTunedBesideHead, kept_features, unscaled
from spark_jobs.stored_pictures import read_ahead, read_picture
from spark_jobs.training_plan import TrainingPlan
from spark_jobs.training_set import TrainingSet

if TYPE_CHECKING:
    import keras

RestsOn = Literal["held_out_looks", "validation"]


@dataclass(frozen=True)
class Judged:
    """A model, and what it says of the test split's pictures, (n, classes), at a temperature (None: as it was trained).

    rests_on: the pictures that gave the temperature: `held_out_looks` (`models.regularisation`) or `validation`, its split.
    features: its own, of all pictures; None: it was trained from scratch.
    judged_features: those of the network that had not learnt from what the temperature rests on, where that is another one.
    thresholds: by looks held out; None: the test split has to say.
    """

    classifier: "keras.Model"
    probabilities: NDArray[np.float32]
    temperature: float | None
    rests_on: RestsOn = "validation"
    features: NDArray[np.float32] | None = None
    judged_features: NDArray[np.float32] | None = None
    thresholds: Thresholds | None = None

    def calibration(self, test: HeldOut) -> dict[str, Any]:
        """Return what `judge_scores` does, and what the temperature rests on."""
        found = judge_scores(self.probabilities, test.class_index, self.temperature, self.thresholds)
        return found | {"rests_on": None if self.temperature is None else self.rests_on}


def publish(
    hub: Hub,
    plan: TrainingPlan,
    training_set: TrainingSet,
    trained: Trained,
    weights: WeightsFile | None,
    beside: FineTunedBesideHead | None,
    *,
    tell: Callable[..., None],
    call_apart: Callable[..., Any],
) -> dict[str, Any]:
    """Judge what was trained on the test split, write its files, compare them with it, and store them.

    Args:
        weights: of the backbone; None: all of it was trained.
        beside: how the fine-tuned network and the head alone did; None: nothing was fine-tuned.
        tell: `run_progress.tell` of this attempt at the run.
        call_apart: of `fresh_process`, where half of the files are written.

    Returns:
        The arguments of `catalogue.models.save_model` beside the run's id.

    Raises:
        ExportMismatchError: a file gives other answers than the model.
        ConflictError: this attempt's files are there already.
    """
    features = kept_features(hub, plan, training_set)
    judged = _judged(hub, plan, training_set, trained, weights, features, tell=partial(tell, stage="evaluate"))
    test = training_set.test_split()
    metrics = judge(judged.probabilities, test, training_set.counts("train"), training_set.labels)
    metrics["calibration"] = judged.calibration(test)
    metrics |= _training_metrics(plan, training_set, trained, beside)
    known = _known_looks(plan, training_set, judged)
    if known is not None and judged.features is not None:
        metrics["none_of_these"] = _none_of_these(known, judged.features[training_set.positions("test")])
    with hub.engine.connect() as connection:
        metrics["random_features_top1"] = random_features_of(connection, training_set, seed=plan.config.seed)
    metrics["examples"] = examples(hub, plan, training_set, judged.classifier, judged.probabilities, judged.features)
    judged_images = len(test.class_index)
    tell(stage="evaluate", done=judged_images, total=judged_images, metrics={"test_top1": metrics["test_top1"]})
    if features is not None:
        # Of the head alone, also of a fine-tuned network: its own features know all of the training pictures.
        metrics["learning_curve"] = _learning_curve(plan, training_set, test, features)
        tell(stage="outlook", done=1, total=1)
    row: dict[str, Any] = {
        "backbone": plan.backbone,
        "weights": "scratch" if weights is None else weights.origin,
        "label_codes": [label.code for label in training_set.labels],
        "metrics": metrics,
        "answers": answers_of(training_set, judged.probabilities),
    }
    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        model = judged.classifier, judged.probabilities
        exported = export(hub, plan, training_set, *model, known, row, Path(folder), call_apart)
        metrics["export_difference"] = exported.largest_difference
        metrics |= in_8_bits(hub, plan, training_set, exported)
        row["files"] = stored(hub, plan, exported)
    tell(stage="export", done=1, total=1, metrics={"export_difference": exported.largest_difference})
    return row


def _judged(
    hub: Hub,
    plan: TrainingPlan,
    training_set: TrainingSet,
    trained: Trained,
    weights: WeightsFile | None,
    features: NDArray[np.float32] | None,
    *,
    tell: Callable[..., None],
) -> Judged:
    if weights is None or features is None:
        return _from_scratch(hub, plan, training_set, trained)
    if plan.fine_tuned_head is not None:
        return _fine_tuned(hub, plan, training_set, trained, weights, features, tell)
    return _with_head(plan, training_set, trained, weights, features)


def _with_head(
    plan: TrainingPlan, training_set: TrainingSet, trained: Trained, weights: WeightsFile, features: NDArray[np.float32]
) -> Judged:
    from models.backbones import build_backbone
    from models.export import with_head, with_softmax

    if plan.head_choice is None:
        head = unscaled(training_set, trained.weights, features)
        temperature = _temperature(training_set, head, features)
        head = _cooled(head, temperature)
    else:
        solved = _solved(training_set, trained, features, plan.head_choice)
        head, temperature = unscaled(training_set, solved, features), plan.head_choice.temperature
    return Judged(
        classifier=with_softmax(with_head(build_backbone(plan.backbone, weights.path), head)),
        probabilities=_of_test(training_set, head, features),
        temperature=temperature,
        rests_on="validation" if plan.head_choice is None else "held_out_looks",
        features=features,
        thresholds=None if plan.head_choice is None else plan.head_choice.thresholds,
    )


def _solved(
    training_set: TrainingSet, trained: Trained, features: NDArray[np.float32], choice: HeadChoice
) -> list[NDArray[np.float32]]:
    """Go on from a trained head to its end, with the validation split too, which has said all that it is asked for."""
    learned = training_set.learned_from()
    scaled = FeatureScale.of(features[training_set.positions("train")]).scaled(features[learned])
    return solve_head(scaled, training_set.class_index[learned], trained.weights, choice)


def _temperature(
    training_set: TrainingSet,
    head: list[NDArray[np.float32]],
    features: NDArray[np.float32],
    *,
    beside: NDArray[np.float32] | None = None,
) -> float | None:
    """Return what brings a head's scores in line on the validation split; `beside` as `fit_temperature` takes it."""
    validation = training_set.positions("validation")
    said = class_probabilities(head, features[validation])
    return fit_temperature(said, training_set.class_index[validation], beside=beside)


def _of_test(training_set: TrainingSet, head: list[NDArray[np.float32]], features: NDArray[np.float32]) -> NDArray[np.float32]:
    return class_probabilities(head, features[training_set.positions("test")])


def _fine_tuned(
    hub: Hub,
    plan: TrainingPlan,
    training_set: TrainingSet,
    trained: Trained,
    weights: WeightsFile,
    kept: NDArray[np.float32],
    tell: Callable[..., None],
) -> Judged:
    """Judge a fine-tuned network by its own features, computed here for all pictures, and told of.

    Args:
        kept: the features that its first head was trained on.
    """
    from models.export import with_softmax
    from models.fine_tuning import fine_tuned_beside

    assert plan.fine_tuned_head is not None
    final = trained.weights if trained.whole_weights is None else trained.whole_weights
    network, see = fine_tuned_beside(plan.backbone, weights.path, plan.fine_tuned_head, final, trained.weights)
    both = _answers(hub, plan, training_set, see, np.arange(len(training_set.pictures)), tell)
    features, judged_features = np.split(both, 2, axis=1)
    rests_on: RestsOn = "validation" if plan.held_out is None else "held_out_looks"
    validation, beside, thresholds = training_set.positions("validation"), None, None
    if plan.held_out is not None:
        # The first head's temperature was chosen on all looks, ten times as many pictures.
        beside = class_probabilities(plan.fine_tuned_head, kept[validation])
    temperature = _temperature(training_set, trained.weights[-2:], judged_features, beside=beside)
    if plan.held_out is not None and temperature is not None:
        said = class_probabilities(_cooled(trained.weights[-2:], temperature), judged_features[validation])
        thresholds = thresholds_by(said, training_set.class_index[validation])
    head = _cooled(final[-2:], temperature)
    network.get_layer("logits").set_weights(head)
    probabilities = _of_test(training_set, head, features)
    return Judged(with_softmax(network), probabilities, temperature, rests_on, features, judged_features, thresholds)


def _answers(
    hub: Hub,
    plan: TrainingPlan,
    training_set: TrainingSet,
    network: "keras.Model",
    positions: NDArray[np.int64],
    tell: Callable[..., None] | None = None,
) -> NDArray[np.float32]:
    """Return what a network says of some pictures of the set, in float32, in their order; `tell` is told of each tenth."""
    batch_size = hub.settings.feature_batch_size
    read = partial(read_picture, hub.store, hub.settings, backbone_spec(plan.backbone).side_px)
    keys = [training_set.pictures[at].picture_key for at in positions]
    chunks = (keys[start : start + batch_size] for start in range(0, len(keys), batch_size))
    said, done, told = [], 0, 0
    for chunk, pictures in read_ahead(read, chunks, list):
        said.append(network.predict(pictures.astype(np.float32), batch_size=batch_size, verbose=0))
        done += len(chunk)
        if tell is not None and (done == len(keys) or 10 * (done - told) >= len(keys)):
            tell(done=done, total=len(keys))
            told = done
    return np.concatenate([np.zeros((0, network.output.shape[-1]), np.float32), *said])


def _from_scratch(hub: Hub, plan: TrainingPlan, training_set: TrainingSet, trained: Trained) -> Judged:
    from models.compact_vgg import build_compact_vgg
    from models.export import with_softmax

    network = build_compact_vgg(len(training_set.labels))
    network.set_weights(trained.weights)
    classifier = with_softmax(network)
    validation, test = (training_set.positions(split) for split in ("validation", "test"))
    temperature = fit_temperature(_answers(hub, plan, training_set, classifier, validation), training_set.class_index[validation])
    network.set_weights(_cooled(trained.weights, temperature))
    return Judged(classifier, _answers(hub, plan, training_set, classifier, test), temperature)


def _cooled(weights: list[NDArray[np.float32]], temperature: float | None) -> list[NDArray[np.float32]]:
    """Divide a network's logits by a temperature: its last two weights are the kernel and the bias that they come from."""
    divisor = np.float32(temperature or 1.0)
    return [*weights[:-2], *(weight / divisor for weight in weights[-2:])]


def _learning_curve(
    plan: TrainingPlan, training_set: TrainingSet, test: HeldOut, features: NDArray[np.float32]
) -> dict[str, Any] | None:
    """Say how accuracy grew with pictures, and how many more are expected to help; None where that cannot be measured here."""
    train = training_set.positions("train")
    scaled = FeatureScale.of(features[train]).scaled(features)
    return learning_curve(
        (scaled[train], training_set.class_index[train]),
        (scaled[training_set.positions("test")], test.class_index),
        training_set.counts("train"),
        groups=test.groups,
        seed=plan.config.seed,
    )


def _training_metrics(
    plan: TrainingPlan, training_set: TrainingSet, trained: Trained, beside: FineTunedBesideHead | None
) -> dict[str, Any]:
    # Then neither accuracy is that of the model: it learnt from the validation split too.
    is_solved_anew = plan.head_choice is not None and plan.fine_tuned_head is None
    is_whole = is_solved_anew or trained.whole_weights is not None
    has_validation = len(training_set.positions("validation")) > 0 and not is_whole
    return {
        "mode": _mode(plan),
        "images": training_set.image_counts(),
        "epochs": len(trained.reports),
        "best_epoch": trained.best_epoch,
        "is_solved_anew": is_solved_anew,
        "train_top1": None if is_whole else trained.reports[trained.best_epoch - 1].accuracy,
        "validation_top1": trained.top1() if has_validation else None,
        "seed": plan.config.seed,
        "code": code_version(),
        "fine_tuning": None if beside is None else asdict(beside),
        # Its thresholds are told with the scores.
        "head": None if plan.head_choice is None else asdict(replace(plan.head_choice, thresholds=None)),
    }


def _mode(plan: TrainingPlan) -> str:
    if plan.fine_tuned_head is not None:
        return "fine_tuned"
    return "from_scratch" if plan.features_model is None else "head_on_features"


def _known_looks(plan: TrainingPlan, training_set: TrainingSet, judged: Judged) -> KnownLooks | None:
    """Return what the model can tell from anything else by its own features; None where there are too few pictures to say."""
    features = judged.features
    if features is None:
        return None
    has_all = plan.head_choice is not None and plan.fine_tuned_head is None
    learned = training_set.learned_from() if has_all else training_set.positions("train")
    class_index, seed = training_set.class_index[learned], plan.config.seed
    if judged.judged_features is None:
        return known_looks(features[learned], class_index, seed=seed)
    # Its looks, and the threshold that those of the network gave to which the validation split was new.
    before = judged.judged_features
    validation = before[training_set.positions("validation")]
    known = known_looks(before[learned], class_index, validation=validation, seed=seed)
    if known is None:
        return None
    means = looks_of(features[learned], class_index, seed=seed)
    return replace(known, means=means, rests_on="validation" if plan.held_out is None else "held_out_looks")


def _none_of_these(known: KnownLooks, test: NDArray[np.float32]) -> dict[str, Any]:
    return {
        "threshold": known.threshold,
        "rests_on": known.rests_on,
        "images": known.images,
        "test_share": known.share_that_passes(test),
    }
