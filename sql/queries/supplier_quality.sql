-- How good is what somebody sent last, in all and for each label? The median of the quality scores of the pictures that decode and are no
-- copies, of the latest batches that hold some photographs together.
-- Parameters: supplier_id, batches and photographs (how many are looked at, at most).
-- Columns: label_id (null: all of them together), pictures, median (0..1).
with latest as (
    select id, label_id, submitted_count, sum(submitted_count) over (order by submitted_at desc, id desc) as so_far
    from (
        select id, label_id, submitted_count, submitted_at
        from batches
        where supplier_id = :supplier_id
        order by submitted_at desc, id desc
        limit :batches
    ) as newest
)

select
    latest.label_id,
    count(*) as pictures,
    percentile_cont(0.5) within group (order by images.quality_score) as median
from latest
join images on images.batch_id = latest.id
where latest.so_far - latest.submitted_count < :photographs
group by grouping sets ((), (latest.label_id))
