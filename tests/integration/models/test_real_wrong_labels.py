"""A real network on real photographs, where HUB_TEST_WEIGHTS (MobileNetV2 with its head) and HUB_TEST_PHOTOS name them."""

import os
import random
from pathlib import Path

import numpy as np
import pytest

from deep_images_hub.images.decode import Refusal, decode
from deep_images_hub.images.known_pictures import FOLDS, KnownPictures, Pictures
from deep_images_hub.images.label_agreement import SeenClass
from deep_images_hub.images.label_judge import LabelJudge, judged_labels
from deep_images_hub.images.network_input import network_input
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.photo_sources import FolderPhotos
from models.backbones import build_observer
from models.features import observe

# Keras on TensorFlow reads its variables with numpy's older protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")

LABELS, IMAGES = 12, 20
BATCH_IMAGES = 5
WRONG_SHARE = 0.05
MIN_RECALL, MAX_HONEST_DOUBTED = 0.8, 0.02


def test_planted_wrong_labels_are_found_and_honest_pictures_are_left_alone() -> None:
    weights, folder = os.environ.get("HUB_TEST_WEIGHTS"), os.environ.get("HUB_TEST_PHOTOS")
    if not weights or not folder:
        pytest.skip("HUB_TEST_WEIGHTS and HUB_TEST_PHOTOS name no weights and no photographs")
    settings = Settings()
    listed = FolderPhotos(Path(folder)).list()
    assert listed.labels is not None
    codes = random.Random(1).sample(sorted(code for code, names in listed.photos.items() if len(names) >= IMAGES), LABELS)
    chosen = [(code, name) for code in codes for name in listed.photos[code][:IMAGES]]
    network = build_observer("mobilenet_v2", Path(weights))
    seen = observe(network, np.stack([picture_of(Path(folder) / name) for _, name in chosen]), batch_size=32)
    assert seen.class_indexes is not None, "HUB_TEST_WEIGHTS has no classification head"
    assert seen.class_probabilities is not None
    classes = [
        [SeenClass(index, share) for index, share in zip(indexes, shares, strict=True)]
        for indexes, shares in zip(seen.class_indexes.tolist(), seen.class_probabilities.tolist(), strict=True)
    ]
    ids = {code: number for number, code in enumerate(sorted(listed.labels.names))}
    true_ids = np.array([ids[code] for code, _ in chosen])
    given_ids, is_wrong = planted(true_ids)
    pictures = Pictures(
        sha256s=[f"{at:064x}" for at in range(len(chosen))],
        label_ids=given_ids,
        batch_ids=np.arange(len(chosen)) // BATCH_IMAGES,
        folds=np.arange(len(chosen)) // BATCH_IMAGES % FOLDS,
        duplicate_groups=np.arange(len(chosen)),
        features=seen.features,
    )
    names = {number: listed.labels.names[code] for code, number in ids.items()}
    judge = LabelJudge(
        KnownPictures.of(by_label(pictures), names),
        judged_labels(listed.labels, ids),
        threshold=settings.label_agreement_threshold,
        min_pictures=settings.label_agreement_min_pictures,
    )

    doubted = np.array([verdict.outcome == "fail" for verdict in judge.verdicts(pictures, classes)])

    assert doubted[is_wrong].mean() >= MIN_RECALL
    assert doubted[~is_wrong].mean() <= MAX_HONEST_DOUBTED


def picture_of(file: Path) -> np.ndarray:
    photograph = decode(file.read_bytes(), max_pixels=50_000_000, short_side_px=256)
    assert not isinstance(photograph, Refusal)
    return network_input(photograph.picture, 224)


def planted(true_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give some pictures the label of the next wrong one, so that each label keeps about its number."""
    wrong = np.random.default_rng(2).permutation(len(true_ids))[: int(len(true_ids) * WRONG_SHARE)]
    given = true_ids.copy()
    given[wrong] = np.roll(true_ids[wrong], 1)
    return given, given != true_ids


def by_label(pictures: Pictures) -> Pictures:
    order = np.argsort(pictures.label_ids, kind="stable")
    return Pictures(
        [pictures.sha256s[at] for at in order],
        pictures.label_ids[order],
        pictures.batch_ids[order],
        pictures.folds[order],
        pictures.duplicate_groups[order],
        pictures.features[order],
    )
