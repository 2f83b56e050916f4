"""What a version's digest is made of: a text with a line for each picture. Pure."""

import json

# Raised when the same pictures come to have another digest.
DIGEST_HEADER = "deep-images-hub dataset 1\n"


def content_line(*, sha256: str, label_code: str, split: str, group_key: str) -> str:
    """Return a picture's line. The lines stand in order of label code, then sha256."""
    return json.dumps([sha256, label_code, split, group_key]) + "\n"
