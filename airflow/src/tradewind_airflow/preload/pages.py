"""Large pages for memory that many forks share: a fork copies a table of pages, and its end takes it apart again.

Python's memory after 2,400 imports is some 25,000 pages of 4 KiB. In pages of 2 MiB most of that table is 40 entries:
a fork and its end cost half the CPU (14.2 to 6.6 ms by hand; no command repeats it). What a fork writes to it still
gets a page of 4 KiB of its own.

Only stretches that are nearly full are made large: the rest of a large page is memory that was not there before. Where
the kernel cannot (`MADV_COLLAPSE` needs Linux 6.1) everything stays as it is.
"""

import contextlib
import ctypes
import mmap
import sys
from collections.abc import Iterator

LARGE = 2 << 20
_PAGES_IN_LARGE = LARGE // mmap.PAGESIZE
_FULL = 0.8  # part of a stretch that must be there
_MADV_COLLAPSE = 25


def enlarge() -> int:
    """Make large pages of this process's own memory. Returns how many bytes are in large pages now."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None)
    for function in (libc.madvise, libc.mincore):
        function.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    there = (ctypes.c_ubyte * _PAGES_IN_LARGE)()
    enlarged = 0
    with contextlib.suppress(OSError):
        for address in list(_stretches()):
            is_mapped = libc.mincore(address, LARGE, ctypes.addressof(there)) == 0
            if is_mapped and sum(page & 1 for page in there) >= _FULL * _PAGES_IN_LARGE:
                libc.madvise(address, LARGE, mmap.MADV_HUGEPAGE)
                enlarged += LARGE if libc.madvise(address, LARGE, _MADV_COLLAPSE) == 0 else 0
    return enlarged


def _stretches() -> Iterator[int]:
    """Addresses of the private, writable, nameless memory of this process, in steps of a large page."""
    with open("/proc/self/maps") as maps:  # noqa: PTH123
        for line in maps:
            span, rights, _, _, _, *name = line.split()
            if rights == "rw-p" and name in ([], ["[heap]"]):
                begin, end = (int(number, 16) for number in span.split("-"))
                yield from range(-(-begin // LARGE) * LARGE, end - LARGE + 1, LARGE)
