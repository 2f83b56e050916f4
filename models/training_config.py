"""How a training goes: one card (config/training/<name>.toml) per kind of training. Imports no Keras."""

import dataclasses
import tomllib
from dataclasses import dataclass, replace
from typing import Self

from deep_images_hub.errors import SettingsError
from deep_images_hub.resources import resource


@dataclass(frozen=True)
class TrainingConfig:
    """What decides, with the pictures and the seed, which weights come out.

    The number of workers does not, where they divide the batch, and groups of `models.ghost_batch_norm` their shares of it.

    Attributes:
        epochs: at most; the learning rate rises for a tenth of them, then falls to nothing.
        global_batch: pictures of one step, over all workers together.
        learning_rate: Adam's, at its height.
        epsilon: Adam divides each gradient by its usual size plus this. Far below that size it turns the rounding of gradients
            near 0 into whole steps, and then one worker and several drift apart; below normalised convolutions those are many.
        l2: weight of half the sum of the squares of all kernels.
        dropout: share of the features that is hidden from a head, 0..1.
        kept_views: how many views of each picture fine-tuning learns from: the picture, and so many less one distorted ones. 0
            where nothing is fine-tuned.
        patience: epochs without a better loss on the validation split before it stops; the best epoch's weights are kept.
        start_share: how much a network keeps of the weights that it began with: the mean of those and of what it learnt is more
            often right in other places (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", arXiv:2109.01903). 0..1.
        rest_epochs: epochs in which what said when to stop is learned from too, once it has said so; 0: it is not.
        rest_learning_rate: Adam's, at its height, in these.
        has_class_weights: pictures of rare labels count more, so that each label counts the same.
        seed: of initial weights, order and noise.
    """

    epochs: int
    global_batch: int
    learning_rate: float
    epsilon: float
    l2: float
    dropout: float
    kept_views: int
    patience: int
    has_class_weights: bool
    start_share: float = 0.0
    rest_epochs: int = 0
    rest_learning_rate: float = 0.0
    seed: int = 0

    def for_the_rest(self) -> Self:
        """Return the same for the epochs after it is known when to stop."""
        return replace(self, epochs=self.rest_epochs, learning_rate=self.rest_learning_rate)


def load_card(name: str, *, seed: int) -> TrainingConfig:
    """Read the card of a kind of training: `head`, `fine_tune` or `compact_vgg`.

    Raises:
        SettingsError: there is no such card, or its keys are not those of TrainingConfig.
    """
    file = resource(f"config/training/{name}.toml")
    if not file.is_file():
        raise SettingsError(f"There is no training card config/training/{name}.toml.")
    card = tomllib.loads(file.read_text(encoding="utf-8"))
    expected = {field.name for field in dataclasses.fields(TrainingConfig)} - {"seed"}
    if set(card) != expected:
        wrong = ", ".join(sorted(set(card) ^ expected))
        raise SettingsError(
            f"config/training/{name}.toml must have exactly these keys: {', '.join(sorted(expected))}. Look at: {wrong}."
        )
    return TrainingConfig(**card, seed=seed)
