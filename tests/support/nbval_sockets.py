"""Give kernels private sockets: the repair that a comparison with plain nbval needs, too.

Otherwise a kernel fails to start if another program takes one of its ports, and the comparison has
no results. See ``helpers.suite.notebooks.sockets``.
"""

from typing import Any

import nbval.kernel
from jupyter_client.manager import KernelManager

from helpers.suite.notebooks.sockets import own_sockets


def _manager(**settings: Any) -> KernelManager:
    return KernelManager(**settings, **own_sockets())


def pytest_configure() -> None:
    nbval.kernel.KernelManager = _manager
