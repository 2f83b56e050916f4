"""A model has as many files as there are kinds of them, each with its size.

Revision ID: 0029
Revises: 0028
"""

from alembic import op

revision = "0029"
down_revision: str | None = "0028"


def upgrade() -> None:
    op.execute(
        """
        create table model_files (
            model_id bigint not null constraint fk_model_files_model_id references trained_models (id),
            kind text not null,
            key text not null constraint uq_model_files_key unique,
            sha256 text not null constraint ck_model_files_sha256_form check (sha256 ~ '^[0-9a-f]{64}$'),
            size_bytes bigint,
            constraint pk_model_files primary key (model_id, kind),
            constraint ck_model_files_kind_known
                check (kind in ('keras', 'saved_model', 'onnx', 'litert', 'litert_int8', 'labels'))
        )
        """
    )
    op.execute("comment on column model_files.size_bytes is 'null: of a model from before sizes were kept'")
    op.execute(
        """
        insert into model_files (model_id, kind, key, sha256)
        select id, 'keras', keras_key, keras_sha256 from trained_models
        union all
        select id, 'onnx', onnx_key, onnx_sha256 from trained_models
        """
    )
    op.execute(
        """
        alter table trained_models
            drop column keras_key, drop column keras_sha256, drop column onnx_key, drop column onnx_sha256
        """
    )
