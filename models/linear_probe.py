"""Softmax regression on kept features, in seconds: what asks "and with half as many pictures?" many times over.

The model that is handed out is trained by `models.train_loop` over Spark; this is the same kind of classifier, solved to the
end on one machine.
"""

import numpy as np
from numpy.typing import NDArray

_MAX_ITERATIONS = 200
# Of the gradient: the accuracy no longer moves long before.
_TOLERANCE = 1e-4


def fit_probe(
    features: NDArray[np.floating],
    class_index: NDArray[np.integer],
    class_count: int,
    *,
    l2: float,
    weight: NDArray[np.float32] | None = None,
    start: list[NDArray[np.float32]] | None = None,
) -> list[NDArray[np.float32]]:
    """Fit a linear classifier by L-BFGS.

    Args:
        features: (n, d), centred and scaled (`models.head.FeatureScale`).
        class_index: (n,); classes may be missing.
        l2: weight of half the sum of the kernel's squares beside the mean cross-entropy; above 0.
        weight: (n,), how much each example counts, 1 on average; None: all the same.
        start: kernel and bias to begin from, which only shortens the way; None: nothing.

    Returns:
        Kernel (d, class_count) and bias, as `class_probabilities` takes them.
    """
    # Here, as in `models.calibration`.
    from scipy.optimize import minimize

    rows = np.ascontiguousarray(features, np.float32)
    feature_count = rows.shape[1]
    truth = np.zeros((len(rows), class_count), np.float32)
    truth[np.arange(len(rows)), class_index] = 1
    shares = np.full((len(rows), 1), 1 / len(rows), np.float32) if weight is None else weight[:, np.newaxis] / len(rows)

    def loss_and_gradient(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.astype(np.float32).reshape(feature_count + 1, class_count)
        kernel, bias = weights[:-1], weights[-1]
        logits = rows @ kernel + bias
        logits -= logits.max(axis=1, keepdims=True)
        log_sums = np.log(np.exp(logits).sum(axis=1, keepdims=True))
        error = (np.exp(logits - log_sums) - truth) * shares
        loss = float(((log_sums - logits) * truth * shares).sum(dtype=np.float64) + l2 / 2 * np.square(kernel).sum())
        gradient = np.vstack([rows.T @ error + l2 * kernel, error.sum(axis=0)])
        return loss, gradient.ravel().astype(np.float64)

    first = np.zeros((feature_count + 1, class_count)) if start is None else np.vstack(start).astype(np.float64)
    solved = minimize(
        loss_and_gradient, first.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": _MAX_ITERATIONS, "gtol": _TOLERANCE}
    )
    weights = solved.x.reshape(feature_count + 1, class_count).astype(np.float32)
    return [weights[:-1], weights[-1]]


def class_probabilities(weights: list[NDArray[np.float32]], features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return what a head's kernel (d, classes) and bias say of features (n, d): rows sum to 1."""
    kernel, bias = weights
    logits = features.astype(np.float32) @ kernel + bias
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)
