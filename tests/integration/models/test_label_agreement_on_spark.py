"""The network's opinion on a real Spark and a real catalogue: planted wrong labels, interruptions, what people decide."""

import io
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyspark.sql import SparkSession
from sqlalchemy import select, text

from deep_images_hub.catalogue.agreement import decide_by_agreement, pictures_to_judge
from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions, decision_history
from deep_images_hub.catalogue.embeddings import pending_images
from deep_images_hub.catalogue.fingerprint import TableFingerprint, fingerprint
from deep_images_hub.catalogue.label_counts import recount
from deep_images_hub.catalogue.labels import add_label, label_by_code
from deep_images_hub.catalogue.tables import images
from deep_images_hub.pretrained_weights import obtain_weights
from deep_images_hub.wiring import Hub
from models.backbones import write_random_weights
from spark_jobs.embed import embed_pending
from spark_jobs.embedding import Network, embed
from spark_jobs.judging import judge, label_judge
from tests.integration.catalogue.planting import plant_batch

# Keras on TensorFlow reads its variables with numpy's older protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")

COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (50, 60, 210)}
BATCHES, BATCH_IMAGES = 4, 5
# (label, batch, position) -> the colour that the picture has in truth
WRONG = {("red", 1, 2): "blue", ("green", 0, 4): "red", ("blue", 3, 0): "green"}


def drawn(colour: str, random: np.random.Generator) -> bytes:
    """A surface of a colour, lighter or darker, with a figure and a camera's noise."""
    light = random.uniform(0.7, 1.1)
    picture = np.full((128, 144, 3), COLOURS[colour], float) * light
    left, top = random.integers(10, 60, 2)
    picture[top : top + 40, left : left + 40] *= random.uniform(0.8, 1.0)
    body = io.BytesIO()
    noisy = picture + random.normal(0, 6, picture.shape)
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(body, "JPEG")
    return body.getvalue()


def plant(hub: Hub) -> None:
    random = np.random.default_rng(5)
    with hub.engine.begin() as connection:
        for label in COLOURS:
            add_label(connection, code=label, name=label.title(), parent_code=None)
            for batch in range(BATCHES):
                planted = plant_batch(connection, f"{label}-{batch}", label, outcomes=("accepted",) * BATCH_IMAGES)
                for position, image_id in enumerate(planted):
                    key = connection.execute(select(images.c.picture_key).where(images.c.id == image_id)).scalar_one()
                    hub.store.create(key, drawn(WRONG.get((label, batch, position), label), random))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny_top.weights.h5"
    write_random_weights("tiny_vgg", path, seed=4, include_top=True)
    return path


@pytest.fixture
def planted_hub(hub_of, weights: Path):
    """Give a way to open a hub with 20 pictures of each colour, three of them under a wrong label."""

    @contextmanager
    def opened_one(**given: object) -> Iterator[Hub]:
        with hub_of(feature_batch_size=8, **{"weights": str(weights), **given}) as opened:
            # The setting takes no network that is only for tests.
            hub = replace(opened, settings=opened.settings.model_copy(update={"backbone": "tiny_vgg"}))
            plant(hub)
            yield hub

    return opened_one


def catalogue_of(hub: Hub) -> dict[str, TableFingerprint]:
    with hub.engine.begin() as connection:
        return fingerprint(connection)


