-- Count submissions of closed batches that became something else.
-- Parameters: batch_ids, accepted, rejected, review (four lists of one length; negative where there are fewer).
-- Columns: none.
update batches
set
    accepted_count = batches.accepted_count + added.accepted,
    rejected_count = batches.rejected_count + added.rejected,
    review_count = batches.review_count + added.review
from unnest(
    cast(:batch_ids as bigint[]), cast(:accepted as integer[]), cast(:rejected as integer[]), cast(:review as integer[])
) as added (batch_id, accepted, rejected, review)
where batches.id = added.batch_id
