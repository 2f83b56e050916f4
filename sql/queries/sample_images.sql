-- A few pictures that show what labels are: the newest of each label and everything under it.
-- Parameters: label_ids (array), per_label.
-- Columns: label_id, sha256, width_px, height_px; newest first; labels without pictures are left out.
select wanted.label_id, images.sha256, images.width_px, images.height_px
from unnest(cast(:label_ids as integer[])) as wanted (label_id)
cross join lateral (
    select newest.image_id
    from label_closure
    cross join lateral (
        select image_labels.image_id
        from image_labels
        where image_labels.label_id = label_closure.descendant_id and image_labels.is_current and image_labels.label_set = 'main'
        order by image_labels.image_id desc
        limit :per_label
    ) as newest
    where label_closure.ancestor_id = wanted.label_id
    order by newest.image_id desc
    limit :per_label
) as samples
join images on images.id = samples.image_id
order by wanted.label_id, images.id desc
