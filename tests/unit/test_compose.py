"""docker-compose.yml, Dockerfile and .env.example say what Compose, the settings and the checkout can keep.

No container is started here: what only a Docker engine can show is listed in docs/production.md.
"""

import importlib.util
import re
import subprocess
import sys
import zipfile
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from deep_images_hub import __version__
from deep_images_hub.settings import load_settings

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
COMPOSE_TEXT = COMPOSE_FILE.read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE_TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")

ONE_SHOT = {"bucket", "migrate"}
# It answers no requests, so there is nothing to ask it.
WITHOUT_HEALTHCHECK = ONE_SHOT | {"dispatcher"}

TOLD_SETTINGS = [name for name, service in SERVICES.items() if "HUB_PROFILE" in service.get("environment", {})]

# ${NAME}, ${NAME:-default} or ${NAME:?message}; a doubled dollar is one that Compose leaves alone.
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


def interpolate(value: Any, variables: dict[str, str]) -> str:
    """Fill in what Compose would, given the variables of .env."""

    def replaced(match: re.Match[str]) -> str:
        if given := variables.get(match["name"]):
            return given
        assert match["kind"] == "-", f"{match['name']} has no value and no default"
        return str(match["rest"])

    return VARIABLE.sub(replaced, str(value)).replace("$$", "$")


def required_variables() -> set[str]:
    return {match["name"] for match in VARIABLE.finditer(COMPOSE_TEXT) if match["kind"] == "?"}


def sample_secrets() -> dict[str, str]:
    return dict.fromkeys(required_variables(), "0123456789abcdef" * 4)


