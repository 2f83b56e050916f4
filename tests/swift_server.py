"""A real S3 service for tests: OpenStack Swift with its s3api, from the PyPI package `swift`, in one process and one folder.

    python -m tests.swift_server DIR [PORT]        serves until Ctrl-C; DIR may be used again and keeps its objects

In tests: the fixture `swift` (conftest.py), or `with SwiftServer(folder) as swift: swift.settings(bucket="hub")`. Swift's four
servers (proxy, account, container, object) run as green threads of one child process, each on a port that the system chose. It
needs Linux and a file system with extended attributes.
"""

import argparse
import errno
import json
import os
import socket
import subprocess
import sys
import uuid
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

ACCESS_KEY_ID = "test:tester"
SECRET_ACCESS_KEY = "not-a-secret"
REGION = "us-east-1"

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

_STOP_TIMEOUT_S = 15.0
_STORAGE_SERVERS = ("account", "container", "object")

# Generous timeouts: on a busy machine Swift would else put off the update of a listing, and nobody here would ever do it.
_STORAGE_CONFIG = """\
[DEFAULT]
swift_dir = {etc}
devices = {devices}
mount_check = false
disable_fallocate = true
log_level = ERROR
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
conn_timeout = 60
node_timeout = 60
container_update_timeout = 60
"""
_PROXY_CONFIG = """\
[DEFAULT]
swift_dir = {etc}
log_level = ERROR
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats s3api tempauth copy slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
conn_timeout = 60
node_timeout = 60
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = {region}
check_bucket_owner = false
[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
"""
_SWIFT_CONFIG = """\
[swift-hash]
swift_hash_path_suffix = tests
swift_hash_path_prefix = tests
[storage-policy:0]
name = one
default = yes
"""


class SwiftServer:
    """An S3 service as a context manager. Its process ends with the context, and with the process that started it.

    Attributes:
        endpoint_url: where it listens, e.g. `http://127.0.0.1:40123`.
    """

    def __init__(self, folder: Path) -> None:
        """Prepare a server that keeps everything in a folder, which need not exist.

        Raises:
            RuntimeError: this machine cannot run it; the message says why.
        """
        _check_platform(folder)
        self.folder = folder
        self.endpoint_url = ""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        log = self.folder / "server.log"
        with log.open("a") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.swift_server", str(self.folder), "--until-stdin-closes"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                cwd=Path(__file__).parent.parent,
            )
        assert self._process.stdout is not None
        # The child says one line when it serves, or closes its output by dying.
        answer = self._process.stdout.readline()
        if not answer:
            self.__exit__(None, None, None)
            raise RuntimeError(f"Swift did not start. Its log says:\n{log.read_text()[-3000:]}")
        self.endpoint_url = answer.strip()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        assert self._process is not None
        process, self._process = self._process, None
        process.terminate()
        try:
            process.communicate(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    def kill(self) -> None:
        """End the process as the kernel does when memory runs out. Another server may take up the folder, elsewhere."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def client(self) -> Any:
        """Return a boto3 client with the right credentials, for looking behind the back of the code under test."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def new_bucket(self) -> str:
        """Create an empty bucket and return its name."""
        bucket = f"hub-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=bucket)
        return bucket

    def settings(self, store_url: str) -> dict[str, str]:
        """Return the settings that make this the hub's object store, by name, e.g. for `Settings(**...)`."""
        return {
            "store_url": store_url,
            "s3_endpoint_url": self.endpoint_url,
            "s3_region": REGION,
            "s3_access_key_id": ACCESS_KEY_ID,
            "s3_secret_access_key": SECRET_ACCESS_KEY,
        }


def _check_platform(folder: Path) -> None:
    if not sys.platform.startswith("linux"):
        raise RuntimeError(f"The tests' S3 service (OpenStack Swift) runs on Linux only, and this is {sys.platform}.")
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / "xattr-probe"
    probe.touch()
    try:
        os.setxattr(probe, "user.probe", b"x" * 1000)
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.ENOSPC, errno.EPERM):
            raise
        raise RuntimeError(
            f"The tests' S3 service (OpenStack Swift) needs extended attributes, and the file system of {folder} refuses them "
            f"({error.strerror}). Point TMPDIR or --basetemp at an ext4, XFS or Btrfs file system."
        ) from error
    finally:
        probe.unlink()


