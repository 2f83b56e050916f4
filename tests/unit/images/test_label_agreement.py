"""The rules of the network's opinion: evidence, score, words, and comparison with known pictures. numpy only."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from deep_images_hub.images.known_pictures import FOLDS, FeatureSpace, Kinship, KnownPictures, Pictures, fold_of
from deep_images_hub.images.label_agreement import (
    Nearness,
    Neighbour,
    SeenClass,
    agreement_detail,
    agreement_score,
    seen_share,
)
from deep_images_hub.images.label_judge import JudgedLabel, LabelJudge, judged_labels
from deep_images_hub.labels.graph import LabelEdge, LabelGraph
from deep_images_hub.labels.imagenet import LabelClasses

NAMES = ("apple", "pear", "plum")
FEATURES = 12
SEEN = [SeenClass(3, 0.6), SeenClass(4, 0.2), SeenClass(5, 0.1)]


def near(own: float, other: float) -> Nearness:
    return Nearness(own, other, "Pear", [Neighbour("Pear", "ab" * 32, other), Neighbour("Apple", "cd" * 32, own)])


def features_of(label: int, count: int, seed: int) -> np.ndarray:
    """Labels differ in three channels; light and shelf turn all the others up and down together, much more loudly."""
    random = np.random.default_rng(seed)
    features = random.gamma(30.0, 0.02, (count, FEATURES))
    features[:, 3:] += random.gamma(2.0, 3.0, (count, 1)) * np.linspace(0.5, 1.5, FEATURES - 3)
    features[:, label] += 2
    return features.astype(np.float16)


def pictures_of(label_ids: list[int], features: np.ndarray, *, batch: int | None = None, seed: int = 0) -> Pictures:
    random = np.random.default_rng(seed)
    count = len(label_ids)
    batch_ids = np.arange(count, dtype=np.int64) // 4 + 1000 * seed if batch is None else np.full(count, batch, np.int64)
    return Pictures(
        sha256s=[f"{seed:02x}{at:062x}" for at in range(count)],
        label_ids=np.array(label_ids, np.int64),
        batch_ids=batch_ids,
        folds=batch_ids % FOLDS,
        duplicate_groups=random.integers(-(2**63), 2**63 - 1, count, dtype=np.int64),
        features=features,
    )


@pytest.fixture(scope="module")
def known() -> KnownPictures:
    features = np.concatenate([features_of(label, 40, seed=label) for label in range(3)])
    pictures = pictures_of([label for label in range(3) for _ in range(40)], features, seed=7)
    return KnownPictures.of(pictures, dict(enumerate(NAMES)))


ALONE = {label: Kinship(own=frozenset({label}), above=frozenset()) for label in range(3)}


def test_known_pictures_tell_labels_apart(known: KnownPictures) -> None:
    shown = [label for label in range(3) for _ in range(20)]
    features = np.concatenate([features_of(label, 20, seed=50 + label) for label in range(3)])
    honest = known.nearness_of(pictures_of(shown, features, seed=9), ALONE, min_pictures=8)
    wrong = known.nearness_of(pictures_of([(label + 1) % 3 for label in shown], features, seed=9), ALONE, min_pictures=8)

    def scores(found: list[Nearness | None]) -> list[float]:
        return [agreement_score(nearness, None) or 0.0 for nearness in found]

    assert np.mean(np.array(scores(honest)) > 0.5) >= 0.95
    assert np.mean(np.array(scores(wrong)) < 0.5) >= 0.95


def test_own_batch_and_near_duplicates_have_no_say(known: KnownPictures) -> None:
    one = pictures_of([1], features_of(0, 1, seed=80), seed=11)
    mislabelled = replace(
        known.pictures,
        label_ids=np.append(known.pictures.label_ids, [1] * 8),
        batch_ids=np.append(known.pictures.batch_ids, [one.batch_ids[0]] * 4 + [77] * 4),
        folds=np.append(known.pictures.folds, [0] * 8),
        duplicate_groups=np.append(known.pictures.duplicate_groups, [5, 6, 7, 8] + [int(one.duplicate_groups[0])] * 4),
        features=np.concatenate([known.pictures.features, np.repeat(one.features, 8, axis=0)]),
        sha256s=[*known.pictures.sha256s, *(f"{at:064x}" for at in range(8))],
    )
    order = np.argsort(mislabelled.label_ids, kind="stable")
    polluted = KnownPictures.of(
        Pictures(
            [mislabelled.sha256s[at] for at in order],
            mislabelled.label_ids[order],
            mislabelled.batch_ids[order],
            mislabelled.folds[order],
            mislabelled.duplicate_groups[order],
            mislabelled.features[order],
        ),
        dict(enumerate(NAMES)),
    )

    (found,) = polluted.nearness_of(one, ALONE, min_pictures=8)
    apart = replace(one, batch_ids=one.batch_ids + 1, duplicate_groups=~one.duplicate_groups)
    (if_they_had,) = polluted.nearness_of(apart, ALONE, min_pictures=8)

    assert found is not None
    assert if_they_had is not None
    assert found.own < found.other
    assert if_they_had.own > if_they_had.other


def test_wrong_labels_are_found_among_few_pictures_of_many_features_that_are_all_new() -> None:
    """A space found with the help of the wrong ones themselves takes what is wrong with them for usual, and finds none."""
    random = np.random.default_rng(0)
    shown = np.repeat(np.arange(6), 20)
    means = random.gamma(2.0, 0.5, (6, 400))
    features = np.maximum(means[shown] + random.normal(0, 0.8, (120, 400)), 0)
    wrong = random.permutation(120)[:6]
    given = shown.copy()
    given[wrong] = (given[wrong] + 1) % 6
    everything = pictures_of(given.tolist(), features)
    order = np.argsort(given, kind="stable")
    known = KnownPictures.of(
        Pictures(
            [everything.sha256s[at] for at in order],
            everything.label_ids[order],
            everything.batch_ids[order],
            everything.folds[order],
            everything.duplicate_groups[order],
            everything.features[order],
        ),
        {label: str(label) for label in range(6)},
    )
    alone = {label: Kinship(own=frozenset({label}), above=frozenset()) for label in range(6)}

    scores = np.array([agreement_score(near, None) for near in known.nearness_of(everything, alone, min_pictures=8)])

    assert (scores[wrong] < 0.2).all()
    assert (np.delete(scores, wrong) < 0.2).sum() <= 2


def test_fold_follows_from_the_key_of_a_batch() -> None:
    folds = [fold_of(f"crowd-{number}") for number in range(200)]
    assert folds == [fold_of(f"crowd-{number}") for number in range(200)]
    assert 70 < sum(folds) < 130


def test_label_with_too_few_known_pictures_of_other_batches_is_not_compared(known: KnownPictures) -> None:
    one = pictures_of([0], features_of(0, 1, seed=3), seed=5)
    assert known.nearness_of(one, ALONE, min_pictures=40) != [None]
    assert known.nearness_of(one, ALONE, min_pictures=41) == [None]


def test_only_label_of_a_hub_has_nobody_to_be_compared_with() -> None:
    pictures = pictures_of([0] * 20, features_of(0, 20, seed=1))
    only = KnownPictures.of(pictures, {0: "apple"})
    assert only.nearness_of(pictures_of([0], features_of(0, 1, seed=2), seed=3), ALONE, min_pictures=8) == [None]


def test_labels_above_and_below_are_no_rivals(known: KnownPictures) -> None:
    """Pears are known under `pear` (1). A pear that was sent as fruit (9) agrees; as an apple it does not."""
    pear = features_of(1, 1, seed=60)
    kinship = {9: Kinship(own=frozenset({0, 1, 9}), above=frozenset()), 0: Kinship(frozenset({0}), frozenset({9}))}

    (as_fruit,) = known.nearness_of(pictures_of([9], pear, seed=4), kinship, min_pictures=8)
    (as_apple,) = known.nearness_of(pictures_of([0], pear, seed=4), kinship, min_pictures=8)

    assert as_fruit is not None
    assert as_fruit.own > as_fruit.other
    assert as_fruit.other_label == "plum"
    assert as_apple is not None
    assert as_apple.other_label == "pear"


def test_space_of_few_pictures_without_any_variance_is_finite() -> None:
    space = FeatureSpace.of(np.ones((1, 4), np.float16), np.array([3]))
    assert np.isfinite(space.placed(np.arange(8.0).reshape(2, 4))).all()
    assert np.isfinite(space.placed(np.ones((1, 4)))).all()


def test_share_of_what_is_seen_compares_fitting_classes_with_the_most_probable_other() -> None:
    assert seen_share(SEEN, {3}) == pytest.approx((0.6 + 0.05) / (0.6 + 0.2 + 0.05))
    assert seen_share(SEEN, {4, 5}) == pytest.approx((0.3 + 0.05) / (0.3 + 0.6 + 0.05))
    assert seen_share(SEEN, {9}) == pytest.approx(0.05 / 0.65)


def test_without_head_or_mapping_there_is_no_share_and_without_anything_no_score() -> None:
    assert seen_share([], {3}) is None
    assert seen_share(SEEN, set()) is None
    assert agreement_score(None, None) is None


def test_score_falls_with_other_labels_pictures_nearer_and_with_less_that_fits() -> None:
    margins = [agreement_score(near(0.4 + step / 20, 0.4), None) for step in (3, 1, 0, -1, -3)]
    shares = [agreement_score(near(0.4, 0.4), share) for share in (1.0, 0.5, 0.1, 0.05)]

    assert margins == sorted(margins, reverse=True)
    assert margins[2] == 0.5
    assert shares == sorted(shares, reverse=True)
    assert all(score is not None and 0 <= score <= 1 for score in (*margins, *shares))


def test_one_class_alone_is_doubted_only_where_the_network_is_sure_of_something_else() -> None:
    unsure = agreement_score(None, seen_share([SeenClass(4, 0.3), SeenClass(5, 0.2)], {3}))
    sure = agreement_score(None, seen_share([SeenClass(4, 0.95)], {3}))
    assert unsure is not None
    assert sure is not None
    assert sure < 0.2 < unsure


def test_detail_says_what_is_seen_and_who_is_near() -> None:
    names = {index: f"class {index}" for index in range(10)}
    said = agreement_detail("Apple", SEEN, [names[index] for index in range(10)], 0.25, near(0.1, 0.3))

    assert "sees class 3 (60%), class 4 (20%), class 5 (10%); 25% of that fits the label" in said
    assert "Known pictures of Apple are farther than those of Pear (similarity 0.10, 0.30)" in said
    assert "Nearest: Pear (abababababab), Apple (cdcdcdcdcdcd)" in said
    assert "no class for the label" in agreement_detail("Milk", SEEN, [names[index] for index in range(10)], None, None)
    assert "too few known pictures" in agreement_detail("Milk", [], [], None, None)


def test_judge_fails_what_is_below_the_threshold_and_passes_what_nothing_is_known_of() -> None:
    labels = {
        1: JudgedLabel("Lemon", LabelClasses(frozenset({3}), frozenset({3})), ALONE[1]),
        2: JudgedLabel("Milk", LabelClasses(), ALONE[2]),
    }
    judge = pickle.loads(pickle.dumps(LabelJudge(None, labels, threshold=0.2, min_pictures=8)))
    pictures = pictures_of([1, 1, 2], np.ones((3, FEATURES)))

    lemon, something_else, milk = judge.verdicts(pictures, [[SeenClass(3, 0.9)], [SeenClass(7, 0.97)], [SeenClass(7, 0.97)]])

    assert (lemon.check_name, lemon.outcome, lemon.threshold) == ("label_agreement", "pass", 0.2)
    assert something_else.outcome == "fail"
    assert something_else.score is not None
    assert something_else.score < 0.2
    assert (milk.outcome, milk.score, milk.threshold) == ("pass", None, None)


def test_judged_labels_know_who_is_above_and_below_by_id() -> None:
    graph = LabelGraph({"f": "Fruit", "a": "Apple", "g": "Gala"}, frozenset({LabelEdge("f", "a"), LabelEdge("a", "g")}))
    labels = judged_labels(graph, {"f": 1, "a": 2, "g": 3})
    assert labels[2].kinship == Kinship(own=frozenset({2, 3}), above=frozenset({1}))
    assert labels[2].name == "Apple"
