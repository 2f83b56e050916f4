"""How far a measured share may be from the true one. Plain numbers: imports no Keras."""

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

# Standard deviations on either side of 95 % of a normal distribution.
_Z_95 = 1.959964
_RESAMPLED = 1000


def wilson_interval(right_count: int, count: int) -> list[float]:
    """Return the interval that holds the true accuracy with 95 % confidence, when pictures are independent.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953. Unlike the normal approximation it is honest near 0 and 1 and for few
    pictures.
    """
    share = right_count / count
    spread = _Z_95**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = _Z_95 * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return [max(0.0, middle - half), min(1.0, middle + half)]


def bootstrap_interval(
    measure: Callable[[NDArray[np.int64]], float], groups: NDArray[np.integer], *, seed: int = 0
) -> list[float]:
    """Return the interval that holds what is measured with 95 % confidence, when groups are independent, their members not.

    Source: Efron 1979, percentile method, with whole groups drawn ("cluster bootstrap").

    Args:
        measure: what is wanted, of pictures given by position; a picture may come several times.
        groups: (n,) the group of each picture; n at least 1.
    """
    draws = [measure(chosen) for chosen in redrawn(groups, times=_RESAMPLED, seed=seed)]
    return [float(bound) for bound in np.quantile(draws, (0.025, 0.975))]


def redrawn(groups: NDArray[np.integer], *, times: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of as many groups as there are, drawn with replacement, so many times.

    Args:
        groups: (n,) the group of each position; n at least 1.
    """
    random = np.random.default_rng(seed)
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    for _ in range(times):
        yield np.concatenate([members[at] for at in random.integers(0, len(members), len(members))])
