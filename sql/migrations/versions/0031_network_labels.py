"""What models say of pictures that they were asked to tag.

Revision ID: 0031
Revises: 0030
"""

from alembic import op

revision = "0031"
down_revision: str | None = "0030"


def upgrade() -> None:
    op.execute(
        """
        create table network_labels (
            model_id bigint not null,
            image_id bigint not null,
            label_id integer not null,
            class_indexes smallint[] not null,
            scores real[] not null,
            created_at timestamptz default now() not null,
            constraint pk_network_labels primary key (model_id, image_id),
            constraint fk_network_labels_model_id foreign key (model_id) references trained_models (id),
            constraint fk_network_labels_image_id foreign key (image_id) references images (id),
            constraint fk_network_labels_label_id foreign key (label_id) references labels (id),
            constraint ck_network_labels_labels_have_scores
                check (cardinality(class_indexes) > 0 and cardinality(class_indexes) = cardinality(scores))
        )
        """
    )
    op.execute("create index ix_network_labels_image_id on network_labels (image_id)")
    op.execute("comment on column network_labels.label_id is 'the likeliest'")
    op.execute("comment on column network_labels.class_indexes is 'of the model''s labels, likeliest first'")
    op.execute("comment on column network_labels.scores is 'their probabilities, calibrated'")
