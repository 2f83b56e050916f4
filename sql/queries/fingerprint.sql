-- What does the catalogue say, whatever its ids and times of processing are? Two catalogues say the same when every table has the
-- same checksum. Rows are named by their natural keys and hashed in an order of their own, so the order of writing is nothing.
-- Left out: ids, created_at and other times of processing, password hashes (salted), leases, attempts and what became of each, whether an e-mail was sent, and of trained models
-- the files and metrics (two honest runs may differ in the last digit). Staged decisions and uploads say nothing yet; tokens, links and
-- attempts to sign in say nothing of pictures and people.
-- Parameters: none.
-- Columns: table_name, row_count, checksum; tables without rows are left out; by table name.
with contents (table_name, content) as (
    select 'labels', row(code, name, source)::text
    from labels
    union all
    select 'label_edges', row(parents.code, children.code, label_edges.relation)::text
    from label_edges
    join labels as parents on parents.id = label_edges.parent_id
    join labels as children on children.id = label_edges.child_id
    union all
    select 'label_aliases', row(labels.code, label_aliases.alias)::text
    from label_aliases
    join labels on labels.id = label_aliases.label_id
    union all
    select 'label_closure', row(above.code, below.code, label_closure.depth)::text
    from label_closure
    join labels as above on above.id = label_closure.ancestor_id
    join labels as below on below.id = label_closure.descendant_id
    union all
    select 'label_counts', row(labels.code, label_counts.own_images, label_counts.subtree_images)::text
    from label_counts
    join labels on labels.id = label_counts.label_id
    union all
    select
        'shown_images',
        row(
            images.sha256, labels.code, places.country_code, places.region, places.city, places.postcode, users.email,
            shown_images.licence, shown_images.quality_score, shown_images.short_side_px, shown_images.taken_at,
            shown_images.is_reviewed
        )::text
    from shown_images
    join images on images.id = shown_images.image_id
    join labels on labels.id = shown_images.label_id
    join users on users.id = shown_images.supplier_id
    left join places on places.id = shown_images.place_id
    union all
    -- Folded or not yet; months of processing and ids of suppliers say nothing.
    select 'facet_counts', row(labels.code, counted.facet, counted.value, sum(counted.images))::text
    from (
        select label_id, facet, value, own_images as images
        from facet_counts
        where label_id is not null
        union all
        select label_id, facet, value, images
        from facet_changes
    ) as counted
    join labels on labels.id = counted.label_id
    where counted.facet not in ('received', 'supplier')
    group by labels.code, counted.facet, counted.value
    having sum(counted.images) <> 0
    union all
    select 'users', row(email, display_name, role, is_active)::text
    from users
    union all
    select
        'account_changes',
        row(users.email, account_changes.deed, account_changes.value_before, account_changes.value_after, deciders.email)::text
    from account_changes
    join users on users.id = account_changes.user_id
    left join users as deciders on deciders.id = account_changes.changed_by
    union all
    select 'places', row(country_code, region, city, postcode, latitude, longitude)::text
    from places
    union all
    select
        'geocodings',
        row(geocodings.geocoder, geocodings.query, places.country_code, places.region, places.city, places.postcode)::text
    from geocodings
    left join places on places.id = geocodings.place_id
    union all
    select
        'batches',
        row(
            batches.key, users.email, labels.code, places.country_code, places.region, places.city, places.postcode,
            batches.licence, batches.attribution, batches.manifest_key, batches.origin, batches.status,
            batches.submitted_count, batches.accepted_count, batches.rejected_count, batches.review_count, batches.submitted_at at time zone 'UTC'
        )::text
    from batches
    join users on users.id = batches.supplier_id
    join labels on labels.id = batches.label_id
    left join places on places.id = batches.place_id
    union all
    select
        'deliveries',
        row(
            deliveries.source, deliveries.manifest_key, deliveries.size_bytes, deliveries.modified_at at time zone 'UTC',
            deliveries.status, deliveries.reason, deliveries.problem, users.email, batches.key, deliveries.unnamed_count
        )::text
    from deliveries
    left join users on users.id = deliveries.supplier_id
    left join batches on batches.id = deliveries.batch_id
    union all
    select 'adopted_folders', row(source, folder, marker)::text
    from adopted_folders
    union all
    select 'adoption_refusals', row(source, folder, name, reason)::text
    from adoption_refusals
    union all
    select
        'downloads',
        row(
            downloads.source, downloads.name, downloads.url, labels.code, downloads.licence, downloads.attribution,
            downloads.size_bytes, downloads.md5, downloads.status, downloads.problem, batches.key
        )::text
    from downloads
    join labels on labels.id = downloads.label_id
    left join batches on batches.id = downloads.batch_id
    union all
    select 'batch_mails', row(batches.key)::text
    from batch_mails
    join batches on batches.id = batch_mails.batch_id
    union all
    select
        'submissions',
        row(
            batches.key, submissions.position, submissions.object_key, submissions.filename, submissions.size_bytes,
            submissions.taken_at at time zone 'UTC', submissions.status, submissions.reason, images.sha256
        )::text
    from submissions
    join batches on batches.id = submissions.batch_id
    left join images on images.id = submissions.image_id
    union all
    select
        'images',
        row(
            images.sha256, batches.key, images.format, images.size_bytes, images.picture_size_bytes,
            images.picture_sha256, images.picture_crc32, images.width_px, images.height_px, images.original_key,
            images.picture_key, images.thumbnail_key, images.quality_score, images.taken_at at time zone 'UTC',
            images.taken_down_at is null
        )::text
    from images
    join batches on batches.id = images.batch_id
    union all
    select
        'picture_reports',
        row(images.sha256, users.email, picture_reports.reason, picture_reports.note, picture_reports.outcome)::text
    from picture_reports
    join images on images.id = picture_reports.image_id
    join users on users.id = picture_reports.user_id
    union all
    select
        'image_labels',
        row(
            images.sha256, image_labels.label_set, labels.code, image_labels.said_by, users.email,
            image_labels.confidence, image_labels.is_current
        )::text
    from image_labels
    join images on images.id = image_labels.image_id
    join labels on labels.id = image_labels.label_id
    left join users on users.id = image_labels.user_id
    union all
    select
        'verdicts',
        row(
            submissions.object_key, verdicts.check_name, verdicts.check_version, verdicts.score, verdicts.threshold,
            verdicts.outcome, verdicts.detail, verdicts.redecision_id is null
        )::text
    from verdicts
    join submissions on submissions.id = verdicts.submission_id
    union all
    select
        'redecisions',
        row(
            redecisions.check_name, redecisions.threshold, redecisions.lowest_before, redecisions.highest_before, users.email,
            redecisions.judged_count, redecisions.in_count, redecisions.out_count, redecisions.changed_count
        )::text
    from redecisions
    left join users on users.id = redecisions.user_id
    union all
    select
        'decision_changes',
        row(
            submissions.object_key, decision_changes.from_status, decision_changes.from_reason, decision_changes.to_status,
            decision_changes.to_reason, decision_changes.cause, decision_changes.detail, users.email
        )::text
    from decision_changes
    join submissions on submissions.id = decision_changes.submission_id
    left join users on users.id = decision_changes.user_id
    union all
    select
        'descriptors',
        row(images.sha256, descriptors.whole_hash, descriptors.inner_hash, encode(descriptors.grid, 'hex'))::text
    from descriptors
    join images on images.id = descriptors.image_id
    union all
    -- A group is named by its oldest picture, and which one that is may hang on the order of writing: what counts is who is together.
    select 'duplicate_groups', row(images.sha256, first_value(images.sha256) over (
        partition by duplicate_groups.group_id order by images.sha256 collate "C"
    ))::text
    from duplicate_groups
    join images on images.id = duplicate_groups.image_id
    union all
    select
        'embeddings',
        row(
            images.sha256, embeddings.model, embeddings.features, embeddings.class_indexes, embeddings.class_probabilities
        )::text
    from embeddings
    join images on images.id = embeddings.image_id
    union all
    select
        'demands',
        row(
            labels.code, users.email, demands.target_images, demands.note, places.country_code, places.region, places.city,
            places.postcode, demands.status, demands.vote_count, demands.near_images, demands.met_images
        )::text
    from demands
    join labels on labels.id = demands.label_id
    join users on users.id = demands.user_id
    left join places on places.id = demands.place_id
    union all
    select
        'demand_votes',
        row(labels.code, users.email, demands.target_images, demands.place_id is null, voters.email)::text
    from demand_votes
    join demands on demands.id = demand_votes.demand_id
    join labels on labels.id = demands.label_id
    join users on users.id = demands.user_id
    join users as voters on voters.id = demand_votes.user_id
    union all
    select
        'label_proposals',
        row(
            users.email, label_proposals.name, parents.code, label_proposals.note, label_proposals.target_images,
            label_proposals.status, labels.code, label_proposals.answer, deciders.email
        )::text
    from label_proposals
    join users on users.id = label_proposals.user_id
    left join labels as parents on parents.id = label_proposals.parent_id
    left join labels on labels.id = label_proposals.label_id
    left join users as deciders on deciders.id = label_proposals.decided_by
    union all
    select
        'notices',
        row(users.email, labels.code, demands.target_images, label_proposals.name, notices.run_id is null, notices.status)::text
    from notices
    join users on users.id = notices.user_id
    left join demands on demands.id = notices.demand_id
    left join labels on labels.id = demands.label_id
    left join label_proposals on label_proposals.id = notices.proposal_id
    union all
    select 'watches', row(users.email, labels.code)::text
    from watches
    join users on users.id = watches.user_id
    join labels on labels.id = watches.label_id
    union all
    select 'recipes', row(digest, body)::text
    from recipes
    union all
    select
        'dataset_versions',
        row(
            recipes.digest, dataset_versions.name, dataset_versions.digest, dataset_versions.image_count,
            dataset_versions.train_count, dataset_versions.validation_count, dataset_versions.test_count,
            dataset_versions.label_count, dataset_versions.size_bytes, users.email, patches.digest
        )::text
    from dataset_versions
    join recipes on recipes.id = dataset_versions.recipe_id
    left join users on users.id = dataset_versions.created_by
    left join dataset_versions as patches on patches.id = dataset_versions.patched_by
    union all
    select
        'dataset_items',
        row(
            recipes.digest, dataset_versions.digest, dataset_items.position, images.sha256, labels.code,
            dataset_items.split, dataset_items.group_key
        )::text
    from dataset_items
    join dataset_versions on dataset_versions.id = dataset_items.version_id
    join recipes on recipes.id = dataset_versions.recipe_id
    join images on images.id = dataset_items.image_id
    join labels on labels.id = dataset_items.label_id
    union all
    select
        'training_runs',
        row(
            dataset_versions.digest,
            users.email,
            training_runs.backbone,
            training_runs.method,
            training_runs.workers,
            training_runs.status
        )::text
    from training_runs
    join dataset_versions on dataset_versions.id = training_runs.version_id
    left join users on users.id = training_runs.requested_by
    union all
    select
        'training_events',
        row(dataset_versions.digest, training_runs.backbone, training_events.stage, training_events.done, training_events.total)::text
    from training_events
    join training_runs on training_runs.id = training_events.run_id
    join dataset_versions on dataset_versions.id = training_runs.version_id
    where training_events.attempt = training_runs.attempt
    union all
    select
        'trained_models',
        row(dataset_versions.digest, trained_models.backbone, trained_models.weights, trained_models.label_codes)::text
    from trained_models
    join training_runs on training_runs.id = trained_models.run_id
    join dataset_versions on dataset_versions.id = training_runs.version_id
    union all
    -- Which pictures were judged, and as what; what was said of them may differ as the metrics do.
    select 'model_answers', row(dataset_versions.digest, trained_models.backbone, images.sha256, model_answers.truth)::text
    from model_answers
    join trained_models on trained_models.id = model_answers.model_id
    join training_runs on training_runs.id = trained_models.run_id
    join dataset_versions on dataset_versions.id = training_runs.version_id
    join images on images.id = model_answers.image_id
    union all
    -- Which pictures were tagged by what; what was said of them may differ as the metrics do.
    select 'network_labels', row(dataset_versions.digest, trained_models.backbone, images.sha256)::text
    from network_labels
    join trained_models on trained_models.id = network_labels.model_id
    join training_runs on training_runs.id = trained_models.run_id
    join dataset_versions on dataset_versions.id = training_runs.version_id
    join images on images.id = network_labels.image_id
    union all
    select
        'model_files',
        row(dataset_versions.digest, trained_models.backbone, trained_models.label_codes, model_files.kind)::text
    from model_files
    join trained_models on trained_models.id = model_files.model_id
    join training_runs on training_runs.id = trained_models.run_id
    join dataset_versions on dataset_versions.id = training_runs.version_id
),
hashed as (
    select table_name, encode(sha256(convert_to(content, 'UTF8')), 'hex') as content_hash
    from contents
)
select
    table_name,
    count(*) as row_count,
    encode(sha256(convert_to(string_agg(content_hash, '' order by content_hash collate "C"), 'UTF8')), 'hex') as checksum
from hashed
group by table_name
order by table_name
