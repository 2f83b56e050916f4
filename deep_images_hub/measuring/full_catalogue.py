"""A catalogue of many pictures that were taken in long ago, as intake would have left it: for benches that ask what size costs.

Every picture has a submission, a current label, the verdicts of intake's checks, and a descriptor. Nothing lies in the store.
"""

from sqlalchemy import Engine, text

from deep_images_hub.measuring.bulk_filling import without_indexes
from deep_images_hub.measuring.made_up_pictures import fill_descriptors
from deep_images_hub.verdicts import CHECK_VERSION, QUALITY_REASONS

_LABELS = 600
_BATCH_IMAGES = 500
# Submissions keep their indexes: whoever gives a picture a label looks its own one up (`show_labelled_images`).
_FILLED_AT_ONCE = ("images", "image_labels", "verdicts", "descriptors")
_CHECKS = ("bytes", "decode", "exact_duplicates", "near_duplicates", *QUALITY_REASONS)
_SENT = """
    insert into users (email, display_name, role) values ('long-ago@example.org', 'Long ago', 'supplier');
    insert into labels (code, name, source)
    select 'long-ago-' || n, 'Long ago ' || n, 'bench' from generate_series(1, :labels) as n;
    insert into batches (
        key, supplier_id, label_id, licence, manifest_key, submitted_count, accepted_count, status, submitted_at, closed_at
    )
    select
        'long-ago-' || n, users.id, numbered.id, 'cc0', 'landing/long-ago-' || n || '/manifest.json', :batch_images,
        :batch_images, 'closed', now(), now()
    from generate_series(1, :batches) as n
    join users on users.email = 'long-ago@example.org'
    join (select id, row_number() over (order by id) - 1 as number from labels where code like 'long-ago-%') as numbered
        on numbered.number = n % :labels
    order by n
"""
_PICTURES = """
    insert into images (
        sha256, batch_id, format, size_bytes, picture_size_bytes, width_px, height_px, original_key, picture_key, thumbnail_key,
        quality_score
    )
    select
        sha256, batches.id, 'jpeg', 200000, 20000, 1024, 768, 'landing/' || batches.key || '/' || lpad(position::text, 6, '0'),
        'images/' || substr(sha256, 1, 2) || '/' || substr(sha256, 3, 2) || '/' || sha256 || '.jpg',
        'thumbnails/' || substr(sha256, 1, 2) || '/' || substr(sha256, 3, 2) || '/' || sha256 || '.jpg', 0.8
    from batches
    cross join generate_series(0, :batch_images - 1) as position
    cross join lateral (select encode(sha256(convert_to(batches.key || '/' || position, 'UTF8')), 'hex') as sha256) as made_up
    where batches.key like 'long-ago-%'
    order by batches.id, position;
    insert into submissions (batch_id, position, object_key, filename, size_bytes, status, image_id, decided_at)
    select
        batch_id, row_number() over (partition by batch_id order by id) - 1, original_key, 'photograph.jpg', 200000,
        'accepted', id, now()
    from images
    order by id;
    insert into image_labels (image_id, label_id, said_by, user_id)
    select images.id, batches.label_id, 'supplier', batches.supplier_id
    from images
    join batches on batches.id = images.batch_id
    order by images.id;
    insert into verdicts (submission_id, check_name, check_version, score, threshold, outcome)
    select submissions.id, check_name, :check_version, 0.8, 0.2, 'pass'
    from submissions
    cross join unnest(cast(:checks as text[])) as check_name
    order by submissions.id
"""


def fill_catalogue(engine: Engine, images: int) -> int:
    """Fill an empty catalogue with about so many pictures, whole batches of them, and return how many."""
    batches = max(1, round(images / _BATCH_IMAGES))
    with engine.begin() as connection:
        connection.execute(text("set local statement_timeout = 0"))
        with without_indexes(connection, *_FILLED_AT_ONCE):
            connection.execute(text(_SENT), {"labels": _LABELS, "batches": batches, "batch_images": _BATCH_IMAGES})
            connection.execute(
                text(_PICTURES), {"batch_images": _BATCH_IMAGES, "check_version": CHECK_VERSION, "checks": list(_CHECKS)}
            )
            first_id, count = connection.execute(text("select min(id), count(*) from images")).one()
            fill_descriptors(connection, first_id, count)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("set statement_timeout = 0"))
        for table in ("batches", "submissions", *_FILLED_AT_ONCE):
            connection.execute(text(f"vacuum (analyze) {table}"))
        connection.execute(text("reset statement_timeout"))
    return int(count)
