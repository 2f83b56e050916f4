"""The catalogue as it was first laid down: labels, people, places, batches, pictures, verdicts, datasets, training.

The lists of allowed values (statuses, reasons, licences, roles) are written out on purpose: a migration says what the schema was
that day, whatever the code says later.

Revision ID: 0001
Revises: -
"""

from alembic import op

revision = "0001"
down_revision: str | None = None

# One statement group a table, in the order of their foreign keys.
_TABLES = (
    r"""
    -- The four bands of 16 bits of a difference hash, told apart by their place.
    create function hash_bands(difference_hash bigint) returns bigint[] language sql immutable strict parallel safe
        return array[
            (difference_hash >> 48) & 65535,
            (difference_hash >> 32) & 65535 | 65536,
            (difference_hash >> 16) & 65535 | 131072,
            difference_hash & 65535 | 196608
        ];
    """,
    r"""
    create table labels (
        id integer generated always as identity,
        code text not null constraint ck_labels_code_form check (code ~ '^\S(.*\S)?$' and length(code) <= 200),
        name text not null constraint ck_labels_name_form check (name ~ '^\S(.*\S)?$' and length(name) <= 200),
        source text not null,
        created_at timestamptz default now() not null,
        constraint pk_labels primary key (id),
        constraint uq_labels_code unique (code)
    );
    create index ix_labels_lower_name on labels (lower(name));
    """,
    r"""
    create table places (
        id bigint generated always as identity,
        country_code text not null constraint ck_places_country_code_form check (country_code ~ '^[A-Z]{2}$'),
        region text,
        city text not null,
        postcode text,
        latitude double precision not null constraint ck_places_latitude_range check (latitude between -90 and 90),
        longitude double precision not null constraint ck_places_longitude_range check (longitude between -180 and 180),
        created_at timestamptz default now() not null,
        constraint pk_places primary key (id),
        constraint uq_places_country_code_region_city_postcode unique nulls not distinct (country_code, region, city, postcode)
    );
    create index ix_places_city on places (city);
    """,
    r"""
    create table recipes (
        id bigint generated always as identity,
        digest text not null constraint ck_recipes_digest_form check (digest ~ '^[0-9a-f]{64}$'),
        body jsonb not null,
        created_at timestamptz default now() not null,
        constraint pk_recipes primary key (id),
        constraint uq_recipes_digest unique (digest)
    );
    """,
    r"""
    create table users (
        id bigint generated always as identity,
        email text not null constraint ck_users_email_form check (email = lower(email) and email like '%_@_%'),
        display_name text not null,
        password_hash text,
        role text not null,
        is_active boolean default true not null,
        created_at timestamptz default now() not null,
        constraint pk_users primary key (id),
        constraint ck_users_role_known check (role in ('supplier', 'scientist', 'premium', 'operator')),
        constraint uq_users_email unique (email)
    );
    comment on column users.password_hash is 'argon2id; null: cannot sign in';
    """,
    r"""
    create table batches (
        id bigint generated always as identity,
        key text not null,
        supplier_id bigint not null,
        label_id integer not null,
        place_id bigint,
        licence text not null,
        attribution text,
        manifest_key text not null,
        status text default 'pending' not null,
        submitted_count integer not null constraint ck_batches_not_empty check (submitted_count > 0),
        accepted_count integer default 0 not null,
        rejected_count integer default 0 not null,
        review_count integer default 0 not null,
        submitted_at timestamptz not null,
        closed_at timestamptz,
        created_at timestamptz default now() not null,
        constraint pk_batches primary key (id),
        constraint ck_batches_status_known check (status in ('pending', 'closed')),
        constraint ck_batches_licence_known
            check (licence in ('cc0', 'pdm', 'by', 'by-sa', 'by-nd', 'by-nc', 'by-nc-sa', 'by-nc-nd')),
        constraint ck_batches_closed_has_time check ((status = 'closed') = (closed_at is not null)),
        constraint ck_batches_counts_add_up
            check (status = 'pending' or submitted_count = accepted_count + rejected_count + review_count),
        constraint uq_batches_key unique (key),
        constraint fk_batches_supplier_id foreign key (supplier_id) references users (id),
        constraint fk_batches_label_id foreign key (label_id) references labels (id),
        constraint fk_batches_place_id foreign key (place_id) references places (id),
        constraint uq_batches_manifest_key unique (manifest_key)
    );
    create index ix_batches_label_id_id on batches (label_id, id);
    create index ix_batches_pending on batches (id) where status = 'pending';
    create index ix_batches_place_id_submitted_at_id on batches (place_id, submitted_at, id);
    create index ix_batches_submitted_at_id on batches (submitted_at, id);
    create index ix_batches_supplier_id on batches (supplier_id);
    comment on column batches.key is 'the sender''s name for it; sending it again changes nothing';
    """,
    r"""
    create table dataset_versions (
        id bigint generated always as identity,
        recipe_id bigint not null,
        name text not null,
        digest text not null constraint ck_dataset_versions_digest_form check (digest ~ '^[0-9a-f]{64}$'),
        image_count integer not null constraint ck_dataset_versions_not_empty check (image_count > 0),
        train_count integer not null,
        validation_count integer not null,
        test_count integer not null,
        label_count integer not null,
        size_bytes bigint not null,
        created_by bigint,
        created_at timestamptz default now() not null,
        constraint pk_dataset_versions primary key (id),
        constraint uq_dataset_versions_recipe_id_digest unique (recipe_id, digest),
        constraint ck_dataset_versions_splits_add_up check (image_count = train_count + validation_count + test_count),
        constraint fk_dataset_versions_recipe_id foreign key (recipe_id) references recipes (id),
        constraint fk_dataset_versions_created_by foreign key (created_by) references users (id)
    );
    comment on column dataset_versions.size_bytes is 'of all its stored pictures';
    """,
    r"""
    create table demands (
        id bigint generated always as identity,
        label_id integer not null,
        user_id bigint not null,
        target_images integer not null constraint ck_demands_target_positive check (target_images > 0),
        note text,
        created_at timestamptz default now() not null,
        constraint pk_demands primary key (id),
        constraint uq_demands_label_id_user_id unique (label_id, user_id),
        constraint fk_demands_label_id foreign key (label_id) references labels (id),
        constraint fk_demands_user_id foreign key (user_id) references users (id)
    );
    create index ix_demands_label_id on demands (label_id);
    """,
    r"""
    create table geocodings (
        geocoder text not null,
        query text not null,
        place_id bigint,
        created_at timestamptz default now() not null,
        constraint pk_geocodings primary key (geocoder, query),
        constraint fk_geocodings_place_id foreign key (place_id) references places (id)
    );
    """,
    r"""
    create table label_closure (
        ancestor_id integer not null,
        descendant_id integer not null,
        depth smallint not null constraint ck_label_closure_depth_positive check (depth >= 0),
        constraint pk_label_closure primary key (ancestor_id, descendant_id),
        constraint fk_label_closure_ancestor_id foreign key (ancestor_id) references labels (id),
        constraint fk_label_closure_descendant_id foreign key (descendant_id) references labels (id)
    );
    create index ix_label_closure_descendant_id on label_closure (descendant_id);
    """,
    r"""
    create table label_counts (
        label_id integer not null,
        own_images bigint default 0 not null,
        subtree_images bigint default 0 not null,
        constraint pk_label_counts primary key (label_id),
        constraint ck_label_counts_counts_consistent check (own_images >= 0 and subtree_images >= own_images),
        constraint fk_label_counts_label_id foreign key (label_id) references labels (id)
    );
    """,
    r"""
    create table label_edges (
        parent_id integer not null,
        child_id integer not null,
        relation text not null,
        constraint pk_label_edges primary key (parent_id, child_id, relation),
        constraint ck_label_edges_relation_known check (relation in ('subcategory', 'part')),
        constraint ck_label_edges_no_loop check (parent_id <> child_id),
        constraint fk_label_edges_parent_id foreign key (parent_id) references labels (id),
        constraint fk_label_edges_child_id foreign key (child_id) references labels (id)
    );
    create index ix_label_edges_child_id on label_edges (child_id);
    """,
    r"""
    create table watches (
        user_id bigint not null,
        label_id integer not null,
        created_at timestamptz default now() not null,
        constraint pk_watches primary key (user_id, label_id),
        constraint fk_watches_user_id foreign key (user_id) references users (id),
        constraint fk_watches_label_id foreign key (label_id) references labels (id)
    );
    create index ix_watches_label_id on watches (label_id);
    """,
    r"""
    create table images (
        id bigint generated always as identity,
        sha256 text not null constraint ck_images_sha256_form check (sha256 ~ '^[0-9a-f]{64}$'),
        batch_id bigint not null,
        format text not null,
        size_bytes bigint not null,
        picture_size_bytes bigint not null,
        width_px integer not null,
        height_px integer not null,
        difference_hash bigint not null,
        original_key text not null,
        picture_key text not null,
        thumbnail_key text not null,
        quality_score real not null constraint ck_images_quality_score_range check (quality_score between 0 and 1),
        taken_at timestamptz,
        created_at timestamptz default now() not null,
        constraint pk_images primary key (id),
        constraint ck_images_has_pixels check (width_px > 0 and height_px > 0),
        constraint uq_images_sha256 unique (sha256),
        constraint fk_images_batch_id foreign key (batch_id) references batches (id)
    );
    create index ix_images_batch_id on images (batch_id);
    create index ix_images_hash_bands on images USING gin (hash_bands(difference_hash));
    comment on column images.sha256 is 'of the bytes as sent';
    comment on column images.format is 'jpeg, png, webp, ...: of the bytes as sent';
    comment on column images.size_bytes is 'of the bytes as sent';
    comment on column images.picture_size_bytes is 'of the stored picture: a download''s length is known before it starts';
    comment on column images.width_px is 'of the original, upright';
    comment on column images.difference_hash is '64 bits, as a signed integer';
    """,
    r"""
    create table training_runs (
        id bigint generated always as identity,
        version_id bigint not null,
        requested_by bigint,
        backbone text not null,
        workers smallint not null constraint ck_training_runs_workers_positive check (workers > 0),
        status text default 'queued' not null,
        message text,
        attempt smallint default 0 not null,
        lease_owner text,
        lease_until timestamptz,
        created_at timestamptz default now() not null,
        started_at timestamptz,
        finished_at timestamptz,
        constraint pk_training_runs primary key (id),
        constraint ck_training_runs_status_known check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
        constraint ck_training_runs_running_has_lease
            check ((status = 'running') = (lease_owner is not null and lease_until is not null)),
        constraint ck_training_runs_end_has_time
            check ((status in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null)),
        constraint fk_training_runs_version_id foreign key (version_id) references dataset_versions (id),
        constraint fk_training_runs_requested_by foreign key (requested_by) references users (id)
    );
    create index ix_training_runs_queue on training_runs (id) where status in ('queued', 'running');
    create index ix_training_runs_requested_by on training_runs (requested_by);
    comment on column training_runs.message is 'for people: the last thing that happened, or why it failed';
    """,
    r"""
    create table dataset_items (
        version_id bigint not null,
        position integer not null,
        image_id bigint not null,
        label_id integer not null,
        split text not null,
        group_key text not null,
        constraint pk_dataset_items primary key (version_id, position),
        constraint uq_dataset_items_version_id_image_id unique (version_id, image_id),
        constraint ck_dataset_items_split_known check (split in ('train', 'validation', 'test')),
        constraint fk_dataset_items_version_id foreign key (version_id) references dataset_versions (id),
        constraint fk_dataset_items_image_id foreign key (image_id) references images (id),
        constraint fk_dataset_items_label_id foreign key (label_id) references labels (id)
    );
    create index ix_dataset_items_image_id on dataset_items (image_id);
    comment on column dataset_items.position is 'by label code, then sha256';
    comment on column dataset_items.group_key is 'pictures of one group are never parted by a split';
    """,
    r"""
    create table embeddings (
        image_id bigint not null,
        model text not null,
        features halfvec not null,
        created_at timestamptz default now() not null,
        constraint pk_embeddings primary key (image_id, model),
        constraint fk_embeddings_image_id foreign key (image_id) references images (id)
    );
    comment on column embeddings.model is 'backbone and digest of its weights';
    comment on column embeddings.features is 'globally average-pooled activations';
    """,
    r"""
    create table image_labels (
        id bigint generated always as identity,
        image_id bigint not null,
        label_set text default 'main' not null,
        label_id integer not null,
        said_by text not null,
        user_id bigint,
        confidence real constraint ck_image_labels_confidence_range check (confidence between 0 and 1),
        is_current boolean default true not null,
        created_at timestamptz default now() not null,
        constraint pk_image_labels primary key (id),
        constraint ck_image_labels_said_by_known check (said_by in ('supplier', 'crowd', 'network', 'operator')),
        constraint fk_image_labels_image_id foreign key (image_id) references images (id),
        constraint fk_image_labels_label_id foreign key (label_id) references labels (id),
        constraint fk_image_labels_user_id foreign key (user_id) references users (id)
    );
    create index ix_image_labels_gallery on image_labels (label_id, image_id) where is_current and label_set = 'main';
    create unique index uq_image_labels_current on image_labels (image_id, label_set) where is_current;
    """,
    r"""
    create table submissions (
        id bigint generated always as identity,
        batch_id bigint not null,
        position integer not null constraint ck_submissions_position_positive check (position >= 0),
        object_key text not null,
        filename text not null,
        size_bytes bigint not null,
        taken_at timestamptz,
        status text default 'pending' not null,
        reason text,
        image_id bigint,
        decided_at timestamptz,
        constraint pk_submissions primary key (id),
        constraint uq_submissions_batch_id_position unique (batch_id, position),
        constraint ck_submissions_status_known check (status in ('pending', 'accepted', 'rejected', 'review')),
        constraint ck_submissions_reason_known
            check (reason in ('missing', 'empty', 'too_large', 'not_an_image', 'unsupported_format', 'too_many_pixels',
                'animated', 'truncated', 'corrupt', 'exact_duplicates', 'odd_size', 'odd_aspect_ratio', 'dark', 'light',
                'low_information', 'blurry')),
        constraint ck_submissions_refusal_has_reason check ((status in ('rejected', 'review')) = (reason is not null)),
        constraint ck_submissions_decision_has_time check ((status = 'pending') = (decided_at is null)),
        constraint ck_submissions_accepted_has_image check (status <> 'accepted' or image_id is not null),
        constraint fk_submissions_batch_id foreign key (batch_id) references batches (id),
        constraint uq_submissions_object_key unique (object_key),
        constraint fk_submissions_image_id foreign key (image_id) references images (id)
    );
    create index ix_submissions_image_id on submissions (image_id);
    create index ix_submissions_refused on submissions (status, reason) where reason is not null;
    comment on column submissions.filename is 'as the supplier named it; shown, never opened';
    comment on column submissions.reason is 'why it was rejected or needs review';
    comment on column submissions.image_id is 'its picture; for a duplicate, the original';
    """,
    r"""
    create table trained_models (
        id bigint generated always as identity,
        run_id bigint not null,
        backbone text not null,
        weights text not null,
        label_codes jsonb not null,
        metrics jsonb not null,
        keras_key text not null,
        keras_sha256 text not null,
        onnx_key text not null,
        onnx_sha256 text not null,
        created_at timestamptz default now() not null,
        constraint pk_trained_models primary key (id),
        constraint uq_trained_models_run_id unique (run_id),
        constraint fk_trained_models_run_id foreign key (run_id) references training_runs (id)
    );
    comment on column trained_models.weights is 'where the backbone''s first weights came from: imagenet, sha256:..., or scratch';
    comment on column trained_models.label_codes is 'position = class index';
    """,
    r"""
    create table training_events (
        id bigint generated always as identity,
        run_id bigint not null,
        attempt smallint not null,
        stage text not null,
        done integer not null,
        total integer not null,
        metrics jsonb default '{}' not null,
        created_at timestamptz default now() not null,
        constraint pk_training_events primary key (id),
        constraint fk_training_events_run_id foreign key (run_id) references training_runs (id)
    );
    create index ix_training_events_run_id on training_events (run_id);
    comment on column training_events.stage is 'features, train, evaluate, export';
    comment on column training_events.done is 'steps of the stage that are done, e.g. epochs';
    """,
    r"""
    create table verdicts (
        id bigint generated always as identity,
        submission_id bigint not null,
        check_name text not null,
        check_version smallint not null,
        score real,
        threshold real,
        outcome text not null,
        detail text,
        created_at timestamptz default now() not null,
        constraint pk_verdicts primary key (id),
        constraint ck_verdicts_check_name_known
            check (check_name in ('bytes', 'decode', 'exact_duplicates', 'odd_size', 'odd_aspect_ratio', 'dark', 'light',
                'low_information', 'blurry')),
        constraint ck_verdicts_outcome_known check (outcome in ('pass', 'flag', 'fail')),
        constraint ck_verdicts_score_range check (score between 0 and 1),
        constraint uq_verdicts_submission_id_check_name_check_version unique (submission_id, check_name, check_version),
        constraint fk_verdicts_submission_id foreign key (submission_id) references submissions (id)
    );
    comment on column verdicts.detail is 'for people: what was found and what was expected';
    """,
)

# What a version contains never changes: its rows are written by the transaction that makes it, and never touched again.
_TRIGGERS = (
    """
    create function refuse_change() returns trigger language plpgsql as $$
    begin
        raise exception 'Rows of % never change. Freeze a new dataset version instead.', tg_table_name
            using errcode = 'restrict_violation';
    end $$
    """,
    """
    create trigger dataset_items_never_change before update or delete on dataset_items
        for each statement execute function refuse_change()
    """,
    """
    create function refuse_late_dataset_items() returns trigger language plpgsql as $$
    begin
        if exists (
            select from inserted join dataset_versions on dataset_versions.id = inserted.version_id
            where dataset_versions.created_at <> now()
        ) then
            raise exception 'A dataset version that is frozen takes no more pictures. Freeze a new version instead.'
                using errcode = 'restrict_violation';
        end if;
        return null;
    end $$
    """,
    """
    create trigger dataset_items_come_at_once after insert on dataset_items
        referencing new table as inserted for each statement execute function refuse_late_dataset_items()
    """,
)


def upgrade() -> None:
    op.execute("create extension if not exists vector")
    for statement in (*_TABLES, *_TRIGGERS):
        op.execute(statement)
