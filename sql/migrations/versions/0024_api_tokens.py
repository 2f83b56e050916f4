"""Tokens with which programs come in someone's name.

Revision ID: 0024
Revises: 0023
"""

from alembic import op

revision = "0024"
down_revision: str | None = "0023"


def upgrade() -> None:
    op.execute(
        """
        create table api_tokens (
            id bigint generated always as identity,
            user_id bigint not null,
            name text not null constraint ck_api_tokens_name_length check (length(name) between 1 and 80),
            prefix text not null,
            token_hash text not null constraint ck_api_tokens_token_hash_form check (token_hash ~ '^[0-9a-f]{64}$'),
            scopes text[] not null,
            created_at timestamptz default now() not null,
            expires_at timestamptz,
            last_used_at timestamptz,
            revoked_at timestamptz,
            constraint pk_api_tokens primary key (id),
            constraint uq_api_tokens_token_hash unique (token_hash),
            constraint fk_api_tokens_user_id foreign key (user_id) references users (id),
            constraint ck_api_tokens_scopes_known check (cardinality(scopes) > 0 and scopes <@ array['read', 'report', 'submit',
                'freeze', 'download', 'train', 'predict', 'operate']),
            constraint ck_api_tokens_expires_later check (expires_at > created_at)
        )
        """
    )
    op.execute("create index ix_api_tokens_user_id on api_tokens (user_id)")
    op.execute("comment on column api_tokens.prefix is 'its first characters, so that people know it again'")
    op.execute("comment on column api_tokens.token_hash is 'sha256; the token itself is kept nowhere'")
    op.execute("comment on column api_tokens.expires_at is 'null: good until it is revoked'")
    op.execute("comment on column api_tokens.last_used_at is 'to the minute'")
