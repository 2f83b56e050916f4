# syntax=docker/dockerfile:1
# The one image of the hub: portal, dispatcher, migrations, Spark master and workers differ by their command only, so that an executor
# has the same Python and the same packages as the driver that sends it work. docker-compose.yml shows each command.

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS environment
WORKDIR /build
COPY pyproject.toml requirements.txt ./
# uv is itself in the lock, so that what installs everything is checked by hash too.
RUN awk '/^[a-zA-Z]/ { keep = /^uv==/ } keep' requirements.txt > uv.txt \
    && python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r uv.txt
# The lock holds the tools of development as well. What is needed to run is asked of pyproject.toml; versions and hashes are the lock's.
RUN uv pip compile --quiet --no-header --no-annotate --extra hub --constraint requirements.txt \
        --output-file needed.txt pyproject.toml \
    && awk 'NR == FNR { if (/^[a-zA-Z]/) { sub(/==.*/, ""); needed[$0] } next } \
            /^[a-zA-Z]/ { name = $1; sub(/==.*/, "", name); keep = name in needed } keep' \
        needed.txt requirements.txt > locked.txt \
    && uv venv --quiet /opt/hub/.venv \
    && uv pip sync --quiet --no-cache --link-mode copy --compile-bytecode --require-hashes \
        --python /opt/hub/.venv/bin/python locked.txt
# The packages of the hub are found through one .pth file, as in a checkout. On an executor the code that the driver sends comes first.
RUN echo /opt/hub > "$(/opt/hub/.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/deep_images_hub.pth"


FROM ${PYTHON_IMAGE}
# Spark's Java. Debian's is mended with the distribution: build the image anew to get that.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/*
# State lies in /var/lib/hub, which is all that this account may write besides /tmp: code and packages belong to root.
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/hub --shell /usr/sbin/nologin hub \
    && install --directory --owner hub --group hub --mode 0750 /var/lib/hub
WORKDIR /opt/hub
COPY --from=environment /opt/hub/.venv .venv
COPY sql sql
COPY config config
COPY deep_images_hub deep_images_hub
COPY models models
COPY spark_jobs spark_jobs
COPY webapp webapp
RUN .venv/bin/python -m compileall -q deep_images_hub models spark_jobs webapp
ENV PATH=/opt/hub/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/var/lib/hub \
    KERAS_HOME=/var/lib/hub/keras \
    HUB_HOME=/var/lib/hub \
    HUB_PROFILE=production
USER hub
VOLUME /var/lib/hub
EXPOSE 8400
CMD ["python", "-m", "deep_images_hub.cli.serve"]
# Of the portal, which is the default command; the other services have checks of their own in docker-compose.yml.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --start-interval=2s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8400/health', timeout=4)"]
