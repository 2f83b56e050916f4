"""Wrong labels that the network finds, and honest pictures that it doubts: by the jobs themselves, on photographs of your own.

A simulated crowd sends the photographs, some of them under the label of another one; intake and embed run; the ledger's scores
are held against what was planted. With --known those pictures are sent first, all honest, and only the others are judged: that is
stricter, where both were taken at different places, than a crowd whose batches resemble one another.
"""

import csv
import io
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.measuring.own_hub import hub_of_its_own, submit_quietly
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.crowd import truth_key
from deep_images_hub.wiring import Hub

_QUICK_IMAGES = 600
_WRONG_SHARE = 0.05
# Beside the one that is set.
_THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)


@dataclass(frozen=True)
class Judged:
    """A picture that was judged.

    Attributes:
        score: None: nothing could be said.
        is_wrong: it was sent under the label of another picture.
        is_sibling: and that label lies right under the same one as its true label, like two kinds of apples.
    """

    score: float | None
    is_wrong: bool
    is_sibling: bool


@dataclass(frozen=True)
class Quality:
    """How good a threshold is: shares 0..1. precision: of the planted share of wrong labels; None where nothing is doubted."""

    threshold: float
    recall: float
    recall_between_kinds: float
    honest_doubted: float
    precision: float | None


def add_arguments(parser: ArgumentParser) -> None:
    """Add this bench's options."""
    parser.add_argument("--photos", type=Path, metavar="DIR", required=True, help="folders that name what their photographs show")
    parser.add_argument("--known", type=Path, metavar="DIR", help="send these first, under their true labels")
    parser.add_argument("--images", type=int, metavar="N", help=f"so many of the photographs (all; {_QUICK_IMAGES} with --quick)")
    parser.add_argument(
        "--wrong", type=float, default=_WRONG_SHARE, metavar="SHARE", help=f"share under a wrong label ({_WRONG_SHARE})"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed plants others (0)")


def measure(settings: Settings, given: Namespace) -> dict[str, object]:
    """Send, take in, judge, and compare with the truth."""
    if not 0 < given.wrong < 1:
        raise InvalidInputError(f"--wrong is {given.wrong:g}. Expected a share between 0 and 1.")
    count = given.images or (_QUICK_IMAGES if given.quick else None)
    with hub_of_its_own(settings, settings.home.resolve() / "bench" / "label_agreement") as hub:
        if given.known:
            _send_and_judge(hub, given.known, seed=given.seed)
        crowd = _send_and_judge(hub, given.photos, seed=given.seed, wrong=given.wrong, images=count)
        judged = judged_pictures(hub, crowd)
    thresholds = sorted({*_THRESHOLDS, settings.label_agreement_threshold})
    qualities = [quality(judged, threshold) for threshold in thresholds]
    chosen = quality(judged, settings.label_agreement_threshold)
    wrong_count = sum(one.is_wrong for one in judged)
    _show(judged, qualities, settings)
    return {
        "images": len(judged),
        "wrong_labels": wrong_count,
        "not_judged": sum(one.score is None for one in judged),
        "backbone": settings.backbone,
        "threshold": chosen.threshold,
        "precision": chosen.precision,
        "recall": chosen.recall,
        "recall_between_kinds": chosen.recall_between_kinds,
        "honest_doubted": chosen.honest_doubted,
        "by_threshold": {
            f"{one.threshold:g}": {"precision": one.precision, "recall": one.recall, "honest_doubted": one.honest_doubted}
            for one in qualities
        },
    }


def _send_and_judge(hub: Hub, photos: Path, *, seed: int, wrong: float = 0.0, images: int | None = None) -> str:
    """Let a crowd send photographs, take them in, judge them; return the crowd's name."""
    report = hub.settings.home / "crowd.json"
    arguments = ["--photos", str(photos.expanduser().resolve()), "--seed", str(seed), "--report", str(report)]
    arguments += ["--defects", f"wrong_label={wrong}" if wrong else "none"]
    if images is not None:
        arguments += ["--images", str(images)]
    print(f"a crowd sends {photos} ...", flush=True)
    submit_quietly(hub, "simulate_crowd", *arguments)
    submit_quietly(hub, "intake")
    print("the network looks ...", flush=True)
    submit_quietly(hub, "embed")
    return str(json.loads(report.read_text(encoding="utf-8"))["crowd"])


def judged_pictures(hub: Hub, crowd: str) -> list[Judged]:
    """Return what the ledger says of a crowd's pictures, beside the truth."""
    truth = {
        (row["batch_key"], int(row["position"])): (row["label_code"], row["true_label_code"])
        for row in csv.DictReader(io.StringIO(hub.store.read(truth_key(crowd)).decode()))
        if row["defect"] == "wrong_label"
    }
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text(
                "select batches.key, submissions.position, verdicts.score from verdicts"
                " join submissions on submissions.id = verdicts.submission_id join batches on batches.id = submissions.batch_id"
                " where verdicts.check_name = 'label_agreement' and starts_with(batches.key, :crowd)"
            ),
            {"crowd": crowd},
        ).all()
    judged = []
    for row in rows:
        said, true = truth.get((row.key, row.position), ("", ""))
        judged.append(Judged(row.score, bool(said), bool(said) and said.rpartition("/")[0] == true.rpartition("/")[0]))
    return judged


def quality(judged: Sequence[Judged], threshold: float) -> Quality:
    """Return how good a threshold is; at least one picture is honest and one is not."""
    wrong = [one for one in judged if one.is_wrong]
    honest = [one for one in judged if not one.is_wrong]
    if not wrong or not honest:
        raise InvalidInputError(
            f"{len(wrong)} of {len(judged)} pictures have a wrong label: nothing can be told. Send more, or raise --wrong."
        )
    doubted = [one for one in judged if one.score is not None and one.score < threshold]
    found = sum(one.is_wrong for one in doubted)
    between = [one for one in wrong if not one.is_sibling]
    return Quality(
        threshold=threshold,
        recall=round(found / len(wrong), 4),
        recall_between_kinds=round(sum(not one.is_sibling for one in doubted if one.is_wrong) / max(1, len(between)), 4),
        honest_doubted=round((len(doubted) - found) / len(honest), 4),
        precision=round(found / len(doubted), 4) if doubted else None,
    )


def _show(judged: Sequence[Judged], qualities: Sequence[Quality], settings: Settings) -> None:
    wrong_count = sum(one.is_wrong for one in judged)
    print(f"\n{len(judged):,} pictures judged by {settings.backbone}, {wrong_count} of them under a wrong label")
    print(f"  {'threshold':>10} {'found':>8} {'between kinds':>14} {'honest doubted':>15} {'precision':>10}")
    for one in qualities:
        is_set = " (set)" if one.threshold == settings.label_agreement_threshold else ""
        precision = "-" if one.precision is None else f"{one.precision:.1%}"
        print(
            f"  {one.threshold:>10g} {one.recall:>8.1%} {one.recall_between_kinds:>14.1%} {one.honest_doubted:>15.2%}"
            f" {precision:>10}{is_set}"
        )
    print(flush=True)
