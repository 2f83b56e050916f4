"""What a model's page and its reports say of its scores and of "none of these", in the same words. Pure."""

from deep_images_hub.wire.model_reports import ReportCalibration, ReportNoneOfThese

_PURPOSE = "A baseline shows what the pictures can teach; it is not meant to decide anything on its own."


def percent(value: float | None) -> str:
    """Return a share of 0..1 as percent; a dash where it was not measured."""
    return "-" if value is None else f"{100 * value:.1f} %"


def scores_words(calibration: ReportCalibration) -> str:
    """Say how far off a model's scores are, and on what pictures they were set."""
    off = f"Its scores are off by {percent(calibration.error)} on average"
    if calibration.temperature is None:
        return f"{off}; there were too few pictures to bring them in line."
    if calibration.rests_on == "held_out_looks":
        return (
            f"{off}. They were set on pictures that look like none it had learnt from, as pictures of other places do: where "
            "they were taken in the same places as these, it is right more often than it says."
        )
    if calibration.rests_on == "validation":
        return f"{off}. They were set on the validation split: of pictures that were taken elsewhere they may promise too much."
    return f"{off}."


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
