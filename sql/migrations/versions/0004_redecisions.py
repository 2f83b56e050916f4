"""A check's threshold can be moved: the ledger takes a newer verdict from the same score, and the older one stays.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    op.execute(
        """
        create table redecisions (
            id bigint generated always as identity,
            check_name text not null,
            threshold real not null constraint ck_redecisions_threshold_range check (threshold between 0 and 1),
            lowest_before real,
            highest_before real,
            user_id bigint,
            judged_count bigint default 0 not null,
            in_count bigint default 0 not null,
            out_count bigint default 0 not null,
            changed_count bigint default 0 not null,
            created_at timestamptz default now() not null,
            finished_at timestamptz,
            constraint pk_redecisions primary key (id),
            constraint fk_redecisions_user_id foreign key (user_id) references users (id)
        )
        """
    )
    op.execute("comment on column redecisions.lowest_before is 'of the thresholds that were in force when it began'")
    op.execute("comment on column redecisions.highest_before is 'likewise'")
    op.execute("comment on column redecisions.judged_count is 'verdicts that it added'")
    op.execute("comment on column redecisions.in_count is 'pictures that became accepted'")
    op.execute("comment on column redecisions.out_count is 'pictures that were accepted'")
    op.execute("comment on column redecisions.changed_count is 'submissions that became something else, these among them'")
    op.execute("comment on column redecisions.finished_at is 'null: it was stopped; the same one again goes on with it'")
    op.execute("alter table verdicts add column redecision_id bigint")
    op.execute("comment on column verdicts.redecision_id is 'null: judged when the score was found'")
    op.execute(
        "alter table verdicts add constraint fk_verdicts_redecision_id foreign key (redecision_id) references redecisions (id)"
    )
    op.execute("alter table verdicts drop constraint uq_verdicts_submission_id_check_name_check_version")
    op.execute(
        """
        alter table verdicts add constraint uq_verdicts_judged_once
            unique nulls not distinct (submission_id, check_name, check_version, redecision_id)
        """
    )
