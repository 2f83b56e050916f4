-- Training runs with what they train on, and what came of it. A page of them, before a run.
-- Parameters: requested_by (null: of everybody), version_id (null: of all), before_id (null: from the newest), limit.
-- Columns: those of a run (id, version_id, requested_by, backbone, method, workers, status, message, attempt, lease_owner,
-- lease_until, created_at, started_at, finished_at, repeats, failure, failures, not_before, lacking), and of its version (version_name,
-- version_digest, image_count, train_count, validation_count, test_count, label_count), requester_name (null: nobody's), model_id
-- (null: none yet); newest first.
select
    training_runs.id,
    training_runs.version_id,
    training_runs.requested_by,
    training_runs.backbone,
    training_runs.method,
    training_runs.workers,
    training_runs.status,
    training_runs.message,
    training_runs.attempt,
    training_runs.lease_owner,
    training_runs.lease_until,
    training_runs.created_at,
    training_runs.started_at,
    training_runs.finished_at,
    training_runs.repeats,
    training_runs.failure,
    training_runs.failures,
    training_runs.not_before,
    training_runs.lacking,
    dataset_versions.name as version_name,
    dataset_versions.digest as version_digest,
    dataset_versions.image_count,
    dataset_versions.train_count,
    dataset_versions.validation_count,
    dataset_versions.test_count,
    dataset_versions.label_count,
    users.display_name as requester_name,
    trained_models.id as model_id
from training_runs
join dataset_versions on dataset_versions.id = training_runs.version_id
left join users on users.id = training_runs.requested_by
left join trained_models on trained_models.run_id = training_runs.id
where
    (cast(:requested_by as bigint) is null or training_runs.requested_by = :requested_by)
    and (cast(:version_id as bigint) is null or training_runs.version_id = :version_id)
    and (cast(:before_id as bigint) is null or training_runs.id < :before_id)
order by training_runs.id desc
limit :limit
