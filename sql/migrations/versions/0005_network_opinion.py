"""What a network takes a picture for is kept beside its features, and pictures whose label it doubts are found at once.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    op.execute("alter table embeddings add column class_indexes smallint[]")
    op.execute("alter table embeddings add column class_probabilities real[]")
    op.execute(
        "alter table embeddings add constraint ck_embeddings_classes_have_probabilities"
        " check (cardinality(class_indexes) is not distinct from cardinality(class_probabilities))"
    )
    op.execute(
        "comment on column embeddings.class_indexes is"
        " 'of ImageNet''s classes, most probable first; null: its weights have no classification head'"
    )
    op.execute(
        "create index ix_verdicts_doubted on verdicts (submission_id) where check_name = 'label_agreement' and outcome = 'fail'"
    )
