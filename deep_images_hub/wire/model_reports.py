"""A model's report: all that was measured of it on pictures that it never saw."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from deep_images_hub.wire.base import Answer

_Share = float | None


class ReportScores(Answer):
    """How good a model is on the test split. Shares are 0..1; null: not measured for this model."""

    test_images: int
    top1: _Share = Field(description="Share of right answers.")
    top1_interval: tuple[float, float] | None = Field(
        description="95 %, by a bootstrap over groups of pictures that came together."
    )
    k: int | None
    top_k: _Share = Field(description="Share of pictures whose label is among the `k` likeliest answers.")
    family_top1: _Share = Field(
        description="Share of answers that are right, or have a parent label in common with what is; null too where all have one."
    )
    macro_f1: _Share = Field(description="Mean F1 of the labels, each counting the same.")
    macro_f1_interval: tuple[float, float] | None = Field(description="95 %.")
    majority_top1: _Share = Field(description="What always naming the commonest label of the training split would reach.")
    random_features_top1: _Share = Field(
        description="What a head of the same kind reaches on random features of coarse grey pictures: light and layout alone."
    )


class ReportLabel(Answer):
    """How a model does on a label. A share is null where there is nothing to divide by."""

    code: str
    name: str
    support: int = Field(description="Pictures of the test split.")
    precision: _Share
    recall: _Share
    f1: _Share


class ReliabilityBin(Answer):
    """Answers with about the same score."""

    score: float = Field(description="Their mean.")
    accuracy: float
    count: int


class ReportThreshold(Answer):
    """From which score on answers are right as often as wanted; null: from none."""

    precision: float
    score: _Share
    share: _Share = Field(description="Of the answers that reach it.")


class ReportCalibration(Answer):
    """What a model's scores are worth."""

    temperature: float | None = Field(description="That its logits were divided by; null: too few pictures to say.")
    rests_on: Literal["held_out_looks", "validation"] | None = Field(
        description="What gave the temperature: answers on pictures that look like none the answering head had learnt from, as "
        "those of other places do, or the validation split; null: there is none, or it was not written down."
    )
    error: float = Field(description="Expected calibration error.")
    error_before: float | None = Field(description="The same before the temperature.")
    bins: list[ReliabilityBin]
    thresholds: list[ReportThreshold]
    threshold_images: int | None = Field(
        default=None, description="How many pictures the thresholds rest on, held out by look; null: they rest on the test split."
    )


class ReportNoneOfThese(Answer):
    """From where on a picture is said to look like nothing the model learned from.

    Things of another kind are told; what looks much like a label hardly is.
    """

    threshold: float = Field(description="Least cosine between a picture's features and the nearest looks of any label.")
    rests_on: Literal["held_out_looks", "validation"] = Field(description="The known pictures of which 95 % reach the threshold.")
    images: int = Field(description="How many these were.")
    test_share: _Share = Field(description="Of the test split's pictures that reach it.")


class ReportFineTuning(Answer):
    """How a fine-tuned network and the head that it began with did on pictures that neither had learnt from."""

    top1: _Share = Field(description="Of these pictures that the fine-tuned network was right on; null: there was none.")
    head_top1: _Share = Field(description="The same of the head alone.")
    images: int = Field(description="How many they were.")
    is_published: bool = Field(
        description="Whether the model is the fine-tuned network; else it is the head alone: it did clearly better."
    )
    is_whole: bool = Field(
        default=False, description="Whether the fine-tuned network then learned from these pictures too: this was before that."
    )


class CurvePoint(Answer):
    """What a part of the training split gave."""

    images: float = Field(description="Training pictures a label, on average.")
    accuracy: float


class ReportNeed(Answer):
    """How many more training pictures a label is expected to need; null: more than can be foreseen. low, high: 80 %."""

    low: int | None
    likely: int | None
    high: int | None


class ReportGoal(Answer):
    """What an accuracy is expected to need."""

    accuracy: float
    needs: dict[str, ReportNeed] = Field(description="By label code.")


class ReportCurve(Answer):
    """How accuracy grows with pictures: it is about `1 - floor - scale * images ** -exponent`."""

    points: list[CurvePoint]
    floor: float
    scale: float
    exponent: float
    twice: float = Field(description="Accuracy expected of twice the training pictures.")
    twice_interval: tuple[float, float] = Field(description="80 %.")
    train_counts: dict[str, int] = Field(description="Training pictures by label code.")
    goals: list[ReportGoal]


class ReportExample(Answer):
    """An answer on a picture of the test split that everybody may still see."""

    sha256: str
    truth: str = Field(description="Code of the label that the dataset gives it.")
    said: str = Field(description="Code of the answer.")
    score: float
    evidence: list[list[int]] = Field(
        description="How much each place of the middle of the picture speaks for the answer, by row: 0 to 99."
    )
    nearest: list[str] = Field(description="sha256s of training pictures that a wrong answer can be traced to.")


class ReportFile(Answer):
    """A file of the model."""

    name: str
    sha256: str


class ModelReport(Answer):
    """A model with all that was measured of it. Lists by class index: `labels`, and rows and columns of `confusion`."""

    model_id: int
    run_id: int
    version_name: str
    version_digest: str
    backbone: str
    weights: str = Field(description="Where its first weights came from: `imagenet`, `sha256:...` or `scratch`.")
    made: str = Field(description="How it was made, for people.")
    created_at: datetime
    images: dict[str, int] = Field(description="By split; empty: not written down.")
    taken_down: int = Field(description="Pictures that it learnt from or was tested on, and that were taken down since.")
    scores: ReportScores
    labels: list[ReportLabel]
    confusion: list[list[int]] = Field(description="Rows are the truth, columns what was said.")
    calibration: ReportCalibration | None
    none_of_these: ReportNoneOfThese | None = Field(description="null: it names a label of whatever it sees.")
    fine_tuning: ReportFineTuning | None = Field(description="null: only a head was trained, or it was not written down.")
    learning_curve: ReportCurve | None
    wrong: list[ReportExample] = Field(description="Mistakes, the surest first.")
    right: list[ReportExample] = Field(description="Right answers, from sure to unsure.")
    files: list[ReportFile]
