"""When and how faults strike: drawn from a seed, so that a test can be repeated with other moments. CONTRIBUTING.md says how."""

import os
import random

FAULT_SEED = int(os.environ.get("HUB_TEST_FAULT_SEED", "0"))


def moment(fault: str, before: int, first: int = 0) -> int:
    """Return after how many of something (batches, requests) a fault strikes: `first` to `before` - 1."""
    return random.Random(f"{FAULT_SEED}/{fault}").randrange(first, before)
