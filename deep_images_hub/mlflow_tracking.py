"""Tell an MLflow server of training runs that succeeded, over its documented REST interface (version 2.0).

Told once, after a run has ended and its model is written down: a server that is away or refuses costs a line in the log, never a
run. Its own client would bring far more packages than these five requests need.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from deep_images_hub.catalogue.training import TrainingEvent, TrainingRun
from deep_images_hub.logs import open_log
from deep_images_hub.settings import Settings
from deep_images_hub.training import STAGES

_TIMEOUT_S = 10.0
_API = "/api/2.0/mlflow"
# What one log-batch takes.
_MOST_METRICS = 1_000
# Of what an MLflow server keeps behind its own address: its artifact proxy.
_PROXIED = "mlflow-artifacts"
# Of metrics whose names and epochs another stage has too.
_PREFIXES = {"fine_tune": "fine_tune_"}

log = open_log(__name__)


def track(settings: Settings, run: TrainingRun, model: Mapping[str, Any], events: Sequence[TrainingEvent], digest: str) -> bool:
    """Tell the server that the settings name of a run. Returns whether it was told; without a setting nobody is.

    Args:
        model: its `backbone`, `weights`, `label_codes` and `metrics`.
        events: of the attempt that succeeded, with the metrics of each epoch.
        digest: of the dataset version.
    """
    if settings.mlflow_url is None:
        return False
    server = settings.mlflow_url.get_secret_value().rstrip("/")
    try:
        with requests.Session() as session:
            _tell(session, server, settings.mlflow_experiment, run, model, events, digest)
    except (requests.RequestException, KeyError, ValueError) as error:
        # An address may hold a password, and so may the words of the error.
        host = urlsplit(server).hostname
        log.warning("mlflow_not_told", run_id=run.id, host=host, error=type(error).__name__)
        return False
    return True


def _tell(
    session: requests.Session,
    server: str,
    experiment: str,
    run: TrainingRun,
    model: Mapping[str, Any],
    events: Sequence[TrainingEvent],
    digest: str,
) -> None:
    started = _milliseconds(run.started_at or run.created_at)
    asked = {
        "experiment_id": _experiment(session, server, experiment),
        "run_name": f"run {run.id}",
        "start_time": started,
        "tags": [{"key": "deep_images_hub.run", "value": str(run.id)}],
    }
    info = _post(session, f"{server}{_API}/runs/create", asked)["run"]["info"]
    mlflow_id, metrics = info["run_id"], list(_metrics(model["metrics"], events, started))
    try:
        _describe(session, server, info, run, model, digest, metrics)
    except (requests.RequestException, ValueError):
        # A server that is away cannot be told that either.
        with suppress(requests.RequestException):
            _end(session, server, mlflow_id, "FAILED", run)
        raise
    _end(session, server, mlflow_id, "FINISHED", run)


def _describe(
    session: requests.Session,
    server: str,
    info: Mapping[str, Any],
    run: TrainingRun,
    model: Mapping[str, Any],
    digest: str,
    metrics: Sequence[Mapping[str, Any]],
) -> None:
    """Tell of a run that the server has made: `info` is its word for it."""
    mlflow_id = info["run_id"]
    _post(session, f"{server}{_API}/runs/log-batch", {"run_id": mlflow_id, "params": _params(run, model, digest)})
    for at in range(0, len(metrics), _MOST_METRICS):
        _post(session, f"{server}{_API}/runs/log-batch", {"run_id": mlflow_id, "metrics": metrics[at : at + _MOST_METRICS]})
    place = urlsplit(info.get("artifact_uri", ""))
    if place.scheme == _PROXIED:
        address = f"{server}/api/2.0/mlflow-artifacts/artifacts/{place.path.strip('/')}/report.json"
        session.put(address, json=model["metrics"], timeout=_TIMEOUT_S).raise_for_status()
    else:
        log.info("mlflow_keeps_artifacts_elsewhere", run_id=run.id, scheme=place.scheme)


def _end(session: requests.Session, server: str, mlflow_id: str, status: str, run: TrainingRun) -> None:
    ended: dict[str, Any] = {"run_id": mlflow_id, "status": status}
    if run.finished_at is not None:
        ended |= {"end_time": _milliseconds(run.finished_at)}
    _post(session, f"{server}{_API}/runs/update", ended)


def _experiment(session: requests.Session, server: str, name: str) -> str:
    """Return the id of an experiment, which is made where it is not there."""
    answer = session.get(f"{server}{_API}/experiments/get-by-name", params={"experiment_name": name}, timeout=_TIMEOUT_S)
    if answer.status_code == requests.codes.not_found:
        return str(_post(session, f"{server}{_API}/experiments/create", {"name": name})["experiment_id"])
    answer.raise_for_status()
    return str(answer.json()["experiment"]["experiment_id"])


def _post(session: requests.Session, address: str, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = session.post(address, json=body, timeout=_TIMEOUT_S)
    answer.raise_for_status()
    said: dict[str, Any] = answer.json()
    return said


def _params(run: TrainingRun, model: Mapping[str, Any], digest: str) -> list[dict[str, str]]:
    metrics = model["metrics"]
    code = metrics.get("code") or {}
    said = {
        "backbone": model["backbone"],
        "weights": model["weights"],
        "method": run.method,
        "workers": run.workers,
        "labels": len(model["label_codes"]),
        "dataset_digest": digest,
        "seed": metrics.get("seed"),
        "code_version": code.get("version"),
        "code_commit": code.get("commit"),
    }
    return [{"key": name, "value": str(value)} for name, value in said.items() if value is not None]


def _metrics(final: Mapping[str, Any], events: Iterable[TrainingEvent], at_ms: int) -> Iterator[dict[str, Any]]:
    """Yield each epoch's metrics, the epoch as their step, then those of the test."""
    for event in events:
        prefix, step = _PREFIXES.get(event.stage, ""), event.done if STAGES[event.stage].unit == "epochs" else 0
        for name, value in event.metrics.items():
            at_event_ms = _milliseconds(event.created_at)
            yield {"key": f"{prefix}{name}", "value": float(value), "timestamp": at_event_ms, "step": step}
    for name, value in final.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield {"key": f"final_{name}", "value": float(value), "timestamp": at_ms, "step": 0}


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)
