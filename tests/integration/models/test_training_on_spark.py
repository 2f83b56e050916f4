"""Features and training on a real Spark, a real catalogue and a real store, with networks small enough for it."""

import hashlib
import io
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image, ImageDraw
from pyspark.sql import SparkSession
from sqlalchemy import insert, select, text

from deep_images_hub.catalogue.embeddings import features_of, pending_count
from deep_images_hub.catalogue.labels import add_label
from deep_images_hub.catalogue.model_answers import answered_pictures
from deep_images_hub.catalogue.models import TrainedModel, model_by_id, model_of_run
from deep_images_hub.catalogue.tables import dataset_items, dataset_versions, images, recipes
from deep_images_hub.catalogue.training import TrainingRun, cancel_run, events_of, request_run, run_by_id, take_run
from deep_images_hub.errors import ConflictError, InvalidInputError, UnavailableError
from deep_images_hub.predictions import Classifier
from deep_images_hub.pretrained_weights import obtain_weights
from deep_images_hub.wiring import Hub
from models.backbones import write_random_weights
from models.calibration import MIN_IMAGES
from models.compact_vgg import build_compact_vgg
from models.ghost_batch_norm import GROUP_ROWS
from models.head import build_head
from models.regularisation import GRID
from models.specs import features_model
from models.training_config import TrainingConfig
from spark_jobs.checkpoints import remove_checkpoints
from spark_jobs.embed import embed_pending
from spark_jobs.train_baseline import train_baseline
from spark_jobs.training_plan import TrainingPlan
from spark_jobs.training_tasks import train_on_workers
from tests.integration.catalogue.planting import plant_batch

# Keras on TensorFlow reads its variables with numpy's older protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")

LABELS = ("bar", "disc", "ring")
SPLITS = ("train",) * 12 + ("validation",) * 4 + ("test",) * 4


