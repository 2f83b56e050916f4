"""img2dataset, with which people fetch and resize pictures today: installed beside the hub, run on files over local HTTP."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from deep_images_hub.errors import UnavailableError
from deep_images_hub.measuring.processes import Cost, Watched

VERSION = "1.47.0"
_THREADS_PER_PROCESS = 16
_HOST = "127.0.0.1"
# In the environment of its processes, by which these are found.
_MARK = "BENCH_IMG2DATASET"


def install(folder: Path) -> Path:
    """Install img2dataset into an environment of its own, unless it is there; return its command.

    Raises:
        UnavailableError: the packages cannot be had.
    """
    command = folder / "bin" / "img2dataset"
    if not (folder / f"installed-{VERSION}").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", f"img2dataset=={VERSION}"]
        ran = subprocess.run(pip, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise UnavailableError(f"img2dataset {VERSION} cannot be installed: {ran.stderr.strip().splitlines()[-1]}")
        (folder / f"installed-{VERSION}").touch()
    return command


def cost_of(command: Path, files: Sequence[Path], folder: Path, *, side_px: int, quality: int, processes: int) -> Cost:
    """Let it fetch files over local HTTP, resize the short side, and write JPEGs; return what one took, once it was under way.

    Raises:
        UnavailableError: it failed, or did not write all of them.
    """
    with _served(files) as urls:
        url_list = folder.with_suffix(".txt")
        url_list.write_text("\n".join(urls) + "\n", encoding="utf-8")
        watched = Watched(f"{_MARK}={folder}", progress=lambda: sum(1 for _ in folder.rglob("*.jpg")))
        with watched:
            ran = subprocess.run(
                [
                    str(command),
                    *("--url_list", str(url_list), "--output_folder", str(folder), "--output_format", "files"),
                    *("--image_size", str(side_px), "--resize_mode", "keep_ratio", "--resize_only_if_bigger", "True"),
                    *("--encode_quality", str(quality), "--processes_count", str(processes)),
                    *("--thread_count", str(_THREADS_PER_PROCESS), "--enable_wandb", "False"),
                    *("--number_sample_per_shard", str(-(-len(files) // (2 * processes)))),
                ],
                env=os.environ | {"NO_ALBUMENTATIONS_UPDATE": "1", _MARK: str(folder)},
                capture_output=True,
                text=True,
                check=False,
            )
    written = sum(1 for _ in folder.rglob("*.jpg"))
    if ran.returncode != 0 or written != len(files):
        last = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UnavailableError(f"img2dataset wrote {written} of {len(files)} pictures and ended with {ran.returncode}: {last}")
    return watched.cost_by_unit()


@contextmanager
def _served(files: Sequence[Path]) -> Iterator[list[str]]:
    """Serve files from the memory of another process, so that the server is no part of what is measured but for its cost."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(list(files), theirs), daemon=True)
    server.start()
    try:
        port = ours.recv()
        yield [f"http://{_HOST}:{port}/{number}.jpg" for number in range(len(files))]
    finally:
        server.terminate()
        server.join()


def _serve(files: list[Path], connection: Connection) -> None:
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    bodies = {f"/{number}.jpg": file.read_bytes() for number, file in enumerate(files)}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = bodies[self.path]
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body))
            self.wfile.write(body)

    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer((_HOST, 0), Handler)
    connection.send(server.server_address[1])
    threading.Thread(target=server.serve_forever).run()
