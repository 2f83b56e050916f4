-- Has the hub a photograph already, or has an earlier file of the same upload the same bytes?
-- Parameters: upload_id, position (of the file that is asked about), sha256.
-- Columns: is_known.
select
    exists (select from images where images.sha256 = :sha256)
    or exists (
        select from upload_files
        where
            upload_files.upload_id = :upload_id
            and upload_files.position < :position
            and upload_files.landed_sha256 = :sha256
    ) as is_known
