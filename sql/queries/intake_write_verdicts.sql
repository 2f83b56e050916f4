-- Write the decisions on some batches into the ledger: what the examination said, and, of what decodes, whether the hub had it already.
-- Parameters: attempt, batch_ids (array), check_version.
-- Columns: none.
with decisions as (
    select distinct on (staged.submission_id) staged.submission_id, staged.verdicts
    from staged_decisions as staged
    where staged.attempt = :attempt and staged.batch_id = any(:batch_ids)
    order by staged.submission_id
),
examined as (
    select decisions.submission_id, verdict.*
    from decisions
    cross join jsonb_to_recordset(decisions.verdicts)
        as verdict (check_name text, outcome text, score real, threshold real, detail text)
),
compared as (
    select
        submissions.id as submission_id,
        'exact_duplicates' as check_name,
        case when images.original_key = submissions.object_key then 'pass' else 'fail' end as outcome,
        null::real as score,
        null::real as threshold,
        case
            when images.original_key <> submissions.object_key
                then format('the same bytes as number %s of batch %s', originals.position, original_batches.key)
        end as detail
    from decisions
    join submissions on submissions.id = decisions.submission_id
    join images on images.id = submissions.image_id
    join submissions as originals on originals.object_key = images.original_key
    join batches as original_batches on original_batches.id = originals.batch_id
)
insert into verdicts (submission_id, check_name, check_version, outcome, score, threshold, detail)
select submission_id, check_name, :check_version, outcome, score, threshold, detail
from (select * from examined union all select * from compared) as every_check
order by submission_id, check_name
