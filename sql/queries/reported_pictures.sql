-- Which pictures have reports that no operator has decided on? Those that have waited longest first, after a report, with what was said.
-- Parameters: after_report_id (of the oldest open report of a picture; 0: from the first), limit.
-- Columns: first_report_id, sha256, width_px, height_px, label_name (null: it has none now), batch_key, supplier_name, reports (JSON: reason,
-- note, user_name, created_at; oldest first), versions, models (that have the picture, or learnt from it); by first_report_id.
with waiting as (
    select image_id, min(id) as first_report_id
    from picture_reports
    where outcome is null
    group by image_id
    having min(id) > :after_report_id
    order by first_report_id
    limit :limit
)
select
    waiting.first_report_id,
    images.sha256,
    images.width_px,
    images.height_px,
    labels.name as label_name,
    batches.key as batch_key,
    users.display_name as supplier_name,
    said.reports,
    (
        select count(*)
        from dataset_items
        join dataset_versions on dataset_versions.id = dataset_items.version_id
        where dataset_items.image_id = images.id and dataset_versions.patched_by is null
    ) as versions,
    (
        select count(*)
        from dataset_items
        join training_runs on training_runs.version_id = dataset_items.version_id
        join trained_models on trained_models.run_id = training_runs.id
        where dataset_items.image_id = images.id
    ) as models
from waiting
join images on images.id = waiting.image_id
join batches on batches.id = images.batch_id
join users on users.id = batches.supplier_id
left join image_labels on image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
left join labels on labels.id = image_labels.label_id
cross join lateral (
    select
        jsonb_agg(
            jsonb_build_object(
                'reason', picture_reports.reason,
                'note', picture_reports.note,
                'user_name', reporters.display_name,
                'created_at', picture_reports.created_at
            )
            order by picture_reports.id
        ) as reports
    from picture_reports
    join users as reporters on reporters.id = picture_reports.user_id
    where picture_reports.image_id = images.id and picture_reports.outcome is null
) as said
order by waiting.first_report_id
