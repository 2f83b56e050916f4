-- How many pictures of a label, or of the hub, have each value of each facet? Of cities and suppliers the commonest, and those asked for.
-- Parameters: label_id (null: of the hub), own_only (without what is under the label), limit (cities, and suppliers), cities (array)
-- and supplier (values that are wanted whatever their count; supplier null: none).
-- Columns: facet, value, name (of the supplier; else null), images; most pictures first.
with changed as materialized (
    select facet, value, cast(sum(images) as bigint) as images
    from facet_changes
    where
        cast(:label_id as integer) is null
        or label_id in (
            select descendant_id
            from label_closure
            where ancestor_id = cast(:label_id as integer) and (not :own_only or depth = 0)
        )
    group by facet, value
),
kept as (
    select facet, value, case when :own_only then own_images else subtree_images end as images
    from facet_counts
    where label_id = cast(:label_id as integer)
    union all
    select facet, value, subtree_images
    from facet_counts
    where cast(:label_id as integer) is null and label_id is null
),
counted as (
    select facet, value, coalesce(kept.images, 0) + coalesce(changed.images, 0) as images
    from kept
    full join changed using (facet, value)
),
ranked as (
    select
        facet,
        value,
        images,
        -- Two facets have many values. To sort by their names as well takes as long as all the rest.
        row_number() over (partition by facet = 'city', facet = 'supplier' order by images desc, value) as rank
    from counted
    where images > 0
)
select
    ranked.facet,
    ranked.value,
    (
        select display_name
        from users
        where id = cast(case when ranked.facet = 'supplier' then ranked.value end as bigint)
    ) as name,
    ranked.images
from ranked
where
    ranked.rank <= :limit
    or ranked.facet not in ('city', 'supplier')
    or (ranked.facet = 'city' and ranked.value = any(cast(:cities as text[])))
    or (ranked.facet = 'supplier' and ranked.value = cast(:supplier as text))
order by ranked.images desc, ranked.value
