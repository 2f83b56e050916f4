-- How many pictures of a label, or of the hub, have each value of each facet? The commonest of each, all countries and months, and those asked for.
-- Parameters: label_id (null: of the hub), own_only (without what is under the label), limit (values of a facet), cities (array) and
-- supplier (values that are wanted whatever their count; supplier null: none).
-- Columns: facet, value, name (of the supplier; else null), images; most pictures of a facet first.
with counted as (
    select facet, value, case when :own_only then own_images else subtree_images end as images
    from facet_counts
    where label_id = cast(:label_id as integer)
    union all
    select facet, value, subtree_images
    from facet_counts
    where cast(:label_id as integer) is null and label_id is null
    union all
    select facet_changes.facet, facet_changes.value, facet_changes.images
    from facet_changes
    where
        cast(:label_id as integer) is null
        or exists (
            select from label_closure
            where
                label_closure.ancestor_id = cast(:label_id as integer)
                and label_closure.descendant_id = facet_changes.label_id
                and (not :own_only or label_closure.depth = 0)
        )
),
ranked as (
    select
        facet,
        value,
        sum(images) as images,
        row_number() over (partition by facet order by sum(images) desc, value) as rank
    from counted
    group by facet, value
    having sum(images) > 0
)
select ranked.facet, ranked.value, users.display_name as name, cast(ranked.images as bigint) as images
from ranked
left join users on ranked.facet = 'supplier' and users.id = cast(case when ranked.facet = 'supplier' then ranked.value end as bigint)
where
    ranked.rank <= :limit
    or ranked.facet in ('country', 'received', 'taken')
    or (ranked.facet = 'city' and ranked.value = any(cast(:cities as text[])))
    or (ranked.facet = 'supplier' and ranked.value = cast(:supplier as text))
order by ranked.facet, ranked.images desc, ranked.value
