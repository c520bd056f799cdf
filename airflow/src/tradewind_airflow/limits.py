"""A limit of memory for what is only tried: `TRADEWIND_MEMORY_BYTES` of data, for this process and each of its heirs.

A trial runs beside what is in force, and must not take the memory that this needs.
"""

import os
import resource

VARIABLE = "TRADEWIND_MEMORY_BYTES"


def limit_memory() -> None:
    """Take the limit on, if there is one: what asks for more gets MemoryError."""
    limit = os.environ.get(VARIABLE)
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (int(limit), int(limit)))
