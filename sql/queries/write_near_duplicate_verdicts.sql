-- Write into the ledger how near accepted submissions come to the pictures that were there before; a verdict that is there stays.
-- Parameters: submission_ids, scores, original_ids (arrays of one length; original: the near-duplicate, null where there is none),
-- threshold, check_version.
-- Columns: none.
insert into verdicts (submission_id, check_name, check_version, outcome, score, threshold, detail)
select
    compared.submission_id,
    'near_duplicates',
    :check_version,
    case when compared.original_id is null then 'pass' else 'flag' end,
    compared.score,
    :threshold,
    case
        when compared.original_id is not null then format('nearly the same as number %s of batch %s', originals.position, batches.key)
    end
from unnest(cast(:submission_ids as bigint[]), cast(:scores as real[]), cast(:original_ids as bigint[]))
    as compared (submission_id, score, original_id)
left join images on images.id = compared.original_id
left join submissions as originals on originals.object_key = images.original_key
left join batches on batches.id = originals.batch_id
order by compared.submission_id
on conflict on constraint uq_verdicts_judged_once do nothing