def example_variables() -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables of .env.example: those that stand there to be filled in, and those that are commented out."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    found = [re.fullmatch(r"(#?)([A-Z][A-Z0-9_]*)=(.*)", line) for line in text.splitlines()]
    present, commented = {}, {}
    for match in filter(None, found):
        (commented if match[1] else present)[match[2]] = match[3]
    return present, commented


def schema_check(file: Path) -> "subprocess.CompletedProcess[str]":
    """Hold a file against the schema of the Compose specification, which the package carries."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_compose_file_keeps_to_the_specification() -> None:
    checked = schema_check(COMPOSE_FILE)
    assert checked.returncode == 0, checked.stdout


def test_compose_file_with_a_misspelt_key_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yml"
    wrong.write_text(COMPOSE_TEXT.replace("    hostname:", "    host_name:"), encoding="utf-8")
    checked = schema_check(wrong)
    assert checked.returncode == 1
    assert "host_name" in checked.stdout


def test_every_variable_is_in_the_example_with_the_default_of_compose() -> None:
    present, commented = example_variables()
    defaults: dict[str, str] = {}
    for match in VARIABLE.finditer(COMPOSE_TEXT):
        assert match["kind"], f"{match[0]} has neither a default nor a message for when it is missing"
        if match["kind"] == "-":
            assert defaults.setdefault(match["name"], match["rest"]) == match["rest"], f"{match['name']} has two defaults"
    assert commented == defaults
    assert present == dict.fromkeys(required_variables(), "")


@pytest.mark.parametrize("service", SERVICES)
def test_every_secret_is_required_and_has_no_default(service: str) -> None:
    for name, value in SERVICES[service].get("environment", {}).items():
        if re.search(r"PASSWORD|SECRET|KEY|DATABASE_URL|authenticate\.secret", f"{name} {value}"):
            kinds = [match["kind"] for match in VARIABLE.finditer(str(value))]
            assert kinds == ["?"], f"{service}: {name} is {value!r}"


@pytest.mark.parametrize("service", TOLD_SETTINGS)
def test_settings_accept_the_environment_of_each_command(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVICES[service]["environment"].items():
        monkeypatch.setenv(name, interpolate(value, sample_secrets()))

    settings = load_settings()

    assert settings.database_url is not None
    assert settings.database_url.get_secret_value().endswith("@postgres:5432/hub")
    assert (settings.store_url, settings.s3_endpoint_url) == ("s3://hub", "http://object-store:8333")
    assert settings.log_format == "json"
    if service == "portal":
        assert (settings.portal_host, settings.portal_secure_cookies) == ("0.0.0.0", True)
        assert settings.portal_secret_key is not None
    if service == "dispatcher":
        assert settings.spark_master == "spark://spark-master:7077"


def test_settings_of_the_hub_go_to_services_by_their_own_names_only() -> None:
    for name, service in SERVICES.items():
        given = {key for key in service.get("environment", {}) if key.startswith("HUB_")}
        assert not given or "HUB_PROFILE" in given, f"{name} gets {given}, which no command of the hub reads there"


def test_training_asks_for_no_more_tasks_than_the_workers_have_cores() -> None:
    def number(name: str) -> int:
        return int(example_variables()[1][name])

    assert number("HUB_TRAINING_WORKERS") <= number("SPARK_WORKERS") * number("SPARK_WORKER_CORES")


def hub_commands() -> dict[str, list[str]]:
    return {name: service["command"] for name, service in SERVICES.items() if service["image"].startswith("deep-images-hub:")}


def test_every_command_of_our_image_exists() -> None:
    spark = importlib.util.find_spec("pyspark")
    assert spark is not None
    assert spark.origin is not None
    core = next((Path(spark.origin).parent / "jars").glob("spark-core_*.jar"))
    with zipfile.ZipFile(core) as archive:
        classes = set(archive.namelist())
    for service, command in hub_commands().items():
        if command[:2] == ["python", "-m"]:
            module = importlib.util.find_spec(command[2])
            assert module is not None, f"{service}: there is no module {command[2]}"
            assert module.origin is not None
            assert 'if __name__ == "__main__":' in Path(module.origin).read_text(encoding="utf-8")
        else:
            assert command[0] == "spark-class"
            assert command[1].replace(".", "/") + ".class" in classes, f"{service}: Spark has no class {command[1]}"
    default = re.search(r'^CMD \["python", "-m", "([\w.]+)"\]$', DOCKERFILE_TEXT, flags=re.MULTILINE)
    assert default is not None
    assert default[1] == SERVICES["portal"]["command"][2]


def test_every_image_has_a_version() -> None:
    base_images = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE_TEXT, flags=re.MULTILINE)
    for image in [*base_images, *(interpolate(service["image"], {}) for service in SERVICES.values())]:
        tag = image.rpartition("/")[2].partition(":")[2]
        assert re.match(r"\d+\.\d+", tag), f"{image} may be another image tomorrow"
    assert len(base_images) == 1
    assert interpolate(SERVICES["portal"]["image"], {}) == f"deep-images-hub:{__version__}"


def test_only_the_portal_is_published_and_only_to_this_host() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(published) == ["portal"]
    assert [interpolate(port, {}) for port in published["portal"]] == ["127.0.0.1:8400:8400"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_confined_and_limited(service: str) -> None:
    asked = SERVICES[service]
    assert asked["restart"] == ("on-failure:3" if service in ONE_SHOT else "unless-stopped")
    assert asked["cap_drop"] == ["ALL"]
    assert asked["security_opt"] == ["no-new-privileges:true"]
    assert asked["read_only"] is True
    assert asked.get("privileged") is None
    assert set(asked["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert "backend" in asked["networks"]
    assert ("edge" in asked["networks"]) == (service == "portal")
    if service not in ONE_SHOT | {"spark-master"}:
        assert "stop_grace_period" in asked


@pytest.mark.parametrize("service", SERVICES)
def test_dependants_wait_for_what_a_service_can_show(service: str) -> None:
    has_check = "test" in SERVICES[service].get("healthcheck", {}) or service == "portal"  # the image's own
    assert has_check == (service not in WITHOUT_HEALTHCHECK)
    for needed, how in SERVICES[service].get("depends_on", {}).items():
        condition = how["condition"]
        assert condition == ("service_completed_successfully" if needed in ONE_SHOT else "service_healthy")
        assert needed not in WITHOUT_HEALTHCHECK - ONE_SHOT


def test_every_mount_has_a_source() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            if isinstance(volume, dict):
                assert (ROOT / volume["source"]).is_dir()
            elif ":" in volume:
                assert volume.partition(":")[0] in COMPOSE["volumes"]


def copied_paths() -> list[str]:
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE_TEXT, flags=re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def is_in_build_context(path: str) -> bool:
    """Apply .dockerignore: the last pattern that matches a path, or a folder that it lies in, decides."""
    included = True
    here = [path, *(str(parent) for parent in PurePosixPath(path).parents)][:-1]
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!")
            names = [PurePosixPath(name).name for name in here] if pattern.startswith("**/") else here
            if any(fnmatchcase(name, pattern.removeprefix("**/")) for name in names):
                included = line.startswith("!")
    return included


def test_the_image_gets_what_it_copies() -> None:
    assert {"deep_images_hub", "models", "spark_jobs", "webapp", "sql", "config"} < set(copied_paths())
    for path in copied_paths():
        assert (ROOT / path).exists(), f"Dockerfile copies {path}, which is not there"
        assert is_in_build_context(path), f"Dockerfile copies {path}, which .dockerignore keeps out"
    assert is_in_build_context("webapp/static/portal.css")


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        ".venv/bin/python",
        "config/.env",
        "models/__pycache__/heads.pyc",
        "tests/conftest.py",
        "var/portal_secret_key",
    ],
)
def test_the_build_is_not_sent_what_the_image_does_not_need(path: str) -> None:
    assert not is_in_build_context(path)


def test_the_image_runs_as_an_ordinary_account_and_installs_by_hash() -> None:
    last_stage = DOCKERFILE_TEXT[DOCKERFILE_TEXT.rindex("\nFROM ") :]
    assert re.findall(r"^USER (\S+)$", last_stage, flags=re.MULTILINE) == ["hub"]
    installs = re.findall(r"(?:pip install|uv pip sync)[^&]*", DOCKERFILE_TEXT)
    assert len(installs) == 2
    assert all("--require-hashes" in install for install in installs)
    assert not re.search(r"^(ENV|ARG).*(PASSWORD|SECRET|KEY_ID)", DOCKERFILE_TEXT, flags=re.MULTILINE)
