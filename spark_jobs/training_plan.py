"""What a training is to do, as the driver sends it to every worker."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from deep_images_hub.settings import Settings
from models.training_config import TrainingConfig, load_card
from spark_jobs.training_set import TrainingSet

if TYPE_CHECKING:
    from models.regularisation import HeadChoice


@dataclass(frozen=True)
class TrainingPlan:
    """What each worker needs to know.

    Attributes:
        settings: resolved; workers open the catalogue and the store by them.
        features_model: whose features a head is trained on; None: `backbone` is trained from scratch on pictures.
        weights_sha256: of the backbone's pretrained weights; None: it has none.
        fine_tuned_head: kernel and bias, for features as they are, from which the backbone's top blocks are trained too;
            None: they are not.
        held_out: ids of the pictures that are the validation split instead of the version's own (`models.look_folds`); None: its
            own is.
        head_choice: what of the head's `config` was chosen by looks held out, and its temperature; None: it is the card's.
    """

    settings: Settings
    run_id: int
    attempt: int
    version_id: int
    version_digest: str
    backbone: str
    features_model: str | None
    config: TrainingConfig
    weights_sha256: str | None = None
    fine_tuned_head: list[NDArray[np.float32]] | None = None
    head_choice: "HeadChoice | None" = None
    held_out: frozenset[int] | None = None

    @property
    def stage(self) -> str:
        """What the progress of this training is told as."""
        return "train" if self.fine_tuned_head is None else "fine_tune"

    def training_set(self, connection: Connection) -> TrainingSet:
        """Read what is learned from."""
        training_set = TrainingSet.of_version(connection, self.version_id)
        return training_set if self.held_out is None else training_set.holding_out(self.held_out)

    def fine_tuned_from(self, head: list[NDArray[np.float32]], held_out: frozenset[int] | None = None) -> Self:
        """Return the plan of what follows when this one's head is trained: labels go on counting as they did for the head."""
        card = load_card("fine_tune", seed=self.config.seed)
        config = replace(card, has_class_weights=card.has_class_weights or self.config.has_class_weights)
        return replace(self, fine_tuned_head=head, held_out=held_out, config=config)
