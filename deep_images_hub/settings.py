"""Every setting of the project, with its type, unit, default and meaning: one table, read once at the entry point.

Later ones win: the defaults here < `config/default.toml` < `config/<profile>.toml` < `HUB_*` in the environment < the command
line. Passwords and keys are read from the environment only. The profile is named by `HUB_PROFILE`.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from rapidfuzz import process

from deep_images_hub.errors import SettingsError
from deep_images_hub.resources import resource

Backbone = Literal["vgg16", "mobilenet_v2", "resnet50", "efficientnet_v2_b0", "compact_vgg"]
Geocoder = Literal["offline", "nominatim", "photon", "arcgis"]

_ENV_PREFIX = "HUB_"
# Read by scripts and by the tests, not by the application.
_ENV_FOR_SCRIPTS = {
    "HUB_PROFILE", "HUB_PYTHON", "HUB_TEST_PHOTOS", "HUB_TEST_WEIGHTS", "HUB_TEST_OPEN_IMAGES", "HUB_TEST_FAULT_SEED",
}  # fmt: skip


class Settings(BaseSettings):
    """The settings of one process. Immutable; hand it down, do not read it again."""

    model_config = SettingsConfigDict(env_prefix=_ENV_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    # Where things are
    home: Path = Field(Path("var"), description="Folder for all state of the laptop default.")
    database_url: SecretStr | None = Field(
        None, description="postgresql://user:password@host:port/name. Empty: a PostgreSQL of our own under `home`."
    )
    store_url: str | None = Field(
        None, description="file:///folder or s3://bucket/prefix. Empty: the folder `objects` under `home`."
    )
    s3_endpoint_url: str | None = Field(None, description="Address of an S3 service other than Amazon's.")
    s3_region: str = Field("us-east-1", description="Region of the S3 service.")
    s3_access_key_id: SecretStr | None = Field(None, description="Empty: boto3's own chain of credentials.")
    s3_secret_access_key: SecretStr | None = Field(None, description="Belongs to s3_access_key_id.")
    s3_timeout_s: float = Field(
        60.0, gt=0, description="Longest wait for the next bytes of the S3 service; then it is asked again."
    )
    s3_etag_is_md5: bool = Field(True, description="What is read is compared with its ETag. Off for services with other ETags.")

    # Places
    geocoder: Geocoder = Field("offline", description="Who turns a place's name into a point. offline: config/gazetteer.csv.")
    geocoder_user_agent: str = Field("deep-images-hub", description="How we name ourselves to a geocoding service.")
    geocoder_timeout_s: float = Field(5.0, gt=0, description="Longest wait for one answer of a geocoding service.")

    # Intake
    max_object_bytes: int = Field(30_000_000, gt=0, description="Larger submissions are rejected as too_large.")
    max_pixels: int = Field(50_000_000, gt=0, description="More pixels, by the header, are rejected as too_many_pixels.")
    image_side_px: int = Field(256, ge=32, description="Short side of a stored picture.")
    thumbnail_side_px: int = Field(160, ge=16, description="Short side of a thumbnail.")
    jpeg_quality: int = Field(90, ge=1, le=95, description="JPEG quality of a stored picture.")
    min_side_px: int = Field(32, ge=1, description="Pictures with a shorter side fail odd_size.")
    blurry_threshold: float = Field(0.27, ge=0, le=1, description="Lower scores fail the check `blurry`.")
    dark_threshold: float = Field(0.25, ge=0, le=1, description="Lower scores fail the check `dark`.")
    light_threshold: float = Field(0.05, ge=0, le=1, description="Lower scores fail the check `light`.")
    low_information_threshold: float = Field(0.30, ge=0, le=1, description="Lower scores fail the check `low_information`.")
    odd_aspect_ratio_threshold: float = Field(0.25, ge=0, le=1, description="Lower scores fail the check `odd_aspect_ratio`.")
    grayscale_threshold: float = Field(0.05, ge=0, le=1, description="Lower scores do not pass the check `grayscale`.")
    grayscale_outcome: Literal["flag", "fail"] = Field(
        "flag", description="What becomes of pictures without colour: `flag` keeps them, `fail` rejects them."
    )

    # E-mail
    smtp_url: SecretStr | None = Field(
        None, description="smtp://[user:password@]host[:port], or smtps://. Empty: a file for each mail under `home`/mail."
    )
    mail_from: str = Field(
        "Deep Images Hub <hub@localhost>", description="Who e-mails come from: an address, or a name <address>."
    )
    portal_url: str | None = Field(
        None, description="Where people reach the portal, for links in e-mails. Empty: where it listens."
    )

    # Accounts
    sign_up_is_open: bool = Field(True, description="People may make accounts themselves. Off: operators make them.")

    # Networks
    backbone: Backbone = Field("vgg16", description="Network whose pooled features are kept for every picture.")
    weights: str = Field("imagenet", description="`imagenet` (Keras's own), a file, or an object's URL (s3://, file://).")
    feature_batch_size: int = Field(32, ge=1, description="Pictures in one forward pass.")
    label_agreement_threshold: float = Field(
        0.2, ge=0, le=1, description="Pictures with a lower score of `label_agreement` go into review."
    )
    label_agreement_min_pictures: int = Field(
        8, ge=5, description="Known pictures of other batches that a label needs before its pictures are compared with them."
    )
    label_agreement_max_pictures: int = Field(
        64, ge=5, description="Known pictures of one label that others are compared with; fewer beyond 20,000 in all."
    )
    mixed_bfloat16: Literal["auto", "on", "off"] = Field("auto", description="auto: where the processor has AMX.")
    training_method: Literal["head", "fine_tune"] = Field(
        "head", description="How a pretrained network is trained where a request does not say: its head, or its top blocks too."
    )
    training_workers: int = Field(2, ge=1, description="Spark barrier tasks that train together.")
    training_open_runs: int = Field(
        5, ge=1, description="Training runs of one account that have not ended. Operators may have more."
    )
    training_minutes_per_day: float = Field(
        240.0, gt=0, description="Minutes of training that one account may have within 24 hours. Operators may have more."
    )
    training_retry_s: float = Field(
        30.0, gt=0, description="First wait of a run that failed for reasons outside of it; doubled with each try."
    )
    model_formats: str = Field(
        "saved_model,litert",
        pattern=r"^$|^(saved_model|litert|litert_int8)(,(saved_model|litert|litert_int8))*$",
        description="Files that a model comes as beside Keras, ONNX and its labels: `saved_model`, `litert`, `litert_int8`.",
    )
    checkpoint_minutes: float = Field(
        3.0, gt=0, description="Minutes from one checkpoint of a training to the next, beside those at the ends of epochs."
    )
    mlflow_url: SecretStr | None = Field(
        None, description="http(s)://[user:password@]host[:port] of an MLflow server that is told of models. Empty: none is."
    )
    mlflow_experiment: str = Field("deep-images-hub", description="Name of the experiment there; made where it is not there.")
    training_seed: int = Field(0, ge=0, description="Seed of initial weights and of the order of pictures.")

    # Spark
    spark_master: str = Field("local[*]", description="Where jobs run, unless --master says otherwise.")
    spark_driver_memory: str = Field("2g", description="Memory of the driver's JVM.")

    # Portal
    portal_host: str = Field("127.0.0.1", description="Address that the portal listens on.")
    portal_port: int = Field(8400, ge=0, le=65535, description="Port that the portal listens on.")
    portal_workers: int = Field(2, ge=1, description="Processes that serve the portal.")
    portal_secret_key: SecretStr | None = Field(
        None, description="Signs sessions and forms. Empty: made once and kept under `home`; required in production."
    )
    portal_secure_cookies: bool = Field(False, description="Send cookies over TLS only. On behind a TLS proxy.")
    max_upload_bytes: int = Field(32_000_000, gt=0, description="Longest request body that the portal reads.")
    max_batch_photographs: int = Field(500, gt=0, le=100_000, description="Photographs that one upload may hold.")
    max_photographs_per_day: int = Field(
        5_000, gt=0, description="Photographs that one account may send through the portal within 24 hours."
    )
    max_form_bytes: int = Field(
        300_000_000, gt=0, description="Longest form with photographs, from browsers that send without scripts."
    )
    abandoned_upload_days: float = Field(
        7.0, gt=0, description="`sweep` counts an upload as given up when nothing has come for so long."
    )
    kept_downloads_gb: float = Field(
        10.0, ge=0, description="Room in the store for files of downloads that are kept, in 10^9 bytes. 0: none is kept."
    )
    lease_s: float = Field(60.0, gt=1, description="A training run without a heartbeat for this long may be taken by another.")
    log_format: Literal["text", "json"] = Field("text", description="json: one object a line, for production.")

    @model_validator(mode="after")
    def _whole_credentials(self) -> Self:
        if (self.s3_access_key_id is None) != (self.s3_secret_access_key is None):
            raise ValueError("s3_access_key_id and s3_secret_access_key belong together: set both or neither")
        return self

    def portal_address(self) -> str:
        """Return where people reach the portal: portal_url, else where it listens. Never what a request claims."""
        return (self.portal_url or f"http://{self.portal_host}:{self.portal_port}").rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: command line, environment, profile, default.toml."""
        tables = (InitSettingsSource(settings_cls, table) for table in _toml_tables())
        return (init_settings, env_settings, *tables)


