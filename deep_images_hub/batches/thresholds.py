"""Which checks have a threshold that can be moved, and which setting holds it. Pure."""

import math
from dataclasses import dataclass

from rapidfuzz import process

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.settings import Settings
from deep_images_hub.verdicts import CHECKS, QUALITY_REASONS, REVIEW_REASONS

# Checks that give a score and do not pass below a threshold; the others find something or do not.
THRESHOLD_CHECKS = (*QUALITY_REASONS, *REVIEW_REASONS)


@dataclass(frozen=True)
class ThresholdSetting:
    """The setting that holds a check's threshold for photographs to come.

    Attributes:
        value: what it has to be for the threshold that was asked for.
        current: what it is.
    """

    name: str
    value: float
    current: float


def outcome_below(check_name: str, settings: Settings) -> str:
    """Return what becomes of scores below a check's threshold: `fail`, or `flag`, which keeps the picture."""
    return settings.grayscale_outcome if check_name == "grayscale" else "fail"


def require_threshold(check_name: str, threshold: float) -> None:
    """Raise InvalidInputError unless a check has a threshold, and can have this one."""
    if check_name not in THRESHOLD_CHECKS:
        if check_name == "near_duplicates":
            problem = "The check 'near_duplicates' refuses nothing: no threshold of it moves a picture in or out."
        elif check_name in CHECKS:
            problem = f"The check {check_name!r} gives no score: it has no threshold."
        else:
            nearest = process.extractOne(check_name, THRESHOLD_CHECKS, score_cutoff=60)
            problem = f"There is no check {check_name!r}." + (f" Did you mean {nearest[0]!r}?" if nearest else "")
        raise InvalidInputError(f"{problem} Checks with a threshold: {', '.join(THRESHOLD_CHECKS)}.")
    if not 0 <= threshold <= 1:
        raise InvalidInputError(f"The threshold is {threshold:g}. Expected 0 to 1: scores run from 0, worst, to 1.")


def threshold_setting(check_name: str, threshold: float, settings: Settings) -> ThresholdSetting | None:
    """Return the setting to change so that intake judges by a threshold too; None where no setting holds it."""
    if check_name == "odd_size":
        return ThresholdSetting("min_side_px", math.ceil(threshold * settings.image_side_px), settings.min_side_px)
    name = f"{check_name}_threshold"
    if name not in Settings.model_fields:
        return None
    return ThresholdSetting(name, threshold, getattr(settings, name))
