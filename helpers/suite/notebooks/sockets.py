"""Unix sockets for kernels, instead of ports that two kernels may choose at once.

jupyter_client looks for free ports and passes them to the kernel, which binds them seconds later.
If another kernel or connection takes one of them in between, ipykernel 7.4 does not start and, for
two of the five ports, does not exit either.
"""

import atexit
import itertools
import shutil
import tempfile
from functools import cache
from pathlib import Path

_numbers = itertools.count()


def own_sockets() -> dict[str, str]:
    """Return the arguments by which a kernel manager uses its own sockets."""
    return {"transport": "ipc", "ip": str(_folder() / str(next(_numbers)))}


@cache
def _folder() -> Path:
    # A short path: that of a socket may have about 100 characters at most.
    folder = tempfile.mkdtemp(prefix="kernels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
