"""Training runs that wait for pictures, and the notice that one has started.

Revision ID: 0030
Revises: 0029
"""

from alembic import op

revision = "0030"
down_revision: str | None = "0029"


def upgrade() -> None:
    for table in ("training_runs", "training_changes"):
        op.execute(
            f"""
            alter table {table}
                drop constraint ck_{table}_status_known,
                add constraint ck_{table}_status_known
                    check (status in ('waiting', 'queued', 'running', 'succeeded', 'failed', 'cancelled'))
            """
        )
    op.execute(
        """
        alter table training_runs
            add lacking jsonb,
            add looked_images bigint,
            add constraint ck_training_runs_waits_for_something check ((status = 'waiting') = (lacking is not null))
        """
    )
    op.execute("comment on column training_runs.lacking is 'labels with too few pictures, while it waits for them'")
    op.execute("comment on column training_runs.looked_images is 'how many pictures of them there were at the last look'")
    op.execute("create index ix_training_runs_waiting on training_runs (id) where status = 'waiting'")
    op.execute(
        """
        alter table notices
            add run_id bigint
                constraint fk_notices_run_id references training_runs (id)
                constraint uq_notices_run_id unique,
            drop constraint ck_notices_about_one_thing,
            add constraint ck_notices_about_one_thing check (num_nonnulls(demand_id, proposal_id, run_id) = 1)
        """
    )