# --- the child process: nothing above imports swift or eventlet, which take a second and patch the standard library ---


def _listen(port: int = 0) -> socket.socket:
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _write_rings(folder: Path, ports: dict[str, int]) -> None:
    """Tell the proxy where the storage servers listen: one device, one replica."""
    from swift.common.ring import RingBuilder

    for kind in _STORAGE_SERVERS:
        builder = RingBuilder(part_power=4, replicas=1, min_part_hours=0)
        builder.add_dev(
            {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": ports[kind], "device": "disk", "weight": 1.0}
        )
        builder.rebalance()
        builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


def _write_configuration(folder: Path) -> None:
    (folder / "devices" / "disk").mkdir(parents=True, exist_ok=True)
    (folder / "swift.conf").write_text(_SWIFT_CONFIG)
    for kind in _STORAGE_SERVERS:
        (folder / f"{kind}.conf").write_text(_STORAGE_CONFIG.format(etc=folder, devices=folder / "devices", kind=kind))
    proxy_config = _PROXY_CONFIG.format(etc=folder, region=REGION, user=ACCESS_KEY_ID.replace(":", "_"), secret=SECRET_ACCESS_KEY)
    (folder / "proxy.conf").write_text(proxy_config)


def _one_writer_a_key(application: Application) -> Application:
    """Let writers of one key wait for each other.

    Swift looks whether a key is free (`If-None-Match: *`) before it reads the body, and does not look again when it stores it: of
    writers at the same moment several win. Amazon's S3, whose part Swift plays here, lets exactly one win.
    """
    import eventlet.semaphore

    locks: defaultdict[str, Any] = defaultdict(eventlet.semaphore.Semaphore)

    def locked(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("PUT", "POST"):
            return application(environ, start_response)
        with locks[environ["PATH_INFO"]]:
            # Completing an upload happens while its answer is read.
            answer = application(environ, start_response)
            try:
                return list(answer)
            finally:
                if hasattr(answer, "close"):
                    answer.close()

    return locked


def _serve(folder: Path, port: int, until_stdin_closes: bool) -> None:
    # Swift still stands on eventlet, which warns of itself.
    warnings.simplefilter("ignore")
    import eventlet

    eventlet.monkey_patch()
    import eventlet.wsgi
    import swift.common.utils
    from swift.common.http_protocol import SwiftHttpProtocol
    from swift.common.storage_policy import reload_storage_policies
    from swift.common.wsgi import init_request_processor

    swift.common.utils.SWIFT_CONF_FILE = str(folder / "swift.conf")
    _write_configuration(folder)
    reload_storage_policies()
    listeners = {"proxy": _listen(port), **{kind: _listen() for kind in _STORAGE_SERVERS}}
    _write_rings(folder, {kind: listener.getsockname()[1] for kind, listener in listeners.items()})
    for kind, listener in listeners.items():
        application = init_request_processor(str(folder / f"{kind}.conf"), f"{kind}-server")[0]
        if kind == "proxy":
            application = _one_writer_a_key(application)
        # As swift.common.wsgi.run_server does, which cannot run four times in one process. boto3 needs "ETag", never "Etag".
        options = {"protocol": SwiftHttpProtocol, "capitalize_response_headers": False, "log_output": False}
        eventlet.spawn(eventlet.wsgi.server, listener, application, **options)
    print(f"http://127.0.0.1:{listeners['proxy'].getsockname()[1]}", flush=True)
    if until_stdin_closes:
        # Also when our parent is killed: the other end of the pipe goes with it.
        eventlet.hubs.trampoline(sys.stdin, read=True)
    else:
        eventlet.event.Event().wait()


def main() -> None:
    """Serve S3 from a folder until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.swift_server", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int, nargs="?", default=0, help="default: a free one, printed")
    parser.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    _check_platform(folder)
    if not arguments.until_stdin_closes:
        print(json.dumps({"access_key_id": ACCESS_KEY_ID, "secret_access_key": SECRET_ACCESS_KEY, "region": REGION}))
    try:
        _serve(folder, arguments.port, arguments.until_stdin_closes)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
