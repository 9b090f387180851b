"""Of the repairs of nbval the one that a comparison with plain nbval needs, too: sockets.

Without it a kernel does not start when another program takes one of its ports, and what would be
compared is not run. See ``helpers.suite.notebooks.sockets``.
"""

from typing import Any

import nbval.kernel
from jupyter_client.manager import KernelManager

from helpers.suite.notebooks.sockets import own_sockets


def _manager(**settings: Any) -> KernelManager:
    return KernelManager(**settings, **own_sockets())


def pytest_configure() -> None:
    nbval.kernel.KernelManager = _manager
