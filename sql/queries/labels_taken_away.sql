-- Take the current label from the pictures of submissions that are no longer accepted.
-- Parameters: submission_ids.
-- Columns: submission_id, image_label_id, label_id.
update image_labels
set is_current = false
from submissions
where
    submissions.id = any(:submission_ids)
    and image_labels.image_id = submissions.image_id
    and image_labels.is_current
    and image_labels.label_set = 'main'
returning submissions.id as submission_id, image_labels.id as image_label_id, image_labels.label_id
