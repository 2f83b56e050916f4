-- Which picture stands for each of these labels? The newest of the label and everything under it.
-- Parameters: label_ids (array).
-- Columns: label_id, sha256; labels without pictures are left out.
select wanted.label_id, images.sha256
from unnest(cast(:label_ids as integer[])) as wanted (label_id)
cross join lateral (
    select newest.image_id
    from label_closure
    cross join lateral (
        select image_labels.image_id
        from image_labels
        where image_labels.label_id = label_closure.descendant_id and image_labels.is_current and image_labels.label_set = 'main'
        order by image_labels.image_id desc
        limit 1
    ) as newest
    where label_closure.ancestor_id = wanted.label_id
    order by newest.image_id desc
    limit 1
) as cover
join images on images.id = cover.image_id
