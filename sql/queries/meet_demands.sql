-- Close the open demands that are met, and write down whom to tell: who asked, who voted for it, and who watches its label.
-- A demand is closed by one statement alone, so that everybody is told of it once.
-- Parameters: none.
-- Columns: id; of each demand that was met.
with there as (
    select
        demands.id,
        case when demands.place_id is null then label_counts.subtree_images else demands.near_images end as images
    from demands
    join label_counts on label_counts.label_id = demands.label_id
    where demands.status = 'open'
),
met as (
    update demands
    set status = 'met', closed_at = now(), met_images = there.images
    from there
    where there.id = demands.id and demands.status = 'open' and there.images >= demands.target_images
    returning demands.id, demands.label_id, demands.user_id
),
people as (
    select met.id as demand_id, met.user_id from met
    union
    select met.id, demand_votes.user_id from met join demand_votes on demand_votes.demand_id = met.id
    union
    select met.id, watches.user_id from met join watches on watches.label_id = met.label_id
),
told as (
    insert into notices (demand_id, user_id)
    select people.demand_id, people.user_id
    from people
    join users on users.id = people.user_id and users.is_active
    order by people.demand_id, people.user_id
    on conflict (demand_id, user_id) do nothing
)
select id from met
