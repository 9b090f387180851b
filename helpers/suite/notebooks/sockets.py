"""Connect kernels by Unix sockets, instead of ports that another kernel may choose, too.

jupyter_client chooses free ports for the kernel, which binds them seconds later. If another kernel
or connection takes one of the five ports in the meantime, ipykernel 7.4 fails to start, and for two
of them it hangs.
"""

import atexit
import itertools
import shutil
import tempfile
from functools import cache
from pathlib import Path

_numbers = itertools.count()


def own_sockets() -> dict[str, str]:
    """Return the arguments that give a kernel manager its private sockets."""
    return {"transport": "ipc", "ip": str(_folder() / str(next(_numbers)))}


@cache
def _folder() -> Path:
    # Not in the folder of the connection file: a socket's path is limited to about 100 characters.
    folder = tempfile.mkdtemp(prefix="kernels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
