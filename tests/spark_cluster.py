"""A real Spark cluster for tests: a standalone master and workers, each a process of its own, on ports that the system chose.

    with SparkCluster(folder, workers=2) as cluster:
        cluster.url     spark://127.0.0.1:...

pip's PySpark has no start-master and start-worker; spark-class starts the same classes.
"""

import re
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from deep_images_hub.runtime.spark_submit import QUICK_START, spark_environment
from deep_images_hub.settings import load_settings

_START_TIMEOUT_S = 120
_STOP_TIMEOUT_S = 30
# The daemons say in their log which port they have and whether they found each other.
_LOG_CONFIGURATION = """\
rootLogger.level = info
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %m%n
"""


class SparkCluster:
    """A master and workers of one core and 1 GiB each.

    Attributes:
        url: what --master is given.
        folder: of the daemons' logs, and of `work/`, where each worker keeps what its executors were sent and what they said.
    """

    def __init__(self, folder: Path, *, workers: int) -> None:
        self.url = ""
        self.folder = folder
        self._workers = workers
        self._daemons: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        try:
            self.url = self._start("master", r"spark://127\.0\.0\.1:\d+", "master.Master")
            for number in range(self._workers):
                work = str(self.folder / "work" / str(number))
                arguments = ["-c", "1", "-m", "1g", "-d", work, self.url]
                self._start(f"worker-{number}", "Successfully registered with master", "worker.Worker", *arguments)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def _start(self, name: str, ready: str, daemon: str, *arguments: str) -> str:
        """Start a daemon, and return what matched `ready` in its log."""
        configuration = self.folder / "conf"
        configuration.mkdir(parents=True, exist_ok=True)
        (configuration / "log4j2.properties").write_text(_LOG_CONFIGURATION)
        environment = spark_environment(load_settings({"home": self.folder / "home"}), "local") | {
            "SPARK_CONF_DIR": str(configuration),
            "SPARK_DAEMON_MEMORY": "384m",
            "SPARK_DAEMON_JAVA_OPTS": QUICK_START,
            "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
        }
        process = subprocess.Popen(
            [
                f"{environment['SPARK_HOME']}/bin/spark-class",
                f"org.apache.spark.deploy.{daemon}",
                *("--host", "127.0.0.1", "--port", "0", "--webui-port", "0"),
                *arguments,
            ],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._daemons.append(process)
        return self._wait_for(process, name, ready)

    def _wait_for(self, process: "subprocess.Popen[str]", name: str, ready: str) -> str:
        found: list[str] = []
        is_ready = threading.Event()

        def read() -> None:
            assert process.stderr
            with (self.folder / f"{name}.log").open("w") as log:
                for line in process.stderr:
                    log.write(line)
                    log.flush()
                    if not found and (match := re.search(ready, line)):
                        found.append(match[0])
                        is_ready.set()
            is_ready.set()

        threading.Thread(target=read, name=f"log of {name}", daemon=True).start()
        is_ready.wait(_START_TIMEOUT_S)
        if not found:
            raise RuntimeError(f"Spark's {name} did not start: {(self.folder / f'{name}.log').read_text()}")
        return found[0]

    def _stop(self) -> None:
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
            assert daemon.stderr
            daemon.stderr.close()
