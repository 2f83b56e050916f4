-- Give the pictures of submissions that are accepted now a current label: the one that is named, said by an operator; or else the one
-- that they had when they were last accepted, whoever said it; without one, the supplier's. An acceptance that an operator took back is
-- none. Pictures that have a current label are left alone.
-- Parameters: submission_ids, label_ids (two lists of one length; null: no label is named), user_id (who names them), taken_back (the
-- detail of a change that takes a decision back).
-- Columns: submission_id, image_label_id, label_id.
with wanted as (
    select *
    from unnest(cast(:submission_ids as bigint[]), cast(:label_ids as integer[])) as wanted (submission_id, label_id)
),
coming as (
    select
        submissions.id as submission_id,
        submissions.image_id,
        wanted.label_id as named_id,
        batches.label_id as sent_id,
        batches.supplier_id
    from wanted
    join submissions on submissions.id = wanted.submission_id
    join batches on batches.id = submissions.batch_id
    where
        not exists (
            select from image_labels
            where image_labels.image_id = submissions.image_id and image_labels.is_current and image_labels.label_set = 'main'
        )
),
lost as (
    select distinct on (coming.submission_id) coming.submission_id, decision_changes.image_label_id
    from coming
    join decision_changes on decision_changes.submission_id = coming.submission_id and decision_changes.from_status = 'accepted'
    where
        coming.named_id is null
        and decision_changes.image_label_id is not null
        and not (decision_changes.cause = 'operator' and decision_changes.detail is not distinct from :taken_back)
    order by coming.submission_id, decision_changes.id desc
),
given_back as (
    update image_labels
    set is_current = true
    from lost
    where image_labels.id = lost.image_label_id
    returning lost.submission_id, image_labels.id as image_label_id, image_labels.label_id
),
given as (
    insert into image_labels (image_id, label_id, said_by, user_id)
    select
        image_id,
        coalesce(named_id, sent_id),
        case when named_id is null then 'supplier' else 'operator' end,
        case when named_id is null then supplier_id else cast(:user_id as bigint) end
    from coming
    where not exists (select from lost where lost.submission_id = coming.submission_id)
    order by image_id
    returning id, image_id, label_id
)
select submission_id, image_label_id, label_id
from given_back
union all
select coming.submission_id, given.id, given.label_id
from given
join coming on coming.image_id = given.image_id
