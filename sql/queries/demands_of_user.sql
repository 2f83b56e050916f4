-- What somebody asked for, open or not, and what became of it. A page of it, before a demand.
-- Parameters: user_id, before_id (null: from the newest), limit.
-- Columns: id, label_id, label_name, target_images, have_images (what there was when it was met; else what there is), vote_count, note,
-- status, city (null: it names no place), created_at, closed_at; newest first.
select
    demands.id,
    demands.label_id,
    labels.name as label_name,
    demands.target_images,
    coalesce(
        demands.met_images,
        case when demands.place_id is null then label_counts.subtree_images else demands.near_images end
    ) as have_images,
    demands.vote_count,
    demands.note,
    demands.status,
    places.city,
    demands.created_at,
    demands.closed_at
from demands
join labels on labels.id = demands.label_id
join label_counts on label_counts.label_id = demands.label_id
left join places on places.id = demands.place_id
where
    demands.user_id = :user_id
    and demands.id < coalesce(cast(:before_id as bigint), 9223372036854775807)
order by demands.id desc
limit :limit
