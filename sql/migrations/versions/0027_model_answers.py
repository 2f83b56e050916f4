"""What models say of the pictures that they are judged on.

Revision ID: 0027
Revises: 0026
"""

from alembic import op

revision = "0027"
down_revision: str | None = "0026"


def upgrade() -> None:
    op.execute(
        """
        create table model_answers (
            model_id bigint not null,
            image_id bigint not null,
            truth smallint not null,
            said smallint not null,
            score real not null,
            truth_rank smallint not null,
            constraint pk_model_answers primary key (model_id, image_id),
            constraint fk_model_answers_model_id foreign key (model_id) references trained_models (id),
            constraint fk_model_answers_image_id foreign key (image_id) references images (id),
            constraint ck_model_answers_score_range check (score between 0 and 1),
            constraint ck_model_answers_known_classes check (truth >= 0 and said >= 0 and truth_rank > 0)
        )
        """
    )
    op.execute("create index ix_model_answers_image_id on model_answers (image_id)")
    op.execute("create index ix_model_answers_cell on model_answers (model_id, truth, said, score, image_id)")
    op.execute("create index ix_model_answers_wrong on model_answers (model_id, score, image_id) where said <> truth")
    op.execute("comment on column model_answers.truth is 'class index of the label that the dataset gives it'")
    op.execute("comment on column model_answers.said is 'class index of the likeliest answer'")
    op.execute("comment on column model_answers.score is 'probability of that answer, calibrated'")
    op.execute("comment on column model_answers.truth_rank is 'place of the right answer among all, likeliest first: 1 is right'")
