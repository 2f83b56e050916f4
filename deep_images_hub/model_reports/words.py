"""What a model's page and its reports say of its scores and of "none of these", in the same words. Pure."""

from deep_images_hub.wire.model_reports import ReportCalibration, ReportFineTuning, ReportNoneOfThese

_PURPOSE = "A baseline shows what the pictures can teach; it is not meant to decide anything on its own."


def percent(value: float | None) -> str:
    """Return a share of 0..1 as percent; a dash where it was not measured."""
    return "-" if value is None else f"{100 * value:.1f} %"


def made_words(weights: str, mode: str | None) -> str:
    """Say how a model was made, as what it is: a network trained on a few hundred pictures alone is no ImageNet network.

    Args:
        weights: where its first weights came from: `imagenet`, `sha256:...` or `scratch`.
        mode: `head_on_features`, `fine_tuned` or `from_scratch`; None, of models from before it was written down: a head.
    """
    if weights == "scratch":
        return "trained from scratch on these pictures alone, without pretrained weights"
    pretrained = "ImageNet's pretrained weights" if weights == "imagenet" else "pretrained weights"
    return f"top blocks fine-tuned from {pretrained}" if mode == "fine_tuned" else f"a head on features of {pretrained}"


def fine_tuning_words(found: ReportFineTuning) -> str:
    """Say how fine-tuning did beside the head alone, and which of the two was published."""
    if found.top1 is None:
        return "It was fine-tuned; no picture was left to hold it against the head alone."
    shares = (
        f"{percent(found.top1)} of {found.images:,} pictures that were held out, the head alone on {percent(found.head_top1)}"
    )
    if found.is_published and found.head_top1 is not None and found.top1 < found.head_top1:
        shares += ", which so few cannot tell apart"
    if found.is_published and found.is_whole:
        return (
            f"Fine-tuned, it was right on {shares}. Its scores were set by these; then it learned from them too, and was asked "
            "about no others of that kind again."
        )
    if found.is_published:
        return f"Fine-tuned, it was right on {shares}."
    return f"Fine-tuned, it was right on {shares}: so this is the head alone."


def scores_words(calibration: ReportCalibration) -> str:
    """Say how far off a model's scores are, and on what pictures they were set, and the scores to take."""
    if calibration.threshold_images is not None:
        taken = f"The scores to take were found on {calibration.threshold_images:,} such pictures."
    else:
        taken = "The scores to take were found on the test split: of pictures that were taken elsewhere fewer may be right."
    return f"Its scores are off by {percent(calibration.error)} on average{_temperature_words(calibration)} {taken}"


def _temperature_words(calibration: ReportCalibration) -> str:
    if calibration.temperature is None:
        return "; there were too few pictures to bring them in line."
    if calibration.rests_on == "held_out_looks":
        return (
            ". They were set on pictures that look like none it had learnt from, as pictures of other places do: where they were "
            "taken in the same places as these, it is right more often than it says."
        )
    if calibration.rests_on == "validation":
        return ". They were set on the validation split: of pictures that were taken elsewhere they may promise too much."
    return "."


def none_of_these_words(found: ReportNoneOfThese) -> str:
    """Say when a model answers "none of these", and how far that can be relied upon."""
    known = "that look like none it had learnt from" if found.rests_on == "held_out_looks" else "of the validation split"
    of_test = "" if found.test_share is None else f", and {percent(found.test_share)} of its test pictures"
    return (
        f"It answers “none of these” when the features of a picture come no nearer than {found.threshold:.3f} (as a cosine, "
        f"`nearest_known`) to the looks that it learned from. 95 % of {found.images:,} pictures {known} pass{of_test}. It "
        "notices things of another kind; what looks much like one of its labels mostly passes for it. Of its files, only the "
        "ONNX one can say so."
    )


def purpose_words(none_of_these: ReportNoneOfThese | None) -> str:
    """Say what a model is for, and what becomes of pictures of something else."""
    if none_of_these is None:
        return f"{_PURPOSE} It knows its labels alone: of a picture of something else it names the one that comes nearest."
    return (
        f"{_PURPOSE} It knows its labels alone: of a picture of something else it names the one that comes nearest, and says "
        "“none of these” only where the picture is of another kind."
    )
