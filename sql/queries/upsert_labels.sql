-- Add labels, and give those that exist the name that is asked for.
-- Parameters: codes, names (arrays of as many texts), source.
-- Columns: added, renamed.
with wanted as (
    select * from unnest(cast(:codes as text[]), cast(:names as text[])) as wanted (code, name)
),
renamed as (
    update labels set name = wanted.name
    from wanted
    where wanted.code = labels.code and wanted.name <> labels.name
    returning 1
),
added as (
    insert into labels (code, name, source)
    select code, name, :source from wanted
    where not exists (select from labels where labels.code = wanted.code)
    order by code
    returning 1
)
select (select count(*) from added) as added, (select count(*) from renamed) as renamed