def load_settings(command_line: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings of this process.

    Args:
        command_line: settings given on the command line; None values count as not given.

    Raises:
        SettingsError: a key is unknown (the message names the nearest one) or a value is wrong.
    """
    given = {name: value for name, value in (command_line or {}).items() if value is not None}
    _refuse_unknown_keys(given, origin="the command line")
    environment_keys = {
        name.removeprefix(_ENV_PREFIX).lower(): name
        for name in os.environ
        if name.startswith(_ENV_PREFIX) and name not in _ENV_FOR_SCRIPTS
    }
    _refuse_unknown_keys(environment_keys, origin="the environment")
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'settings'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(f"Wrong settings: {problems}. docs/operating.md lists every setting.") from error


def _toml_tables() -> list[dict[str, Any]]:
    """Return the profile's table and the default one, strongest first."""
    names = ["default"]
    if profile := os.environ.get("HUB_PROFILE"):
        names.insert(0, profile)
    tables = []
    for name in names:
        file = resource(f"config/{name}.toml")
        if not file.is_file():
            raise SettingsError(f"There is no profile {name!r}: config/{name}.toml was expected. Correct HUB_PROFILE.")
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        _refuse_unknown_keys(table, origin=f"config/{name}.toml")
        tables.append(table)
    return tables


def _refuse_unknown_keys(keys: Mapping[str, Any], origin: str) -> None:
    for key in keys:
        if key not in Settings.model_fields:
            nearest = process.extractOne(key, list(Settings.model_fields), score_cutoff=60)
            hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
            raise SettingsError(f"Unknown setting {key!r} in {origin}.{hint} docs/operating.md lists every setting.")


def settings_table() -> str:
    """Return the Markdown table of all settings that docs/operating.md holds."""
    lines = ["| setting | default | |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(f"| `{name}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"