def statuses(hub: Hub) -> dict[tuple[str, int, int], tuple[str, str | None]]:
    """(label, batch, position) -> (status, reason) of everything that is not simply accepted."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text(
                "select batches.key, position, submissions.status, reason from submissions"
                " join batches on batches.id = batch_id where submissions.status <> 'accepted'"
            )
        )
        found = {}
        for row in rows:
            label, _, batch = row.key.partition("-")
            found[label, int(batch), row.position] = (row.status, row.reason)
        return found


def look(hub: Hub, spark: SparkSession, *, again: bool = False) -> None:
    assert embed_pending(hub, Namespace(again=again), spark) == 0


def test_wrong_labels_go_into_review_with_what_was_seen_and_nothing_changes_twice(planted_hub, spark: SparkSession) -> None:
    with planted_hub() as hub:
        look(hub, spark)
        once = catalogue_of(hub)
        look(hub, spark)

        assert catalogue_of(hub) == once
        assert statuses(hub) == dict.fromkeys(WRONG, ("review", "label_agreement"))
        with hub.engine.begin() as connection:
            said = connection.execute(
                text("select outcome, score, threshold, detail from verdicts where check_name = 'label_agreement'")
            ).all()
            classes = connection.execute(text("select class_indexes, class_probabilities from embeddings")).all()
            counts = connection.execute(text("select sum(accepted_count), sum(review_count) from batches")).one()
            red = label_by_code(connection, "red")
            differences = recount(connection)
        assert len(said) == len(COLOURS) * BATCHES * BATCH_IMAGES
        doubted = [row for row in said if row.outcome == "fail"]
        assert len(doubted) == len(WRONG)
        assert all(row.score < row.threshold == pytest.approx(hub.settings.label_agreement_threshold) for row in doubted)
        assert all("are farther than those of" in row.detail for row in doubted)
        assert all("The network sees " in row.detail for row in said)
        assert all(len(row.class_indexes) == 10 == len(row.class_probabilities) for row in classes)
        assert tuple(counts) == (57, 3)
        assert red.own_images == 19
        assert differences == []


def test_run_that_was_killed_ends_like_one_that_was_not(planted_hub, spark: SparkSession) -> None:
    with planted_hub() as hub:
        look(hub, spark)
        expected = catalogue_of(hub)
    with planted_hub() as hub:
        network = Network("tiny_vgg", obtain_weights(hub.settings, "tiny_vgg").sha256)
        with hub.engine.connect() as connection:
            page = pending_images(connection, model=network.model, limit=100)
        embed(spark, hub.settings, network, page[:25], on_progress=lambda _: None)
        embed(spark, hub.settings, network, page, on_progress=lambda _: None)
        with hub.engine.connect() as connection:
            pictures = pictures_to_judge(connection, model=network.model, redecision_id=None, limit=30)
            shared = spark.sparkContext.broadcast(label_judge(connection, hub.settings, network.model))
        # Killed here: half of the verdicts are written, and no decision has changed.
        judge(spark, hub.settings, shared, network.model, pictures, redecision_id=None, on_progress=lambda _: None)
        assert statuses(hub) == {}

        look(hub, spark)

        assert catalogue_of(hub) == expected


def test_person_has_the_last_word_and_new_knowledge_is_asked_for(planted_hub, spark: SparkSession) -> None:
    with planted_hub() as hub:
        look(hub, spark)
        with hub.engine.begin() as connection:
            kept = connection.execute(
                text(
                    "select submissions.id from submissions join batches on batches.id = batch_id"
                    " where batches.key = 'red-1' and position = 2"
                )
            ).scalar_one()
            change_decisions(connection, changes=[DecisionChange(kept, "accepted", None)], cause="operator")

        look(hub, spark)
        look(hub, spark, again=True)
        after_person = statuses(hub)
        trusting = replace(hub, settings=hub.settings.model_copy(update={"label_agreement_threshold": 0.0}))
        look(trusting, spark, again=True)

        assert set(after_person) == set(WRONG) - {("red", 1, 2)}
        assert statuses(hub) == {}
        with hub.engine.begin() as connection:
            assert [change.cause for change in decision_history(connection, submission_id=kept)] == ["network", "operator"]
            assert decide_by_agreement(connection, model="m") is None
            assert recount(connection) == []


def test_weights_without_a_head_give_features_alone_and_say_so_once(
    planted_hub, spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tiny.weights.h5"
    write_random_weights("tiny_vgg", path, seed=4)
    with planted_hub(weights=str(path)) as hub:
        look(hub, spark)
        look(hub, spark)

        assert capsys.readouterr().out.count("no classification head") == 1
        assert statuses(hub) == dict.fromkeys(WRONG, ("review", "label_agreement"))
        with hub.engine.connect() as connection:
            assert connection.execute(text("select count(class_indexes) from embeddings")).scalar_one() == 0