def drawn(label: str, random: np.random.Generator) -> bytes:
    """A dark figure on a light ground, or the other way round, somewhere in the picture."""
    ground, ink = (tuple(int(value) for value in random.integers(low, low + 60, 3)) for low in random.permutation([20, 170]))
    image = Image.new("RGB", (144, 128), ground)
    left, top, size = (int(value) for value in (*random.integers(10, 40, 2), random.integers(55, 75)))
    box = (left, top, left + size, top + size)
    draw = ImageDraw.Draw(image)
    if label == "bar":
        draw.rectangle((left, top + size // 3, left + size, top + 2 * size // 3), fill=ink)
    else:
        draw.ellipse(box, fill=ink if label == "disc" else None, outline=ink, width=8)
    # A camera's noise. Perfectly flat areas would be nothing but ties for max pooling, which rounding then decides.
    noisy = np.asarray(image) + random.normal(0, 8, (image.height, image.width, 3))
    body = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(body, "JPEG")
    return body.getvalue()


@pytest.fixture(scope="module")
def hub(hub_of, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with 20 pictures of each label, and weights for a network that `imagenet` knows nothing of."""
    weights = tmp_path_factory.mktemp("weights") / "tiny.weights.h5"
    write_random_weights("tiny_vgg", weights, seed=4)
    with hub_of(weights=str(weights), feature_batch_size=8) as opened:
        random = np.random.default_rng(11)
        with opened.engine.begin() as connection:
            for label in LABELS:
                add_label(connection, code=label, name=label.title(), parent_code=None)
                for image_id in plant_batch(connection, f"batch-{label}", label, outcomes=("accepted",) * len(SPLITS)):
                    key = connection.execute(select(images.c.picture_key).where(images.c.id == image_id)).scalar_one()
                    opened.store.create(key, drawn(label, random))
        # The setting takes no network that is only for tests.
        yield replace(opened, settings=opened.settings.model_copy(update={"backbone": "tiny_vgg"}))


@pytest.fixture(scope="module")
def version_id(hub: Hub) -> int:
    return freeze_by_hand(hub, "all", dict.fromkeys(LABELS, SPLITS))


def freeze_by_hand(hub: Hub, name: str, splits: dict[str, tuple[str, ...]]) -> int:
    """Make a version whose splits are as given, whatever batch the pictures came in."""
    digest = f"{abs(hash(name)):064x}"[-64:]
    with hub.engine.begin() as connection:
        recipe_id = connection.execute(insert(recipes).values(digest=digest, body={}).returning(recipes.c.id)).scalar_one()
        rows = connection.execute(
            text(
                "select images.id, image_labels.label_id, labels.code from images join image_labels on image_id = images.id"
                " join labels on labels.id = label_id order by images.id"
            )
        ).all()
        chosen = [
            {"image_id": row.id, "label_id": row.label_id, "split": split}
            for code, splits_of_label in splits.items()
            for row, split in zip([row for row in rows if row.code == code], splits_of_label, strict=False)
        ]
        counts = {f"{split}_count": sum(item["split"] == split for item in chosen) for split in ("train", "validation", "test")}
        made = insert(dataset_versions).values(
            recipe_id=recipe_id,
            name=name,
            digest=digest,
            image_count=len(chosen),
            label_count=len(splits),
            size_bytes=1,
            **counts,
        )
        version_id: int = connection.execute(made.returning(dataset_versions.c.id)).scalar_one()
        for position, item in enumerate(chosen):
            values = {"version_id": version_id, "position": position, "group_key": str(position), **item}
            connection.execute(insert(dataset_items).values(values))
    return version_id


def requested(hub: Hub, version_id: int, backbone: str, workers: int = 2) -> TrainingRun:
    with hub.engine.begin() as connection:
        return request_run(connection, version_id=version_id, requested_by=None, backbone=backbone, workers=workers)


def ended(hub: Hub, run: TrainingRun) -> TrainingRun:
    with hub.engine.connect() as connection:
        return run_by_id(connection, run.id)


def model_of(hub: Hub, run: TrainingRun) -> TrainedModel:
    with hub.engine.connect() as connection:
        model_id = model_of_run(connection, run.id)
        assert model_id is not None
        return model_by_id(connection, model_id)


def test_run_on_a_pretrained_backbone_computes_features_trains_judges_and_publishes(
    hub: Hub, spark: SparkSession, version_id: int
) -> None:
    run = requested(hub, version_id, "tiny_vgg", workers=1)

    assert train_baseline(hub, Namespace(run=run.id), spark) == 0

    assert ended(hub, run).status == "succeeded"
    model = model_of(hub, run)
    assert model.label_codes == list(LABELS)
    assert model.weights.startswith("sha256:")
    assert model.metrics["images"] == {"train": 36, "validation": 12, "test": 12}
    assert model.metrics["majority_top1"] == pytest.approx(1 / 3)
    low, high = model.metrics["test_top1_interval"]
    assert low <= model.metrics["test_top1"] <= high
    assert np.sum(model.metrics["confusion"]) == 12
    assert model.metrics["calibration"]["rests_on"] == "held_out_looks"
    assert model.metrics["calibration"]["temperature"] == model.metrics["head"]["temperature"]
    assert model.metrics["head"]["l2"] in GRID
    # Twelve test pictures are too few to look ahead.
    assert sum(part["count"] for part in model.metrics["calibration"]["bins"]) == 12
    assert model.metrics["learning_curve"] is None
    check_examples(hub, model, version_id)
    with hub.engine.connect() as connection:
        wrong = {found.sha256: found for found in answered_pictures(connection, model_id=model.id, only_wrong=True)}
    confusion = np.array(model.metrics["confusion"])
    assert len(wrong) == 12 - np.trace(confusion)
    for example in model.metrics["examples"]["wrong"]:
        found = wrong[example["sha256"]]
        assert (found.truth, found.said) == (example["truth"], example["said"])
        assert found.score == pytest.approx(example["score"], abs=1e-4)
    assert all(len(set(example["nearest"])) == 3 for example in model.metrics["examples"]["wrong"])
    assert [file.kind for file in model.files] == ["keras", "saved_model", "onnx", "litert", "labels"]
    assert all(hashlib.sha256(hub.store.read(file.key)).hexdigest() == file.sha256 for file in model.files)
    # The published file answers, by the portal's own reader.
    looked = Classifier(hub.store.read(model.file("onnx").key)).look_at(
        Image.open(io.BytesIO(drawn("bar", np.random.default_rng(0)))), limit=3
    )
    assert sum(answer.score for answer in looked.answers) == pytest.approx(1, abs=1e-4)
    none_of_these = model.metrics["none_of_these"]
    assert (none_of_these["rests_on"], none_of_these["images"]) == ("held_out_looks", 48)
    assert 0 <= none_of_these["test_share"] <= 1
    assert looked.nearness is not None
    assert looked.nearness.threshold == none_of_these["threshold"] <= 1
    with hub.engine.connect() as connection:
        stages = [event.stage for event in events_of(connection, run_id=run.id)]
    assert list(dict.fromkeys(stages)) == ["features", "train", "evaluate", "outlook", "export"]


def test_fine_tuned_run_goes_on_from_the_head_and_publishes_its_own_network(
    hub: Hub, spark: SparkSession, version_id: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with hub.engine.begin() as connection:
        run = request_run(
            connection, version_id=version_id, requested_by=None, backbone="tiny_vgg", workers=1, method="fine_tune"
        )

    train_baseline(hub, Namespace(run=run.id), spark)

    model = model_of(hub, run)
    beside = model.metrics["fine_tuning"]
    assert beside["is_published"] or beside["top1"] < beside["head_top1"]
    # Then it learned from what had judged it, of which nothing more can be said.
    assert beside["is_whole"] is True
    assert model.metrics["validation_top1"] is None
    assert model.metrics["mode"] == ("fine_tuned" if beside["is_published"] else "head_on_features")
    # One look of each label is held out, and neither of the two learnt from it.
    assert 3 <= beside["images"] <= 15
    assert model.metrics["calibration"]["rests_on"] == (None if beside["images"] < MIN_IMAGES else "held_out_looks")
    assert model.weights.startswith("sha256:")
    check_examples(hub, model, version_id)
    assert all(len(set(example["nearest"])) == 3 for example in model.metrics["examples"]["wrong"])
    with hub.engine.connect() as connection:
        events = events_of(connection, run_id=run.id)
    assert [
        stage for stage in dict.fromkeys(event.stage for event in events) if stage in ("train", "views", "fine_tune", "rest")
    ] == [
        "train",
        "views",
        "fine_tune",
        "rest",
    ]
    # All pictures but those of the test split, before the first epoch.
    views = [(event.done, event.total) for event in events if event.stage == "views"]
    assert len(views) > 1
    assert views[-1] == (48, 48)
    said = capsys.readouterr().err
    assert "Look at every picture in several ways: 48 of 48 pictures in " in said
    assert "Learn on, deeper: 6 of 6 epochs in " in said
    told = [event.done for event in events if event.stage == "evaluate" and event.total == len(LABELS) * len(SPLITS)]
    assert len(told) > 1
    assert told[-1] == len(LABELS) * len(SPLITS)
    assert len(model.metrics["confusion"]) == 3
    assert list(hub.store.list("checkpoints/")) == []


def check_examples(hub: Hub, model: TrainedModel, version_id: int) -> None:
    """Hold what is shown of a model's answers against its numbers and its dataset."""
    test_split = text(
        "select images.sha256, labels.code from dataset_items join images on images.id = image_id"
        " join labels on labels.id = label_id where version_id = :version_id and split = 'test'"
    )
    with hub.engine.connect() as connection:
        truth = {row.sha256: row.code for row in connection.execute(test_split, {"version_id": version_id})}
    wrong, right = model.metrics["examples"]["wrong"], model.metrics["examples"]["right"]
    confusion = np.array(model.metrics["confusion"])
    assert len(wrong) == (confusion - np.diag(np.diag(confusion)) > 0).sum()
    assert len(right) == min(6, np.diag(confusion).sum())
    for example in (*wrong, *right):
        assert truth[example["sha256"]] == LABELS[example["truth"]]
        assert (example["said"] == example["truth"]) == (example in right)
        levels = np.array(example["evidence"])
        assert levels.ndim == 2
        assert levels.min() >= 0
        assert levels.max() in (0, 99)


def test_embed_again_finds_nothing_to_do(hub: Hub, spark: SparkSession, version_id: int, capsys) -> None:
    model = features_model("tiny_vgg", obtain_weights(hub.settings, "tiny_vgg").sha256)
    embed_pending(hub, Namespace(again=False), spark)
    with hub.engine.begin() as connection:
        ids, features = features_of(connection, model=model, version_id=version_id)
        connection.execute(text("delete from embeddings where image_id = :image_id"), {"image_id": int(ids[3])})
        assert pending_count(connection, model=model) == 1
    capsys.readouterr()

    embed_pending(hub, Namespace(again=False), spark)
    embed_pending(hub, Namespace(again=False), spark)

    said = capsys.readouterr().out
    assert "embed: 1 pictures embedded" in said
    assert "embed: 0 pictures embedded" in said
    with hub.engine.connect() as connection:
        again_ids, again = features_of(connection, model=model, version_id=version_id)
    np.testing.assert_array_equal(again_ids, ids)
    np.testing.assert_allclose(again, features, rtol=1e-2)


def test_compact_network_from_scratch_learns_figures(hub: Hub, spark: SparkSession, version_id: int) -> None:
    # That two workers come to the same weights is proved below, and that what they learnt is published, on a cluster.
    run = requested(hub, version_id, "compact_vgg", workers=1)

    train_baseline(hub, Namespace(run=run.id), spark)

    model = model_of(hub, run)
    assert model.weights == "scratch"
    assert model.metrics["mode"] == "from_scratch"
    assert model.metrics["test_top1"] > 0.6
    check_examples(hub, model, version_id)
    with pytest.raises(ConflictError, match="has succeeded"):
        train_baseline(hub, Namespace(run=run.id), spark)


def distance(weights: list[np.ndarray], others: list[np.ndarray]) -> float:
    """How far apart two states of a network are, over all its weights."""
    return float(np.sqrt(sum(np.square(one - other).sum() for one, other in zip(weights, others, strict=True))))


@pytest.mark.parametrize("backbone", ["tiny_vgg", "compact_vgg"])
def test_one_worker_and_two_come_to_the_same_weights(hub: Hub, spark: SparkSession, version_id: int, backbone: str) -> None:
    is_scratch = backbone == "compact_vgg"
    embed_pending(hub, Namespace(again=False), spark)
    requested(hub, version_id, backbone)
    with hub.engine.begin() as connection:
        run = take_run(connection, owner="test", lease_s=600)
    assert run is not None
    plan = TrainingPlan(
        settings=hub.settings,
        run_id=run.id,
        attempt=run.attempt,
        version_id=version_id,
        version_digest="",
        backbone=backbone,
        features_model=None if is_scratch else features_model(backbone, obtain_weights(hub.settings, backbone).sha256),
        config=TrainingConfig(
            epochs=2,
            global_batch=2 * GROUP_ROWS,
            learning_rate=1e-3,
            epsilon=1e-3,
            l2=0.01,
            dropout=0.3,
            kept_views=2,
            patience=9,
            has_class_weights=True,
            seed=3,
        ),
    )

    keras.utils.set_random_seed(plan.config.seed)
    initial = (build_compact_vgg(len(LABELS)) if is_scratch else build_head(8, len(LABELS))).get_weights()
    trained = []
    for workers in (1, 2):
        trained.append(train_on_workers(spark.sparkContext, plan, workers=workers))
        # On a slow machine there is one, from which the next would go on.
        remove_checkpoints(hub.store, run.id)
    one, two = trained

    assert [report.epoch for report in two.reports] == [1, 2]
    # Workers that saw other pictures or other noise would part by all of the way that they have gone. How sums are
    # rounded depends on the processor: up to 1.2e-5 of the way was seen.
    assert distance(two.weights, one.weights) < 1e-4 * distance(one.weights, initial)
    for report_one, report_two in zip(one.reports, two.reports, strict=True):
        assert report_two.loss == pytest.approx(report_one.loss, rel=1e-5)
        assert report_two.validation_loss == pytest.approx(report_one.validation_loss, rel=1e-5)
    with hub.engine.begin() as connection:
        cancel_run(connection, run_id=run.id)
    if not is_scratch:
        with pytest.raises(ConflictError, match="was cancelled, or taken by another"):
            train_on_workers(spark.sparkContext, plan, workers=1)


def test_run_with_more_workers_than_slots_waits_and_says_what_to_do(hub: Hub, spark: SparkSession, version_id: int) -> None:
    run = requested(hub, version_id, "compact_vgg", workers=3)

    with pytest.raises(UnavailableError, match="asks for 3 workers at once"):
        train_baseline(hub, Namespace(run=run.id), spark)

    assert (ended(hub, run).status, ended(hub, run).failure) == ("queued", "outside")
    assert "HUB_TRAINING_WORKERS" in (ended(hub, run).message or "")


def test_run_with_too_few_pictures_fails_with_the_labels_names(hub: Hub, spark: SparkSession) -> None:
    version_id = freeze_by_hand(hub, "few", {"bar": ("train", "test"), "disc": ("train", "train", "test")})
    run = requested(hub, version_id, "compact_vgg")

    with pytest.raises(InvalidInputError, match=r"Bar \(1\)"):
        train_baseline(hub, Namespace(run=run.id), spark)

    assert (ended(hub, run).status, ended(hub, run).failure) == ("failed", "unusable")
    assert "Bar (1)" in (ended(hub, run).message or "")


def test_run_without_weights_waits_and_says_what_to_set(hub: Hub, spark: SparkSession, version_id: int) -> None:
    lost = replace(hub, settings=hub.settings.model_copy(update={"weights": "/nowhere/vgg.weights.h5"}))
    run = requested(hub, version_id, "tiny_vgg")

    with pytest.raises(UnavailableError, match=r"no file /nowhere/vgg\.weights\.h5 .*Set HUB_WEIGHTS"):
        train_baseline(lost, Namespace(run=run.id), spark)

    assert (ended(hub, run).status, ended(hub, run).failure) == ("queued", "outside")


def test_embed_of_a_damaged_picture_names_it_and_keeps_the_others(hub: Hub, spark: SparkSession, tmp_path: Path) -> None:
    weights = tmp_path / "other.weights.h5"
    write_random_weights("tiny_vgg", weights, seed=9)
    other = replace(hub, settings=hub.settings.model_copy(update={"weights": str(weights)}))
    with hub.engine.connect() as connection:
        key = connection.execute(select(images.c.picture_key).order_by(images.c.id.desc()).limit(1)).scalar_one()
    whole = hub.store.read(key)
    hub.store.replace(key, whole[: len(whole) // 2])
    try:
        with pytest.raises(UnavailableError, match=f"{key} is damaged"):
            embed_pending(other, Namespace(again=False), spark)
    finally:
        hub.store.replace(key, whole)

    model = features_model("tiny_vgg", obtain_weights(other.settings, "tiny_vgg").sha256)
    with hub.engine.connect() as connection:
        assert 0 < pending_count(connection, model=model) < len(LABELS) * len(SPLITS)
