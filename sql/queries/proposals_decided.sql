-- Decide on a proposal, and where it was taken on all others that wait under the same name; write down whom to tell.
-- Parameters: proposal_id, status, label_id and answer (null: none), user_id (the operator).
-- Columns: id, user_id, target_images; of each proposal that was decided.
with decided as (
    update label_proposals
    set
        status = case when label_proposals.id = :proposal_id or :status = 'refused' then :status else 'merged' end,
        label_id = cast(:label_id as integer),
        answer = case when label_proposals.id = :proposal_id then cast(:answer as text) end,
        decided_by = :user_id,
        decided_at = now()
    from label_proposals as this
    where
        this.id = :proposal_id
        and label_proposals.status = 'waiting'
        and (
            label_proposals.id = this.id
            or (cast(:label_id as integer) is not null and lower(label_proposals.name) = lower(this.name))
        )
    returning label_proposals.id, label_proposals.user_id, label_proposals.target_images
),
told as (
    insert into notices (proposal_id, user_id)
    select decided.id, decided.user_id
    from decided
    join users on users.id = decided.user_id and users.is_active
    order by decided.id
    on conflict (proposal_id) do nothing
)
select id, user_id, target_images from decided order by id
