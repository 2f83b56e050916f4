-- What is wanted now, and how far is it? The page is found first, by votes with a few steps into an index; what is missing of thousands
-- of open demands is looked up and sorted.
-- Parameters: order (votes, missing or newest), place_ids (array: only for these places; null: all), label_id (null: of all labels),
-- user_id (who looks, or null), after_key and after_id (null: from the start), limit.
-- Columns: id, label_id, label_code, label_name, user_id, user_name, target_images, have_images, vote_count, note, created_at,
-- place_id, city, country_code (null where it names no place), has_voted, is_watched (by who looks), key (what the order goes by).
with page as materialized (
    select ranked.id, ranked.key
    from (
        select
            demands.id,
            case cast(:order as text)
                when 'votes' then demands.vote_count
                when 'missing' then cast(
                    greatest(
                        demands.target_images
                        - case when demands.place_id is null then label_counts.subtree_images else demands.near_images end,
                        0
                    ) as integer
                )
                else 0
            end as key
        from demands
        left join label_counts on label_counts.label_id = demands.label_id
        where
            demands.status = 'open'
            and (cast(:place_ids as bigint[]) is null or demands.place_id = any(cast(:place_ids as bigint[])))
            and (cast(:label_id as integer) is null or demands.label_id = cast(:label_id as integer))
    ) as ranked
    where cast(:after_id as bigint) is null or (ranked.key, ranked.id) < (cast(:after_key as bigint), cast(:after_id as bigint))
    order by ranked.key desc, ranked.id desc
    limit :limit
)
select
    demands.id,
    demands.label_id,
    labels.code as label_code,
    labels.name as label_name,
    demands.user_id,
    -- Not joined: to plan a join of six tables takes ten times as long as to run it.
    (select display_name from users where users.id = demands.user_id) as user_name,
    demands.target_images,
    case when demands.place_id is null then label_counts.subtree_images else demands.near_images end as have_images,
    demands.vote_count,
    demands.note,
    demands.created_at,
    demands.place_id,
    (select city from places where places.id = demands.place_id) as city,
    (select country_code from places where places.id = demands.place_id) as country_code,
    exists (
        select from demand_votes where demand_votes.demand_id = demands.id and demand_votes.user_id = cast(:user_id as bigint)
    ) as has_voted,
    exists (
        select from watches where watches.label_id = demands.label_id and watches.user_id = cast(:user_id as bigint)
    ) as is_watched,
    page.key
from page
join demands on demands.id = page.id
join labels on labels.id = demands.label_id
join label_counts on label_counts.label_id = demands.label_id
order by page.key desc, page.id desc
