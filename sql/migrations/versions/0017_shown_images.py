"""Galleries read, filter and sort pictures in one narrow table, and counts of what they hold are kept.

Triggers keep both right, whoever gives or takes a label: intake, a new threshold, the network, an operator.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision: str | None = "0016"

_TABLES = (
    """
    create table shown_images (
        image_id bigint not null,
        label_id integer not null,
        place_id bigint,
        supplier_id bigint not null,
        licence text not null,
        quality_score real not null,
        short_side_px integer not null,
        taken_at timestamptz,
        received_at timestamptz not null,
        is_reviewed boolean not null,
        constraint pk_shown_images primary key (image_id),
        constraint fk_shown_images_image_id foreign key (image_id) references images (id)
    )
    """,
    "comment on column shown_images.received_at is 'when the hub made the picture'",
    "comment on column shown_images.is_reviewed is 'an operator looked at it last, and let it in'",
    """
    create table facet_changes (
        label_id integer not null,
        facet text not null,
        value text not null,
        images bigint not null
    )
    """,
    "comment on column facet_changes.images is 'how many came; below 0: went'",
    """
    create table facet_counts (
        label_id integer,
        facet text not null,
        value text not null,
        own_images bigint not null,
        subtree_images bigint not null,
        constraint uq_facet_counts_label_id_facet_value unique nulls not distinct (label_id, facet, value),
        constraint fk_facet_counts_label_id foreign key (label_id) references labels (id)
    )
    """,
    "comment on column facet_counts.label_id is 'null: of the whole hub'",
)
# What pictures count for. Tenths of quality and classes of size begin where the portal's filters do.
_FACETS = """
    select pictures.label_id, facets.facet, facets.value, {sign}count(*)
    from {pictures} as pictures
    left join places on places.id = pictures.place_id
    cross join lateral (
        values
        ('city', places.country_code || ' ' || places.city),
        ('country', places.country_code),
        ('licence', pictures.licence),
        (
            'quality',
            width_bucket(pictures.quality_score, array[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]::real[])::text
        ),
        ('received', to_char(pictures.received_at at time zone 'UTC', 'YYYY-MM')),
        ('reviewed', case when pictures.is_reviewed then 'yes' else 'no' end),
        ('side', width_bucket(pictures.short_side_px, array[256, 512, 1024, 2048])::text),
        ('supplier', pictures.supplier_id::text),
        ('taken', to_char(pictures.taken_at at time zone 'UTC', 'YYYY-MM'))
    ) as facets (facet, value)
    where facets.value is not null
    group by pictures.label_id, facets.facet, facets.value
"""
_IS_REVIEWED = """
    coalesce(
        (
            select verdicts.outcome = 'pass'
            from submissions
            join verdicts on verdicts.submission_id = submissions.id
            where submissions.object_key = images.original_key and verdicts.check_name = 'review'
            order by verdicts.id desc
            limit 1
        ),
        false
    )
