"""What an MLflow server is told. The server here is a small one that checks the documented shapes, no MLflow."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deep_images_hub.catalogue.training import TrainingEvent, TrainingRun
from deep_images_hub.mlflow_tracking import track
from deep_images_hub.settings import Settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = TrainingRun(
    id=7, version_id=1, requested_by=None, backbone="vgg16", method="head", workers=2, status="succeeded", message=None,
    attempt=1, lease_owner=None, lease_until=None, created_at=NOON, started_at=NOON,
    finished_at=NOON + timedelta(minutes=2), repeats=None, failure=None, failures=0, not_before=None, lacking=None,
)  # fmt: skip
MODEL = {
    "backbone": "vgg16",
    "weights": "imagenet",
    "label_codes": ["a", "b"],
    "metrics": {"test_top1": 0.75, "seed": 3, "per_class": [], "code": {"version": "0.1.0", "commit": None}},
}
EVENTS = [
    TrainingEvent(epoch, 1, "train", epoch, 600, {"loss": 1 / epoch, "validation_loss": 2 / epoch}, NOON)
    for epoch in range(1, 601)
]


class Server(ThreadingHTTPServer):
    """Answers as MLflow's documentation says, and remembers what it was sent: (method, path, body)."""

    def __init__(self, *, refused: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.refused = refused
        self.told: list[tuple[str, str, dict]] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})

    def do_POST(self) -> None:
        said = {
            "experiments/create": {"experiment_id": "5"},
            "runs/create": {"run": {"info": {"run_id": "f00", "artifact_uri": "mlflow-artifacts:/5/f00/artifacts"}}},
        }
        asked = self.path.removeprefix("/api/2.0/mlflow/")
        self._answer(507 if asked.startswith(self.server.refused) else 200, said.get(asked, {}))

    def do_PUT(self) -> None:
        self._answer(200, {})

    def _answer(self, status: int, said: dict) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.told.append((self.command, self.path, json.loads(body) if body else {}))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator:
    servers: list[Server] = []

    def start(*, refused: str = "nothing") -> tuple[Server, Settings]:
        server = Server(refused=refused)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return server, Settings(mlflow_url=f"http://127.0.0.1:{server.server_port}/")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_server_is_told_of_settings_epochs_results_and_the_report(serve) -> None:
    server, settings = serve()

    assert track(settings, RUN, MODEL, EVENTS, "d" * 64)

    assert [(method, path.partition("?")[0].removeprefix("/api/2.0/")) for method, path, _ in server.told] == [
        ("GET", "mlflow/experiments/get-by-name"),
        ("POST", "mlflow/experiments/create"),
        ("POST", "mlflow/runs/create"),
        ("POST", "mlflow/runs/log-batch"),
        ("POST", "mlflow/runs/log-batch"),
        ("POST", "mlflow/runs/log-batch"),
        ("PUT", "mlflow-artifacts/artifacts/5/f00/artifacts/report.json"),
        ("POST", "mlflow/runs/update"),
    ]
    _, _, created, params, first, second, report, ended = [body for _, _, body in server.told]
    assert (created["experiment_id"], created["start_time"]) == ("5", round(NOON.timestamp() * 1000))
    assert {"key": "dataset_digest", "value": "d" * 64} in params["params"]
    assert {"key": "seed", "value": "3"} in params["params"]
    assert len(first["metrics"]) == 1000, "the most that one request may hold"
    metrics = [*first["metrics"], *second["metrics"]]
    assert metrics[2] == {"key": "loss", "value": 0.5, "timestamp": round(NOON.timestamp() * 1000), "step": 2}
    assert {(of["key"], of["value"]) for of in metrics[-2:]} == {("final_test_top1", 0.75), ("final_seed", 3.0)}
    assert report == MODEL["metrics"]
    assert (ended["run_id"], ended["status"]) == ("f00", "FINISHED")


def test_server_that_refuses_or_is_away_is_passed_over(serve, capsys: pytest.CaptureFixture) -> None:
    _, full = serve(refused="")
    away = Settings(mlflow_url="http://ann:my-password@127.0.0.1:9")

    assert not track(full, RUN, MODEL, EVENTS, "d" * 64)
    assert not track(away, RUN, MODEL, EVENTS, "d" * 64)
    said = capsys.readouterr()
    assert "my-password" not in said.out + said.err


def test_run_of_which_not_everything_could_be_told_does_not_stay_one_that_goes_on(serve) -> None:
    server, settings = serve(refused="runs/log-batch")

    assert not track(settings, RUN, MODEL, EVENTS, "d" * 64)

    _, path, ended = server.told[-1]
    assert (path, ended["run_id"], ended["status"]) == ("/api/2.0/mlflow/runs/update", "f00", "FAILED")


def test_epochs_of_fine_tuning_are_told_apart_from_those_of_the_head(serve) -> None:
    server, settings = serve()
    stages = [("train", "loss"), ("fine_tune", "loss"), ("rest", "rest_loss"), ("evaluate", "test_top1")]
    events = [TrainingEvent(at, 1, stage, 2, 6, {name: 0.5}, NOON) for at, (stage, name) in enumerate(stages)]

    assert track(settings, RUN, MODEL, events, "d" * 64)

    metrics = [of for _, _, body in server.told for of in body.get("metrics", []) if not of["key"].startswith("final_")]
    assert [(of["key"], of["step"]) for of in metrics] == [("loss", 2), ("fine_tune_loss", 2), ("rest_loss", 2), ("test_top1", 0)]


def test_nobody_is_told_without_a_setting() -> None:
    assert not track(Settings(), RUN, MODEL, EVENTS, "d" * 64)
