-- Say what else labels are called. Lines of labels that do not exist, or of a name that several have, are passed over.
-- Parameters: labels (codes, or names whatever their case), aliases (arrays of as many texts).
-- Columns: added.
with wanted as (
    select * from unnest(cast(:labels as text[]), cast(:aliases as text[])) as wanted (label, alias)
),
named as (
    select lower(name) as name, min(id) as label_id
    from labels
    group by lower(name)
    having count(*) = 1
),
added as (
    insert into label_aliases (label_id, alias)
    select distinct coalesce(labels.id, named.label_id), wanted.alias
    from wanted
    left join labels on labels.code = wanted.label
    left join named on named.name = lower(wanted.label)
    where coalesce(labels.id, named.label_id) is not null
    on conflict do nothing
    returning 1
)
select count(*) as added from added
