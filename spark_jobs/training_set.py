"""A dataset version as training sees it: class indices, splits, and whether there is enough to learn from."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from deep_images_hub.catalogue.datasets import TrainingPicture, training_pictures
from deep_images_hub.catalogue.embeddings import features_of
from deep_images_hub.catalogue.labels import labels_by_codes, parent_codes
from deep_images_hub.errors import InvalidInputError, UnavailableError
from deep_images_hub.training import MIN_LABELS, MIN_TRAIN_IMAGES_PER_LABEL
from models.evaluate import HeldOut, Label

SPLITS = ("train", "validation", "test")
# Labels that a message names before it only counts them.
_SHOWN_LABELS = 10


@dataclass(frozen=True)
class TrainingSet:
    """The pictures of a version, by position.

    Attributes:
        labels: by class index, which is the place of the label's code among all codes of the version.
        pictures: in the version's order.
        class_index: (n,) int32.
        parents: codes of the labels right above each label, by class index.
    """

    labels: tuple[Label, ...]
    pictures: Sequence[TrainingPicture]
    class_index: NDArray[np.int32]
    parents: tuple[frozenset[str], ...]

    @classmethod
    def of_version(cls, connection: Connection, version_id: int) -> Self:
        """Read a version."""
        pictures = training_pictures(connection, version_id)
        codes = sorted({picture.label_code for picture in pictures})
        known = labels_by_codes(connection, codes)
        index = {code: position for position, code in enumerate(codes)}
        parents = parent_codes(connection, codes)
        return cls(
            labels=tuple(Label(code, known[code].name) for code in codes),
            pictures=pictures,
            class_index=np.array([index[picture.label_code] for picture in pictures], np.int32),
            parents=tuple(parents.get(code, frozenset()) for code in codes),
        )

    def holding_out(self, image_ids: Collection[int]) -> Self:
        """Return the same with these pictures as its validation split; all others but the test split are to learn from."""
        pictures = [
            picture
            if picture.split == "test"
            else replace(picture, split="validation" if picture.image_id in image_ids else "train")
            for picture in self.pictures
        ]
        return replace(self, pictures=pictures)

    def positions(self, split: str) -> NDArray[np.int64]:
        """Return which pictures a split has."""
        return np.array([at for at, picture in enumerate(self.pictures) if picture.split == split], np.int64)

    def learned_from(self) -> NDArray[np.int64]:
        """Return which pictures a head may learn from in the end: all but those of the test split."""
        return np.sort(np.concatenate([self.positions("train"), self.positions("validation")]))

    def counts(self, split: str) -> list[int]:
        """Return how many pictures of each class a split has."""
        counts: list[int] = np.bincount(self.class_index[self.positions(split)], minlength=len(self.labels)).tolist()
        return counts

    def test_split(self) -> HeldOut:
        """Return what a classifier is judged on."""
        positions = self.positions("test")
        groups = [self.pictures[at].group_key for at in positions]
        return HeldOut(
            class_index=self.class_index[positions],
            groups=np.unique(groups, return_inverse=True)[1],
            families=np.array([[bool(one & other) for other in self.parents] for one in self.parents]),
        )

    def image_counts(self) -> dict[str, int]:
        """Return how many pictures each split has."""
        found = Counter(picture.split for picture in self.pictures)
        return {split: found[split] for split in SPLITS}

    def check(self) -> None:
        """Raise InvalidInputError unless a classifier can be trained on this and judged; the message names the labels."""
        if len(self.labels) < MIN_LABELS:
            named = ", ".join(label.name for label in self.labels)
            raise InvalidInputError(
                f"The dataset has {len(self.labels)} label ({named}); a classifier needs at least {MIN_LABELS}. "
                "Freeze a version with more labels."
            )
        counts = zip(self.labels, self.counts("train"), strict=True)
        short = [f"{label.name} ({count})" for label, count in counts if count < MIN_TRAIN_IMAGES_PER_LABEL]
        if short:
            more = f" and {len(short) - _SHOWN_LABELS} more" if len(short) > _SHOWN_LABELS else ""
            raise InvalidInputError(
                f"Too few pictures to train on, in the split `train`: {', '.join(short[:_SHOWN_LABELS])}{more}. Each label "
                f"needs at least {MIN_TRAIN_IMAGES_PER_LABEL}. Ask the crowd for more, or freeze a version without these labels."
            )
        if not len(self.positions("test")):
            raise InvalidInputError(
                "The dataset has no picture in the split `test`, so that nothing could be said of the model. Pictures of one "
                "batch stay in one split: ask the crowd for more batches, or freeze a version with a larger share for `test`."
            )


def features_by_position(
    connection: Connection, training_set: TrainingSet, *, model: str, version_id: int
) -> NDArray[np.float32]:
    """Return the features of all pictures of a set, (n, d). Raises UnavailableError when some have none.

    The version may have more pictures: those that had been taken down when the set was read.
    """
    ids, features = features_of(connection, model=model, version_id=version_id)
    expected = np.array([picture.image_id for picture in training_set.pictures], np.int64)
    if missing := np.setdiff1d(expected, ids).size:
        raise UnavailableError(f"{missing} of {len(expected)} pictures have no features of {model}. Run scripts/submit embed.")
    # Both are in the version's order.
    return features if len(ids) == len(expected) else features[np.isin(ids, expected)]
