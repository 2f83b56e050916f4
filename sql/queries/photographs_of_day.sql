-- How many photographs has somebody sent to the portal within the last 24 hours, those that are on their way included?
-- Parameters: supplier_id.
-- Columns: photographs.
select
    (
        select coalesce(sum(batches.submitted_count), 0)
        from batches
        where
            batches.supplier_id = :supplier_id
            and batches.origin is null
            and batches.submitted_at > now() - interval '1 day'
    )
    + (
        select count(*)
        from uploads
        join upload_files on upload_files.upload_id = uploads.id
        where uploads.supplier_id = :supplier_id
    ) as photographs
