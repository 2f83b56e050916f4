"""The network's opinion in the catalogue: what pictures are compared with, whose turn it is, verdicts, and what follows.

Verdicts are written first, all against the same known pictures, and decisions are changed only then: killed anywhere and run
again, the same pictures are compared with the same ones.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Engine, text

from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions
from deep_images_hub.catalogue.embeddings import embeddings_of
from deep_images_hub.catalogue.engine import copy_rows
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.redecisions import (
    Threshold,
    begin_redecision,
    check_in_force,
    finish_redecision,
    redeciding_alone,
)
from deep_images_hub.images.known_pictures import NEIGHBOURS, KnownPictures, Pictures, fold_of
from deep_images_hub.images.label_judge import CHECK_NAME
from deep_images_hub.verdicts import CHECK_VERSION, Verdict

# Known pictures in all, as long as every label has NEIGHBOURS: 20,000 of 1,280 features are 100 MB in a process.
MAX_KNOWN_PICTURES = 20_000
_READ_IMAGES = 1_000
# Decisions of one transaction: it holds the lock on counts to its end.
_DECIDED_AT_ONCE = 5_000


@dataclass(frozen=True)
class JudgedPicture:
    """A picture that the network is to judge.

    Attributes:
        label_id: its current label; the supplier's where it has none.
        duplicate_group: equal for near-duplicates.
    """

    submission_id: int
    image_id: int
    sha256: str
    label_id: int
    batch_id: int
    batch_key: str
    duplicate_group: int


def known_pictures(connection: Connection, *, model: str, max_pictures: int) -> KnownPictures | None:
    """Return the accepted pictures that others are compared with, placed in their feature space; None when there are none.

    The same catalogue gives the same ones. Reads every current label, which takes seconds at a million.

    Args:
        model: backbone and digest of its weights.
        max_pictures: of each label; fewer where there are so many labels that all would be more than MAX_KNOWN_PICTURES.
    """
    label_count = connection.execute(text("select count(*) from label_counts where own_images > 0")).scalar_one()
    allowed = max(NEIGHBOURS, min(max_pictures, MAX_KNOWN_PICTURES // max(1, label_count)))
    rows = connection.execute(load_query("known_pictures"), {"model": model, "max_pictures": allowed}).all()
    if not rows:
        return None
    ids = [row.image_id for row in rows]
    features = []
    for start in range(0, len(ids), _READ_IMAGES):
        part = ids[start : start + _READ_IMAGES]
        embeddings = embeddings_of(connection, model=model, image_ids=part)
        features.append(np.stack([embeddings[image_id].features for image_id in part]))
    pictures = Pictures(
        sha256s=tuple(row.sha256 for row in rows),
        label_ids=np.array([row.label_id for row in rows], np.int64),
        batch_ids=np.array([row.batch_id for row in rows], np.int64),
        folds=np.array([fold_of(row.batch_key) for row in rows], np.int64),
        duplicate_groups=np.array([row.duplicate_group for row in rows], np.int64),
        features=np.concatenate(features),
    )
    names = connection.execute(
        text("select id, name from labels where id = any(:ids)"), {"ids": np.unique(pictures.label_ids).tolist()}
    )
    return KnownPictures.of(pictures, {row.id: row.name for row in names})


@contextmanager
def asking_again(engine: Engine, *, threshold: float) -> Iterator[int]:
    """Begin to judge everything anew, or go on where the last such run was killed, and give the redecision's id.

    Nobody else redecides meanwhile. When the block ends well, it is written down as finished.

    Raises:
        ConflictError: somebody else is redeciding.
    """
    with redeciding_alone(engine):
        asked = Threshold(CHECK_NAME, threshold)
        with engine.begin() as connection:
            redecision_id = begin_redecision(connection, asked, before=check_in_force(connection, asked), user_id=None)
        yield redecision_id
        with engine.begin() as connection:
            finish_redecision(connection, redecision_id=redecision_id)


def pictures_to_judge(
    connection: Connection, *, model: str, redecision_id: int | None, after_submission_id: int = 0, limit: int
) -> list[JudgedPicture]:
    """Return accepted pictures that have features and no verdict of the network yet, by submission.

    Args:
        redecision_id: from `asking_again`: those without a verdict of it, and those that the network put into review too, except
            where an operator decided last.
    """
    given = {"model": model, "check_version": CHECK_VERSION, "redecision_id": redecision_id}
    rows = connection.execute(load_query("agreement_pending"), {**given, "after_id": after_submission_id, "limit": limit})
    return [JudgedPicture(**row._mapping) for row in rows]


def write_agreement(connection: Connection, *, verdicts: Iterable[tuple[int, Verdict]], redecision_id: int | None) -> int:
    """Write verdicts by submission id into the ledger and return how many were new."""
    connection.execute(
        text(
            "create temporary table if not exists incoming_verdicts"
            " (submission_id bigint, score real, threshold real, outcome text, detail text) on commit drop"
        )
    )
    connection.execute(text("truncate incoming_verdicts"))
    columns = ("submission_id", "score", "threshold", "outcome", "detail")
    rows = ((submission_id, said.score, said.threshold, said.outcome, said.detail) for submission_id, said in verdicts)
    copy_rows(connection, "incoming_verdicts", columns, rows)
    given = {"check_version": CHECK_VERSION, "redecision_id": redecision_id}
    added = connection.execute(load_query("agreement_write_verdicts"), given).rowcount
    if redecision_id is not None:
        connection.execute(
            text("update redecisions set judged_count = judged_count + :added where id = :id"),
            {"added": added, "id": redecision_id},
        )
    return added


@dataclass(frozen=True)
class AgreementDecisions:
    """What followed from verdicts: submissions that went into review, and those that came back from it."""

    into_review: int
    accepted_again: int


def decide_by_agreement(connection: Connection, *, model: str, redecision_id: int | None = None) -> AgreementDecisions | None:
    """Make some submissions what the network's verdicts say of them; None when there is nothing left to do.

    Call it in a transaction of its own, until it gives None. A decision younger than the verdict, or an operator's, stands.
    """
    rows = connection.execute(load_query("agreement_undecided"), {"limit": _DECIDED_AT_ONCE}).all()
    if not rows:
        return None
    changes = [
        DecisionChange(row.submission_id, "review", CHECK_NAME)
        if row.is_doubted
        else DecisionChange(row.submission_id, "accepted", None)
        for row in rows
    ]
    changed = change_decisions(connection, changes=changes, cause="network", detail=f"what {model} makes of the picture")
    doubted = sum(row.is_doubted for row in rows)
    connection.execute(
        text(
            "update redecisions set in_count = in_count + :came_in, out_count = out_count + :went_out,"
            " changed_count = changed_count + :changed where id = :id"
        ),
        {"came_in": len(rows) - doubted, "went_out": doubted, "changed": changed, "id": redecision_id},
    )
    return AgreementDecisions(doubted, len(rows) - doubted) if changed else None
