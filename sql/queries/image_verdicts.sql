-- What every check says of a picture now, in the order in which they were first made.
-- Parameters: image_id.
-- Columns: check_name, outcome, score, threshold, detail.
select check_name, outcome, score, threshold, detail
from (
    select
        verdicts.*,
        verdicts.id = max(verdicts.id) over same_check as is_in_force,
        min(verdicts.id) over same_check as first_id
    from images
    join submissions on submissions.object_key = images.original_key
    join verdicts on verdicts.submission_id = submissions.id
    where images.id = :image_id
    window same_check as (partition by verdicts.check_name)
) as ledger
where is_in_force
order by first_id
