"""Training requests and the models that come of them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from deep_images_hub.wire.base import Answer, Asked, Page, PageAsked
from deep_images_hub.wire.pictures import Picture


class ShortLabel(Answer):
    """A label with too few pictures to learn from: how many there are for training, and how many are needed."""

    code: str
    name: str
    have: int
    need: int


class Run(Answer):
    """A request for a baseline model, and how far it is."""

    id: int
    version_id: int
    backbone: str
    method: str = Field(description="`head` or `fine_tune`.")
    workers: int
    status: str = Field(description="`waiting` (for pictures), `queued`, `running`, `succeeded`, `failed` or `cancelled`.")
    has_ended: bool
    message: str | None = Field(description="For people: the last thing that happened, or why it failed.")
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    repeats: int | None = Field(description="The request that was asked for again by this one.")
    failure: str | None = Field(
        description="Why it failed, for good or until it is tried again: `unusable` (what was asked for), `outside` (something "
        "that it needs could not be had), `lost` (whoever ran it is gone) or `defect` (a mistake of ours)."
    )
    not_before: datetime | None = Field(description="When it is tried again, where it waits for that.")
    lacking: list[ShortLabel] | None = Field(default=None, description="What it waits for; null: it waits for no pictures.")
    model_id: int | None = Field(description="null: no model yet.")


class Stage(Answer):
    """How far a stage of a run is."""

    name: str
    done: int
    total: int
    left_s: float | None = Field(
        default=None, description="About how many seconds it goes on, at its rate so far; null: nobody can tell."
    )


class RunChange(Answer):
    """That a run came to a status. attempt: in which try; 0: before the first."""

    attempt: int
    status: str
    failure: str | None
    message: str | None
    created_at: datetime


class RunDetail(Run):
    """A run with its stages, and all that became of it."""

    runs_before: int | None = Field(description="How many are likely to be trained before it; null: it is not queued.")
    changes: list[RunChange]
    stages: list[Stage]
    losses: dict[str, list[float]] = Field(description="By name, epoch by epoch.")


class RunPage(Page):
    """A part of a list of runs, newest first."""

    runs: list[Run]


class TrainAsked(Asked):
    """A model to train."""

    backbone: str | None = Field(default=None, max_length=100, description="Left out: the hub's own.")
    method: Literal["head", "fine_tune"] | None = Field(
        default=None, description="Of a pretrained network: its head alone, or its top blocks too. Left out: the hub's usual one."
    )
    wait: bool = Field(default=False, description="Where there are too few pictures to train on, wait until there are enough.")


class ModelLabel(Answer):
    """How a model does on one label of the test split. A share is null where there is nothing to divide by."""

    code: str
    name: str
    precision: float | None
    recall: float | None
    support: int


class Model(Answer):
    """A trained model."""

    id: int
    run_id: int
    version_id: int
    version_name: str
    version_digest: str
    backbone: str
    weights: str = Field(description="Where its first weights came from: `imagenet`, `sha256:...` or `scratch`.")
    label_codes: list[str] = Field(description="By class index.")
    test_top1: float | None = Field(description="Share of right answers on the test split, 0..1.")
    test_top1_interval: tuple[float, float] | None = Field(description="95 %.")
    created_at: datetime


class ModelFile(Answer):
    """A file of a model."""

    kind: str = Field(description="`keras`, `saved_model` (a zip), `onnx`, `litert`, `litert_int8` or `labels`.")
    name: str
    sha256: str
    size_bytes: int | None = Field(description="null: of a model from before sizes were kept.")
    url: str


class ModelDetail(Model):
    """A model with its report."""

    labels: list[ModelLabel] = Field(description="By recall, from the lowest.")
    metrics: dict[str, Any] = Field(description="What was measured on the test split; examples: see the report.")
    taken_down: int = Field(description="Pictures that it learnt from or was tested on, and that were taken down since.")
    files: list[ModelFile]


class ModelPage(Page):
    """A part of the list of models, newest first."""

    models: list[Model]


class Prediction(Answer):
    """A label that a picture may show.

    Attributes:
        score: its probability, 0..1.
        evidence: rows of what each place of the middle square of the picture adds to the label's logit; below 0 it speaks
            against it. None: the model's file does not say.
    """

    label: str
    name: str
    score: float
    evidence: list[list[float]] | None = None


class Predictions(Answer):
    """What a picture shows, as far as a model can tell, likeliest first."""

    answers: list[Prediction]
    is_none_of_these: bool | None = Field(
        default=None,
        description="Whether the picture looks like nothing the model learned from, so that the answers are probably all wrong; "
        "null: the model cannot say. Things of another kind are noticed, look-alikes of its labels mostly are not.",
    )
    nearest_known: float | None = Field(
        default=None, description="The cosine between the picture's features and the nearest looks of any label."
    )
    nearest_known_threshold: float | None = Field(default=None, description="Below it the picture is none of these.")
    scores_rest_on: Literal["held_out_looks", "validation"] | None = Field(
        default=None,
        description="The pictures on which the scores were brought in line, as in the model's report; null: none, or not known.",
    )


class ComparisonAsked(Asked):
    """Which models are compared."""

    models: str = Field(max_length=60, description="The numbers of two models, with a comma between them: the first, the second.")


class Reproducible(Answer):
    """What gives the same model again. null: not known, of models from before it was written down."""

    data_digest: str
    seed: int | None
    backbone: str
    weights: str
    method: str
    workers: int
    code_version: str | None
    code_commit: str | None
    code_is_changed: bool | None = Field(description="Whether the code was changed since that commit.")


class ComparedModel(Answer):
    """A model of a comparison."""

    id: int
    version_id: int
    version_name: str
    test_top1: float | None
    test_top1_interval: tuple[float, float] | None
    macro_f1: float | None
    reproducible: Reproducible


class DataDifference(Answer):
    """Pictures that only the second dataset has, only the first one, or both, in another split or under another label."""

    added: int
    removed: int
    moved: int
    relabelled: int


class Gain(Answer):
    """By how much the share of right answers of the second model is higher."""

    difference: float
    low: float = Field(description="Of the 95 % interval.")
    high: float
    is_beyond_chance: bool = Field(description="The interval leaves 0 out.")
    images: int | None = Field(description="Pictures that both were tested on; null: each was tested on its own.")
    only_a: int | None = Field(description="Of those, right by the first alone.")
    only_b: int | None


class LabelChange(Answer):
    """How much more of a label's test pictures the second model finds."""

    code: str
    name: str
    recall_a: float | None
    recall_b: float | None
    change: float | None
    support_a: int
    support_b: int


class Comparison(Answer):
    """Two models side by side."""

    a: ComparedModel
    b: ComparedModel
    data: DataDifference | None = Field(description="null: the same dataset.")
    on_shared: Gain | None = Field(description="On the pictures that both were tested on; null: there are none.")
    on_own: Gain | None = Field(description="By the test of each; null: one was not measured.")
    labels: list[LabelChange] = Field(description="The largest change first.")


class AnsweredPicture(Picture):
    """A picture of a model's test split, and what the model says of it."""

    truth: str = Field(description="The code of the label that the dataset gives it.")
    said: str = Field(description="The code of the likeliest answer.")
    score: float
    truth_rank: int = Field(description="The place of the right answer among all; 1 is right.")


class AnsweredPage(Page):
    """A part of a model's answers, the surest first."""

    pictures: list[AnsweredPicture]


class AnswersAsked(PageAsked):
    """Which answers: with both a cell of the confusion matrix; with one of them, or none, the mistakes."""

    truth: str | None = Field(default=None, max_length=500, description="A label's code: of its pictures.")
    said: str | None = Field(default=None, max_length=500, description="A label's code: where the model says it.")
