-- Who may see a picture's bytes? Everybody while it has a current label; else whoever sent them, and operators; operators alone once it
-- was taken down.
-- Parameters: sha256, user_id (null: nobody is signed in).
-- Columns: is_public, is_senders; no row where there is no such picture.
select
    images.taken_down_at is null
    and exists (
        select from image_labels
        where image_labels.image_id = images.id and image_labels.is_current and image_labels.label_set = 'main'
    ) as is_public,
    images.taken_down_at is null
    and exists (
        select from submissions
        join batches on batches.id = submissions.batch_id
        where submissions.image_id = images.id and batches.supplier_id = cast(:user_id as bigint)
    ) as is_senders
from images
where images.sha256 = :sha256
