"""People make their accounts themselves: links by e-mail, ended sessions, the history of accounts, counted attempts.

Revision ID: 0023
Revises: 0022
"""

from alembic import op

revision = "0023"
down_revision: str | None = "0022"


def upgrade() -> None:
    op.execute("alter table users add column session_series integer default 0 not null")
    op.execute("comment on column users.session_series is 'one more ends every session of before'")
    op.execute("create index ix_users_email_beginning on users (email text_pattern_ops)")
    op.execute("create index ix_users_name_beginning on users (lower(display_name) text_pattern_ops)")
    op.execute(
        """
        create table account_changes (
            id bigint generated always as identity,
            user_id bigint not null,
            deed text not null constraint ck_account_changes_deed_known
                check (deed in ('made', 'role', 'closed', 'reopened', 'password', 'email', 'name', 'signed_out')),
            value_before text,
            value_after text,
            changed_by bigint,
            created_at timestamptz default now() not null,
            constraint pk_account_changes primary key (id),
            constraint fk_account_changes_user_id foreign key (user_id) references users (id),
            constraint fk_account_changes_changed_by foreign key (changed_by) references users (id)
        )
        """
    )
    op.execute("comment on column account_changes.changed_by is 'null: somebody at the hub''s command line'")
    op.execute("create index ix_account_changes_user_id_id on account_changes (user_id, id)")
    op.execute("create index ix_account_changes_by_others on account_changes (id) where changed_by is distinct from user_id")
    op.execute(
        """
        create table account_mails (
            id bigint generated always as identity,
            purpose text not null constraint ck_account_mails_purpose_known check (purpose in
                ('sign_up', 'invitation', 'reset', 'new_address', 'password_changed', 'address_changed')),
            email text not null,
            user_id bigint,
            display_name text,
            role text,
            status text default 'waiting' not null constraint ck_account_mails_status_known
                check (status in ('waiting', 'sending', 'sent', 'refused', 'needless')),
            last_error text,
            token_sha256 text constraint ck_account_mails_token_sha256_form check (token_sha256 ~ '^[0-9a-f]{64}$'),
            expires_at timestamptz,
            used_at timestamptz,
            created_at timestamptz default now() not null,
            constraint pk_account_mails primary key (id),
            constraint fk_account_mails_user_id foreign key (user_id) references users (id),
            constraint uq_account_mails_token_sha256 unique (token_sha256),
            constraint ck_account_mails_link_expires check ((token_sha256 is null) = (expires_at is null))
        )
        """
    )
    op.execute(
        "comment on column account_mails.status is"
        " 'needless: there was no such account, or nothing to say; sending: handed over, or about to be'"
    )
    op.execute("comment on column account_mails.user_id is 'whose address it is to become; null: whoever has the address'")
    op.execute("comment on column account_mails.token_sha256 is 'of the link; the token itself is in the e-mail alone'")
    op.execute("comment on column account_mails.used_at is 'when the link was used, or made useless'")
    op.execute("create index ix_account_mails_waiting on account_mails (id) where status = 'waiting'")
    op.execute("create index ix_account_mails_open on account_mails (email) where token_sha256 is not null and used_at is null")
    op.execute("create index ix_account_mails_created_at on account_mails (created_at)")
    op.execute(
        """
        create unlogged table attempts (
            key text not null,
            attempt_count integer not null,
            ends_at timestamptz not null,
            constraint pk_attempts primary key (key)
        )
        """
    )
    op.execute("comment on column attempts.key is 'sha256 of what was tried, and on whose account'")
    op.execute("create index ix_attempts_ends_at on attempts (ends_at)")
