"""Judge the labels of pictures: everything that a judgement needs, in one object that pickles. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deep_images_hub.images.known_pictures import Kinship, KnownPictures, Pictures
from deep_images_hub.images.label_agreement import Nearness, SeenClass, agreement_detail, agreement_score, seen_share
from deep_images_hub.labels.graph import LabelGraph
from deep_images_hub.labels.imagenet import LabelClasses, classes_by_label, imagenet_class_names, imagenet_mapping
from deep_images_hub.verdicts import Verdict

CHECK_NAME = "label_agreement"


@dataclass(frozen=True)
class JudgedLabel:
    """What is to be known of a label to judge pictures of it."""

    name: str
    classes: LabelClasses
    kinship: Kinship


def judged_labels(graph: LabelGraph, ids: Mapping[str, int]) -> dict[int, JudgedLabel]:
    """Return the labels of a graph by id.

    Args:
        ids: of every label, by code.
    """
    classes = classes_by_label(graph, imagenet_mapping())
    own: defaultdict[str, set[int]] = defaultdict(set)
    above: defaultdict[str, set[int]] = defaultdict(set)
    for (ancestor, code), depth in graph.closure().items():
        own[ancestor].add(ids[code])
        if depth:
            above[code].add(ids[ancestor])
    return {
        ids[code]: JudgedLabel(name, classes[code], Kinship(frozenset(own[code]), frozenset(above[code])))
        for code, name in graph.names.items()
    }


@dataclass(frozen=True)
class LabelJudge:
    """Judges pictures against the same known pictures.

    Attributes:
        known: None: there are none yet.
        labels: by id; of every picture that is judged.
        threshold: pictures with a lower score are doubted.
        min_pictures: labels with fewer known pictures are judged by ImageNet's classes alone.
    """

    known: KnownPictures | None
    labels: Mapping[int, JudgedLabel]
    threshold: float
    min_pictures: int

    def verdicts(self, pictures: Pictures, seen: Sequence[Sequence[SeenClass]]) -> list[Verdict]:
        """Return a verdict for each picture of a block, in order. Memory grows with the block.

        Args:
            seen: by picture, the most probable classes of ImageNet; empty where the network has no classification head.
        """
        kinship = {label_id: self.labels[label_id].kinship for label_id in set(pictures.label_ids.tolist())}
        nearness: Sequence[Nearness | None] = [None] * len(pictures)
        if self.known is not None:
            nearness = self.known.nearness_of(pictures, kinship, min_pictures=self.min_pictures)
        verdicts = []
        for label_id, near, classes in zip(pictures.label_ids.tolist(), nearness, seen, strict=True):
            label = self.labels[label_id]
            share = seen_share(classes, label.classes.kin)
            score = agreement_score(near, share)
            verdicts.append(
                Verdict(
                    CHECK_NAME,
                    outcome="fail" if score is not None and score < self.threshold else "pass",
                    score=score,
                    threshold=None if score is None else self.threshold,
                    detail=agreement_detail(label.name, classes, imagenet_class_names(), share, near),
                )
            )
        return verdicts
