-- Which pictures wait for somebody to look at them? Oldest first, after a submission, of a label as it was sent, of a reason or a batch.
-- Parameters: after_submission_id (0: from the oldest), label_code, reason, batch_key (null: any), taken_back (the detail of a change that
-- takes a decision back), limit.
-- Columns: submission_id, sha256, width_px, height_px, label_id, label_code, label_name (the label that it comes back under: the one that
-- it had before it went into review, or else the one that was sent), reason, score, threshold, detail (of the verdict that put it here;
-- null: there is none), batch_key, filename, supplier_name, since, class_indexes, class_probabilities (what a network takes it for, the
-- most probable first; null: none looked); by submission_id.
select
    submissions.id as submission_id,
    images.sha256,
    images.width_px,
    images.height_px,
    labels.id as label_id,
    labels.code as label_code,
    labels.name as label_name,
    submissions.reason,
    deciding.score,
    deciding.threshold,
    deciding.detail,
    batches.key as batch_key,
    submissions.filename,
    users.display_name as supplier_name,
    submissions.decided_at as since,
    seen.class_indexes,
    seen.class_probabilities
from submissions
join images on images.id = submissions.image_id
join batches on batches.id = submissions.batch_id
join users on users.id = batches.supplier_id
join labels as sent on sent.id = batches.label_id
left join lateral (
    select image_labels.label_id
    from decision_changes
    join image_labels on image_labels.id = decision_changes.image_label_id
    where
        decision_changes.submission_id = submissions.id
        and decision_changes.from_status = 'accepted'
        and not (decision_changes.cause = 'operator' and decision_changes.detail is not distinct from :taken_back)
    order by decision_changes.id desc
    limit 1
) as doubted on true
join labels on labels.id = coalesce(doubted.label_id, sent.id)
left join lateral (
    select verdicts.score, verdicts.threshold, verdicts.detail
    from verdicts
    where
        verdicts.submission_id = submissions.id
        and (
            (verdicts.check_name = submissions.reason and verdicts.outcome = 'fail')
            or (verdicts.check_name = 'review' and verdicts.outcome = 'flag' and verdicts.detail <> :taken_back)
        )
    order by verdicts.id desc
    limit 1
) as deciding on true
left join lateral (
    select embeddings.class_indexes, embeddings.class_probabilities
    from embeddings
    where embeddings.image_id = images.id and embeddings.class_indexes is not null
    order by embeddings.created_at desc
    limit 1
) as seen on true
where
    submissions.status = 'review'
    and submissions.id > :after_submission_id
    and (cast(:label_code as text) is null or sent.code = :label_code)
    and (cast(:reason as text) is null or submissions.reason = :reason)
    and (cast(:batch_key as text) is null or batches.key = :batch_key)
order by submissions.id
limit :limit
