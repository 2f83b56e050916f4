"""Training runs that wait for pictures: what they wait for, and starting them once it is there.

A dataset version never changes, so no picture that comes can end a wait by itself. A run that waits keeps the version that it was
asked for as a recipe: once enough pictures are there the recipe is frozen anew, and the run trains on that version. Until then a
look costs the kept counts of a few labels; only where one of them changed is the recipe composed.
"""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from deep_images_hub.catalogue.datasets import save_version, version_by_id
from deep_images_hub.catalogue.labels import labels_by_codes
from deep_images_hub.catalogue.waiting_runs import WaitingRun, keep_waiting, lock_waiting, start_waiting, waiting_ids
from deep_images_hub.datasets.card import LabelSplitCount
from deep_images_hub.datasets.freeze import compose, content_digest
from deep_images_hub.datasets.recipe import Recipe, recipe_from_body
from deep_images_hub.datasets.split import SplitCandidate
from deep_images_hub.datasets.trainable import ShortLabel, short_labels, training_obstacle
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.training import MIN_LABELS, MIN_TRAIN_IMAGES_PER_LABEL


def start_waiting_runs(engine: Engine) -> int:
    """Put every run for which enough pictures are there into the queue. Returns how many there were. Several may look at once."""
    with engine.connect() as connection:
        ids = waiting_ids(connection)
    started = 0
    for run_id in ids:
        with engine.begin() as connection:
            run = lock_waiting(connection, run_id)
            started += run is not None and _look(connection, run)
    return started


def lacking(connection: Connection, recipe: Recipe, counts: Sequence[LabelSplitCount]) -> list[ShortLabel] | None:
    """Return the labels that a run of these pictures would lack, those too that the recipe names and that have none at all.

    Where no label is short, what lacks is a picture for the test. None: whatever comes, this recipe cannot be trained on.
    """
    asked = labels_by_codes(connection, recipe.label_codes)
    empty = {
        code: label.name
        for code, label in asked.items()
        if not (label.subtree_images if recipe.with_descendants else label.own_images)
    }
    may_have = {count.label_code for count in counts} | set(empty)
    may_grow = recipe.with_descendants and any(label.has_children for label in asked.values())
    is_enough = recipe.max_per_label is None or recipe.max_per_label >= MIN_TRAIN_IMAGES_PER_LABEL
    if not is_enough or not recipe.fractions.test or (len(may_have) < MIN_LABELS and not may_grow):
        return None
    return short_labels(counts, empty=empty)


def _look(connection: Connection, run: WaitingRun) -> bool:
    """Start a locked run if it lacks nothing any more. Returns whether."""
    asked = version_by_id(connection, run.version_id)
    recipe = recipe_from_body(asked.recipe_body)
    images = _kept_images(connection, recipe, run.short_codes)
    if images == run.looked_images:
        return False
    try:
        pictures = compose(connection, recipe)
    except InvalidInputError as error:
        keep_waiting(connection, run, lacking=None, looked_images=images, message=str(error))
        return False
    counts = _counts(connection, pictures)
    short, obstacle = lacking(connection, recipe, counts), training_obstacle(counts)
    if short is None:
        keep_waiting(connection, run, lacking=[], looked_images=images, message=obstacle)
        return False
    if short or obstacle:
        # Of what is short now: another label may be by now, by a takedown for instance.
        images = _kept_images(connection, recipe, [label.code for label in short])
        keep_waiting(connection, run, lacking=short, looked_images=images, message=obstacle)
        return False
    # Those that were counted, and not the recipe composed anew: pictures may have gone since.
    version = save_version(
        connection,
        recipe=recipe,
        digest=content_digest(pictures),
        name=asked.name,
        created_by=run.requested_by,
        pictures=pictures,
    )
    start_waiting(connection, run, version_id=version.id, image_count=version.image_count)
    return True


def _kept_images(connection: Connection, recipe: Recipe, short_codes: Sequence[str]) -> int:
    """Return how many pictures there are of the labels that are short; of all of the recipe, where none is."""
    if short_codes:
        return sum(label.subtree_images for label in labels_by_codes(connection, short_codes).values())
    labels = labels_by_codes(connection, recipe.label_codes).values()
    return sum(label.subtree_images if recipe.with_descendants else label.own_images for label in labels)


def _counts(connection: Connection, pictures: Sequence[SplitCandidate]) -> list[LabelSplitCount]:
    found = Counter((picture.candidate.label_code, picture.split) for picture in pictures)
    labels = labels_by_codes(connection, sorted({code for code, _ in found}))
    return [LabelSplitCount(code, labels[code].name, split, count) for (code, split), count in found.items()]
