"""Demand: for a place or everywhere, votes, what became of it; labels that people propose; and who is told.

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision: str | None = "0020"


def upgrade() -> None:
    op.execute("alter table demands drop constraint uq_demands_label_id_user_id")
    op.execute("drop index ix_demands_label_id")
    op.execute(
        """
        alter table demands
            add place_id bigint constraint fk_demands_place_id references places (id),
            add status text not null default 'open'
                constraint ck_demands_status_known check (status in ('open', 'met', 'withdrawn')),
            add vote_count integer not null default 0 constraint ck_demands_votes_positive check (vote_count >= 0),
            add near_images bigint not null default 0 constraint ck_demands_near_positive check (near_images >= 0),
            add met_images bigint,
            add closed_at timestamptz,
            add constraint ck_demands_closed_has_time check ((status = 'open') = (closed_at is null)),
            add constraint ck_demands_met_has_images check ((status = 'met') = (met_images is not null)),
            add constraint ck_demands_note_length check (length(note) <= 500),
            add constraint ck_demands_near_has_place check (place_id is not null or near_images = 0)
        """
    )
    op.execute(
        "comment on column demands.near_images is"
        " 'accepted photographs from around its place, as last counted; 0 without a place, where label_counts says it'"
    )
    op.execute("comment on column demands.met_images is 'how many there were when it was met'")
    op.execute(
        "create unique index uq_demands_open on demands (label_id, place_id, target_images) nulls not distinct"
        " where status = 'open'"
    )
    op.execute("create index ix_demands_user_id_id on demands (user_id, id)")
    op.execute("create index ix_demands_open_place_id on demands (place_id) where status = 'open' and place_id is not null")
    op.execute("create index ix_batches_place_id_label_id on batches (place_id, label_id) where place_id is not null")
    op.execute(
        """
        create table demand_votes (
            demand_id bigint not null,
            user_id bigint not null,
            created_at timestamptz not null default now(),
            constraint pk_demand_votes primary key (demand_id, user_id),
            constraint fk_demand_votes_demand_id foreign key (demand_id) references demands (id),
            constraint fk_demand_votes_user_id foreign key (user_id) references users (id)
        )
        """
    )
    op.execute("create index ix_demand_votes_user_id on demand_votes (user_id)")
    op.execute(
        r"""
        create table label_proposals (
            id bigint generated always as identity,
            user_id bigint not null,
            name text not null constraint ck_label_proposals_name_form check (name ~ '^\S(.*\S)?$' and length(name) <= 200),
            parent_id integer,
            note text constraint ck_label_proposals_note_length check (length(note) <= 500),
            target_images integer constraint ck_label_proposals_target_positive check (target_images > 0),
            status text not null default 'waiting'
                constraint ck_label_proposals_status_known check (status in ('waiting', 'accepted', 'merged', 'refused')),
            label_id integer,
            answer text constraint ck_label_proposals_answer_length check (length(answer) <= 500),
            decided_by bigint,
            decided_at timestamptz,
            created_at timestamptz not null default now(),
            constraint pk_label_proposals primary key (id),
            constraint ck_label_proposals_decision_has_time
                check ((status = 'waiting') = (decided_at is null) and (decided_at is null) = (decided_by is null)),
            constraint ck_label_proposals_answer_has_label check ((status in ('accepted', 'merged')) = (label_id is not null)),
            constraint ck_label_proposals_refusal_has_reason check (status <> 'refused' or answer is not null),
            constraint fk_label_proposals_user_id foreign key (user_id) references users (id),
            constraint fk_label_proposals_parent_id foreign key (parent_id) references labels (id),
            constraint fk_label_proposals_label_id foreign key (label_id) references labels (id),
            constraint fk_label_proposals_decided_by foreign key (decided_by) references users (id)
        )
        """
    )
    op.execute("comment on column label_proposals.parent_id is 'under which label the asker would put it'")
    op.execute("comment on column label_proposals.label_id is 'what it became, or what it is called here already'")
    op.execute(
        "create unique index uq_label_proposals_waiting on label_proposals (lower(name), user_id) where status = 'waiting'"
    )
    op.execute("create index ix_label_proposals_waiting on label_proposals (id) where status = 'waiting'")
    op.execute("create index ix_label_proposals_user_id_id on label_proposals (user_id, id)")
    op.execute(
        """
        create table notices (
            id bigint generated always as identity,
            user_id bigint not null,
            demand_id bigint,
            proposal_id bigint,
            status text not null default 'waiting'
                constraint ck_notices_status_known check (status in ('waiting', 'sending', 'sent', 'refused')),
            attempts integer not null default 0,
            last_error text,
            created_at timestamptz not null default now(),
            sent_at timestamptz,
            constraint pk_notices primary key (id),
            constraint uq_notices_demand_id_user_id unique (demand_id, user_id),
            constraint uq_notices_proposal_id unique (proposal_id),
            constraint ck_notices_about_one_thing check ((demand_id is null) <> (proposal_id is null)),
            constraint ck_notices_sent_has_time check ((status = 'sent') = (sent_at is not null)),
            constraint fk_notices_user_id foreign key (user_id) references users (id),
            constraint fk_notices_demand_id foreign key (demand_id) references demands (id),
            constraint fk_notices_proposal_id foreign key (proposal_id) references label_proposals (id)
        )
        """
    )
    op.execute("create index ix_notices_unsent on notices (status, attempts, id) where status <> 'sent'")
    op.execute(
        "comment on column notices.status is 'sending: handed over, or about to be; never again, since it may have arrived'"
    )
