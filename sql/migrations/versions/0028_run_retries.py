"""Training runs: why one failed and when it is tried again, which run one repeats, how long they took, and what became of them.

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = "0028"
down_revision: str | None = "0027"


def upgrade() -> None:
    op.execute(
        """
        alter table training_runs
            add repeats bigint constraint fk_training_runs_repeats references training_runs (id),
            add failure text
                constraint ck_training_runs_failure_known check (failure in ('unusable', 'outside', 'lost', 'defect')),
            add failures smallint not null default 0,
            add not_before timestamptz,
            add taken_at timestamptz,
            add spent_s double precision not null default 0,
            add constraint ck_training_runs_failure_of_failed check (failure is null or status in ('queued', 'failed')),
            add constraint ck_training_runs_waits_in_queue check (not_before is null or status = 'queued')
        """
    )
    op.execute("comment on column training_runs.repeats is 'the run that was asked for again by this one'")
    op.execute("comment on column training_runs.failure is 'why it failed: for good, or until it is tried again'")
    op.execute("comment on column training_runs.not_before is 'a run that failed is tried again from then on'")
    op.execute("comment on column training_runs.taken_at is 'when it was last taken from the queue'")
    op.execute("comment on column training_runs.spent_s is 'how long it was run, by all tries that are over'")
    # Of runs from before, the nearest that is known.
    op.execute("update training_runs set taken_at = started_at where status = 'running'")
    op.execute(
        "update training_runs set spent_s = extract(epoch from finished_at - started_at)"
        " where finished_at is not null and started_at is not null"
    )
    op.execute(
        """
        create table training_changes (
            id bigint generated always as identity,
            run_id bigint not null,
            attempt smallint not null,
            status text not null
                constraint ck_training_changes_status_known
                check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
            failure text
                constraint ck_training_changes_failure_known check (failure in ('unusable', 'outside', 'lost', 'defect')),
            message text,
            created_at timestamptz not null default now(),
            constraint pk_training_changes primary key (id),
            constraint fk_training_changes_run_id foreign key (run_id) references training_runs (id)
        )
        """
    )
    op.execute("comment on column training_changes.status is 'what it became'")
    op.execute("create index ix_training_changes_run_id on training_changes (run_id)")
