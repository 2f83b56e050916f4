-- What are submissions now, before their decisions are changed? Their batches must be locked already.
-- Parameters: submission_ids.
-- Columns: submission_id, batch_key, position, batch_id, batch_status, status, reason, has_own_picture: whether a picture was made of
-- it, which is so neither for broken files nor for copies of another photograph, nor any longer where it was taken down.
select
    submissions.id as submission_id,
    batches.key as batch_key,
    submissions.position,
    batches.id as batch_id,
    batches.status as batch_status,
    submissions.status,
    submissions.reason,
    coalesce(images.original_key = submissions.object_key and images.taken_down_at is null, false) as has_own_picture
from submissions
join batches on batches.id = submissions.batch_id
left join images on images.id = submissions.image_id
where submissions.id = any(:submission_ids)
order by submissions.id
