"""How to reach an S3 service, and what its answers mean in the hub's words. The one place that turns boto3's errors into ours."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from pydantic import SecretStr

from deep_images_hub.errors import DeniedError, HubError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONNECT_TIMEOUT_S = 5.0
# Tries of one request, with growing pauses between them.
_ATTEMPTS = 5
# Threads of one process that talk to the service at once without waiting for each other.
_CONNECTIONS = 32

_WRONG_CREDENTIALS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AuthFailure"}
# Of one object, when it is read: no right to it, or it lies in an archive.
_DENIED = {"AccessDenied", "403", "InvalidObjectState"}
_WRONG_REGION = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}


@dataclass(frozen=True)
class S3Service:
    """Where an S3 service is and who we are to it.

    Attributes:
        endpoint_url: None: Amazon's.
        access_key_id: None: boto3's own chain of credentials (environment, profile, role of the machine).
        timeout_s: longest wait for the next bytes of an answer; then the request is sent again.
        etag_is_md5: what is read is compared with the object's ETag (`etag`).
    """

    endpoint_url: str | None
    region: str
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None
    timeout_s: float = 60.0
    etag_is_md5: bool = True

    def client(self) -> "S3Client":
        """Return this process's client: made once, shared by its threads, never inherited by a fork."""
        with _making:
            if self not in _clients:
                _clients[self] = _new_client(self)
            return _clients[self]

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return self.endpoint_url or f"Amazon S3 in {self.region}"


_clients: "dict[S3Service, S3Client]" = {}
_making = threading.Lock()


def _forget_clients() -> None:
    """Begin anew in a forked process: its parent's connections are not its own, and nobody here will release the lock."""
    global _making
    _making = threading.Lock()
    _clients.clear()


os.register_at_fork(after_in_child=_forget_clients)


def _new_client(service: S3Service) -> "S3Client":
    # A session of its own, because boto3's default session may not be used by two threads at once.
    return boto3.session.Session().client(
        "s3",
        endpoint_url=service.endpoint_url,
        region_name=service.region,
        aws_access_key_id=_shown(service.access_key_id),
        aws_secret_access_key=_shown(service.secret_access_key),
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=service.timeout_s,
            retries={"mode": "standard", "max_attempts": _ATTEMPTS},
            max_pool_connections=_CONNECTIONS,
            # boto3's checksums in trailers are news to many services that are not Amazon's.
            request_checksum_calculation="when_required" if service.endpoint_url else "when_supported",
            response_checksum_validation="when_required" if service.endpoint_url else "when_supported",
        ),
    )


def _shown(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def code_of(error: ClientError) -> str:
    """Return the service's code for what went wrong, e.g. `NoSuchKey`; a HEAD request gets the status alone, e.g. `404`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_key_taken(error: ClientError) -> bool:
    """Say whether a request failed because it must not overwrite."""
    return code_of(error) in ("PreconditionFailed", "412")


def is_in_conflict(error: ClientError) -> bool:
    """Say whether a request lost against another one at the same moment, without the key being taken for that."""
    return code_of(error) in ("ConditionalRequestConflict", "OperationAborted")


@contextmanager
def translated(service: S3Service, bucket: str, key: str, *, reads: bool = False) -> Iterator[None]:
    """Turn what S3 or the network says about an object into the hub's errors.

    Args:
        reads: an object is asked for, so that it may be denied alone.
    """
    try:
        yield
    except ClientError as error:
        translation = _error_from_answer(service, bucket, key, error)
        if reads and code_of(error) in _DENIED:
            translation = DeniedError(str(translation))
        raise translation from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise UnavailableError(
            f"There are no credentials for the S3 service {service.name}. Set HUB_S3_ACCESS_KEY_ID and HUB_S3_SECRET_ACCESS_KEY."
        ) from error
    except BotoCoreError as error:
        raise UnavailableError(
            f"The S3 service {service.name} did not answer for {key!r} in the bucket {bucket!r}, tried up to {_ATTEMPTS} times: "
            f"{str(error).rstrip('.')}. Check HUB_S3_ENDPOINT_URL and the network."
        ) from error


def _error_from_answer(service: S3Service, bucket: str, key: str, error: ClientError) -> HubError:
    code = code_of(error)
    if code in ("NoSuchKey", "404"):
        return NotFoundError(f"There is no object {key!r} in the bucket {bucket!r} of {service.name}.")
    if code == "NoSuchBucket":
        # Of a copy, either the source's bucket or ours.
        missing = error.response.get("Error", {}).get("BucketName") or bucket
        return UnavailableError(
            f"There is no bucket {missing!r} at {service.name}. Create it, or correct HUB_STORE_URL and HUB_S3_ENDPOINT_URL."
        )
    if code in _WRONG_CREDENTIALS:
        return UnavailableError(
            f"{service.name} does not accept our credentials ({code}). Correct HUB_S3_ACCESS_KEY_ID and HUB_S3_SECRET_ACCESS_KEY."
        )
    if code in ("AccessDenied", "403"):
        return UnavailableError(
            f"{service.name} denies us {key!r} in the bucket {bucket!r}. Correct HUB_S3_ACCESS_KEY_ID and "
            "HUB_S3_SECRET_ACCESS_KEY, or give that account the right to list, read, write and delete there."
        )
    if code in _WRONG_REGION:
        return UnavailableError(
            f"The bucket {bucket!r} is not in the region {service.region!r} of {service.name} ({code}). Correct HUB_S3_REGION."
        )
    if code == "RequestTimeTooSkewed":
        return UnavailableError(f"The clock of this machine differs too much from that of {service.name}. Set the clock.")
    message = error.response.get("Error", {}).get("Message") or "no explanation"
    return UnavailableError(f"{service.name} refused {key!r} in the bucket {bucket!r}: {code}, {message}")