"""
_TRIGGERS = (
    f"""
    create function show_labelled_images() returns trigger language plpgsql as $$
    begin
        delete from shown_images
        using (select distinct image_id from changed where label_set = 'main') as touched
        where
            shown_images.image_id = touched.image_id
            and not exists (
                select from image_labels as present
                where present.image_id = touched.image_id and present.is_current and present.label_set = 'main'
            );
        insert into shown_images
        select
            images.id, present.label_id, batches.place_id, batches.supplier_id, batches.licence, images.quality_score,
            least(images.width_px, images.height_px), images.taken_at, images.created_at, {_IS_REVIEWED}
        from (select distinct image_id from changed where label_set = 'main') as touched
        join image_labels as present
            on present.image_id = touched.image_id and present.is_current and present.label_set = 'main'
        join images on images.id = touched.image_id
        join batches on batches.id = images.batch_id
        order by images.id
        on conflict (image_id) do update set label_id = excluded.label_id, is_reviewed = excluded.is_reviewed;
        return null;
    end $$
    """,  # noqa: S608 - made of what stands above
    *(
        f"""
        create trigger {name} after {event} on image_labels referencing {rows} table as changed
            for each statement execute function show_labelled_images()
        """
        for name, event, rows in (
            ("image_labels_given_are_shown", "insert", "new"),
            ("image_labels_changed_are_shown", "update", "new"),
            ("image_labels_removed_are_shown", "delete", "old"),
        )
    ),
    """
    create function show_reviewed_image() returns trigger language plpgsql as $$
    begin
        update shown_images
        set is_reviewed = new.outcome = 'pass'
        where
            image_id = (
                select images.id
                from submissions
                join images on images.id = submissions.image_id
                where submissions.id = new.submission_id and images.original_key = submissions.object_key
            );
        return null;
    end $$
    """,
    """
    create trigger review_verdicts_are_shown after insert on verdicts
        for each row when (new.check_name = 'review') execute function show_reviewed_image()
    """,
    f"""
    create function note_facets() returns trigger language plpgsql as $$
    begin
        if tg_op <> 'DELETE' then
            insert into facet_changes {_FACETS.format(sign="", pictures="arrived")};
        end if;
        if tg_op <> 'INSERT' then
            insert into facet_changes {_FACETS.format(sign="-", pictures="gone")};
        end if;
        return null;
    end $$
    """,
)
_COUNTING = (
    """
    create trigger shown_images_arrived after insert on shown_images referencing new table as arrived
        for each statement execute function note_facets()
    """,
    """
    create trigger shown_images_changed after update on shown_images referencing new table as arrived old table as gone
        for each statement execute function note_facets()
    """,
    """
    create trigger shown_images_gone after delete on shown_images referencing old table as gone
        for each statement execute function note_facets()
    """,
)
# Everything that is shown already goes in before anybody counts, and is counted at once.
_FILL = (
    f"""
    insert into shown_images
    select
        images.id, image_labels.label_id, batches.place_id, batches.supplier_id, batches.licence, images.quality_score,
        least(images.width_px, images.height_px), images.taken_at, images.created_at, {_IS_REVIEWED}
    from image_labels
    join images on images.id = image_labels.image_id
    join batches on batches.id = images.batch_id
    where image_labels.is_current and image_labels.label_set = 'main'
    order by images.id
    """,  # noqa: S608 - made of what stands above
    f"insert into facet_changes {_FACETS.format(sign='', pictures='shown_images')}",
    """
    insert into facet_counts
    select
        label_closure.ancestor_id, facet, value,
        coalesce(sum(images) filter (where label_closure.depth = 0), 0), sum(images)
    from facet_changes
    join label_closure on label_closure.descendant_id = facet_changes.label_id
    group by label_closure.ancestor_id, facet, value
    union all
    select null, facet, value, sum(images), sum(images) from facet_changes group by facet, value
    """,
    "truncate facet_changes",
)
# One pair for each order of a gallery: of a label, and of everything. The others find what is rare.
_INDEXES = (
    "create index ix_shown_images_label_id_received_at_image_id on shown_images (label_id, received_at, image_id)",
    "create index ix_shown_images_label_id_quality_score_image_id on shown_images (label_id, quality_score, image_id)",
    "create index ix_shown_images_label_id_short_side_px_image_id on shown_images (label_id, short_side_px, image_id)",
    "create index ix_shown_images_received_at_image_id on shown_images (received_at, image_id)",
    "create index ix_shown_images_quality_score_image_id on shown_images (quality_score, image_id)",
    "create index ix_shown_images_short_side_px_image_id on shown_images (short_side_px, image_id)",
    "create index ix_shown_images_place_id on shown_images (place_id)",
    "create index ix_shown_images_supplier_id on shown_images (supplier_id)",
    "create index ix_shown_images_licence on shown_images (licence)",
    "create index ix_shown_images_taken_at on shown_images (taken_at)",
    "create index ix_shown_images_reviewed on shown_images (image_id) where is_reviewed",
)


def upgrade() -> None:
    for statement in (*_TABLES, *_TRIGGERS, *_FILL, *_INDEXES, *_COUNTING):
        op.execute(statement)
    op.execute("analyze shown_images")
