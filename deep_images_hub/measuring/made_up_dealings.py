"""What became of a made-up catalogue: demands, a missed label, datasets, a model, features. For benches of the portal.

Doing it twice changes nothing: a catalogue that was filled before gets what it lacks.
"""

from typing import Any

from sqlalchemy import Connection, Engine, text

from deep_images_hub.catalogue.datasets import DatasetVersion, version_by_id
from deep_images_hub.catalogue.label_proposals import propose_label
from deep_images_hub.catalogue.models import ModelFile, save_model
from deep_images_hub.catalogue.training import finish_run, request_run, take_run
from deep_images_hub.datasets.freeze import freeze
from deep_images_hub.datasets.recipe import Recipe

DEMANDS = 20_000
PROPOSALS = 40
# In each of the datasets, about.
DATASET_IMAGES = 20_000
# The newest of each label that a network saw: as many as a picture's page compares it with.
SEEN_IMAGES = 500
# A draw for a dataset leaves some pictures of each label out, so that two draws differ.
_DRAWN = 0.9
_WORKER = "bench"

# Some name a place. The largest labels are among those that most people want.
_DEMANDS = """
    insert into demands (label_id, user_id, target_images, place_id, near_images, vote_count, created_at)
    select
        wanted_labels.ids[1 + number % cardinality(wanted_labels.ids)], askers.ids[1 + number % cardinality(askers.ids)],
        1000 + number, place_id, case when place_id is null then 0 else number % 500 end, number % 97,
        now() - number * interval '1 minute'
    from generate_series(1, :demands) as number
    cross join (select array_agg(label_id order by subtree_images desc, label_id) as ids from label_counts) as wanted_labels
    cross join (select array_agg(id order by id) as ids from users where role = 'supplier') as askers
    cross join (select array_agg(id order by id) as ids from places) as known
    cross join lateral (
        select case when number % 3 = 0 then known.ids[1 + number % cardinality(known.ids)] end as place_id
    ) as asked
"""
# As MobileNetV2's: of the larger ones. Few are drawn, and many pictures have the same.
_FEATURES = """
    with drawn as materialized (
        select number, cast(cast(array(
            select cast(random() + 0 * number as real) from generate_series(1, 1280)
        ) as vector) as halfvec) as features
        from generate_series(0, 199) as number
    )
    insert into embeddings (image_id, model, features)
    select newest.image_id, 'made up', drawn.features
    from labels
    cross join lateral (
        select image_id from shown_images
        where label_id = labels.id
        order by received_at desc, image_id desc
        limit :newest
    ) as newest
    join drawn on drawn.number = newest.image_id % 200
"""
_SMALLEST = """
    select array_agg(code), max(own_images)
    from (
        select labels.code, own_images, sum(own_images) over (order by own_images, labels.id) - own_images as before
        from label_counts
        join labels on labels.id = label_counts.label_id
        where own_images > 0
    ) as counted
    where before < :images
"""


def fill_dealings(engine: Engine) -> None:
    """Add what a filled catalogue lacks of demands, proposals, datasets, models and features."""
    with engine.begin() as connection:
        if not connection.scalar(text("select exists (select from demands)")):
            connection.execute(text(_DEMANDS), {"demands": DEMANDS})
            _propose(connection)
        earlier = dataset(connection, "Bench, a first draw", images=DATASET_IMAGES)
        later = dataset(connection, "Bench, a second draw", images=DATASET_IMAGES, seed=1)
        if not connection.scalar(text("select exists (select from trained_models)")):
            for version, labels in ((earlier, 10), (later, 100)):
                _train(connection, version, [f"kind-{number:03d}" for number in range(1, labels + 1)])
        if not connection.scalar(text("select exists (select from embeddings)")):
            connection.execute(text(_FEATURES), {"newest": SEEN_IMAGES})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze demands, dataset_items, dataset_versions, embeddings"))


def dataset(connection: Connection, name: str, *, images: int, seed: int = 0) -> DatasetVersion:
    """Return the dataset of that name, from before or made now: of the smallest labels that have about so many pictures."""
    known = connection.execute(text("select id from dataset_versions where name = :name order by id"), {"name": name}).first()
    if known is not None:
        return version_by_id(connection, known.id)
    codes, largest = connection.execute(text(_SMALLEST), {"images": images / _DRAWN}).one()
    recipe = Recipe(tuple(codes), with_descendants=False, max_per_label=max(1, round(_DRAWN * largest)), seed=seed)
    return freeze(connection, recipe, name=name, created_by=None)


def _propose(connection: Connection) -> None:
    suppliers = connection.execute(
        text("select id from users where role = 'supplier' order by id limit :proposals"), {"proposals": PROPOSALS}
    ).scalars()
    for number, user_id in enumerate(suppliers):
        propose_label(connection, user_id=user_id, name=f"Missing kind {number}", note="There are many at home.")


def _train(connection: Connection, version: DatasetVersion, codes: list[str]) -> None:
    """Write down a model of some labels, as training would have left it, without its files."""
    run = request_run(connection, version_id=version.id, requested_by=None, backbone="vgg16", workers=1)
    taken = take_run(connection, owner=_WORKER, lease_s=60, run_id=run.id)
    assert taken is not None
    save_model(
        connection,
        run_id=run.id,
        backbone="vgg16",
        weights="imagenet",
        label_codes=codes,
        metrics=_metrics(codes),
        files=[ModelFile(kind, f"models/{run.id}/bench.{kind}", "0" * 64, 1) for kind in ("keras", "onnx")],
    )
    finish_run(connection, run_id=run.id, owner=_WORKER, status="succeeded", message="Ready.")


def _metrics(codes: list[str]) -> dict[str, Any]:
    """Return what an evaluation writes down: of a label's 20 test pictures, 17 are right, and 3 taken for the next label."""
    right, wrong = 17, 3
    share = right / (right + wrong)
    confusion = [[0] * len(codes) for _ in codes]
    for index, row in enumerate(confusion):
        row[index], row[(index + 1) % len(codes)] = right, wrong
    return {
        "test_top1": share,
        "test_top1_interval": [share - 0.02, share + 0.02],
        "confusion": confusion,
        "per_class": [
            {"code": code, "name": code.capitalize(), "precision": share, "recall": share, "support": right + wrong}
            for code in codes
        ],
    }
