"""Tell whether the bytes that an S3 service gives are those that it was given, where the object's ETag says so.

Of an object that was sent in one piece the ETag is the MD5 of its bytes; of one sent as a single part, the MD5 of that MD5, with
`-1` behind it. Of several parts it says nothing to whoever does not know their lengths, and nothing either where the service
encrypts with keys that are not its own (SSE-KMS, SSE-C). Source: Amazon S3 API reference, type Object.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

_MD5 = re.compile(r"[0-9a-f]{32}")
_ONE_PART = "-1"


class BodyCheck:
    """Compares the bytes of one answer with its ETag.

    Args:
        answer: of GetObject, as boto3 gives it.
    """

    def __init__(self, answer: Mapping[str, Any]) -> None:
        """Nothing has been read yet."""
        etag = str(answer["ETag"]).strip('"').lower()
        is_encrypted = answer.get("ServerSideEncryption") not in (None, "AES256") or "SSECustomerAlgorithm" in answer
        self._is_one_part = etag.endswith(_ONE_PART)
        self._expected = etag.removesuffix(_ONE_PART)
        self._says_something = _MD5.fullmatch(self._expected) is not None and not is_encrypted
        self._md5 = hashlib.md5(usedforsecurity=False)

    def add(self, block: bytes) -> None:
        """Take the next bytes."""
        if self._says_something:
            self._md5.update(block)

    def is_as_stored(self) -> bool:
        """Say whether all bytes together are what was stored, as far as can be known."""
        found = self._md5.digest()
        if self._is_one_part:
            found = hashlib.md5(found, usedforsecurity=False).digest()
        return not self._says_something or found.hex() == self._expected
