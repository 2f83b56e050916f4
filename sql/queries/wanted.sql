-- What is wanted now, and how far is it? There are thousands of open demands at most: they are sorted as they are.
-- Parameters: order (votes, missing or newest), place_ids (array: only for these places; null: all), label_id (null: of all labels),
-- user_id (who looks, or null), after_key and after_id (null: from the start), limit.
-- Columns: id, label_id, label_code, label_name, user_id, user_name, target_images, have_images, vote_count, note, created_at,
-- place_id, city, country_code (null where it names no place), has_voted, is_watched (by who looks), key (what the order goes by).
with found as (
    select
        demands.*,
        labels.code as label_code,
        labels.name as label_name,
        case when demands.place_id is null then label_counts.subtree_images else demands.near_images end as have_images
    from demands
    join labels on labels.id = demands.label_id
    join label_counts on label_counts.label_id = demands.label_id
    where
        demands.status = 'open'
        and (cast(:place_ids as bigint[]) is null or demands.place_id = any(cast(:place_ids as bigint[])))
        and (cast(:label_id as integer) is null or demands.label_id = cast(:label_id as integer))
),
ranked as (
    select
        found.*,
        case cast(:order as text)
            when 'votes' then found.vote_count
            when 'missing' then greatest(found.target_images - found.have_images, 0)
            else 0
        end as key
    from found
)
select
    ranked.id,
    ranked.label_id,
    ranked.label_code,
    ranked.label_name,
    ranked.user_id,
    users.display_name as user_name,
    ranked.target_images,
    ranked.have_images,
    ranked.vote_count,
    ranked.note,
    ranked.created_at,
    ranked.place_id,
    places.city,
    places.country_code,
    exists (
        select from demand_votes where demand_votes.demand_id = ranked.id and demand_votes.user_id = cast(:user_id as bigint)
    ) as has_voted,
    exists (
        select from watches where watches.label_id = ranked.label_id and watches.user_id = cast(:user_id as bigint)
    ) as is_watched,
    ranked.key
from ranked
join users on users.id = ranked.user_id
left join places on places.id = ranked.place_id
where cast(:after_id as bigint) is null or (ranked.key, ranked.id) < (cast(:after_key as bigint), cast(:after_id as bigint))
order by ranked.key desc, ranked.id desc
limit :limit
