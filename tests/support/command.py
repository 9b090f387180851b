"""How a command of the tests ends: after its cleaning up, with one sentence where it failed."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from helpers.errors import RabbitLabError


def run(main: Callable[[], int]) -> NoReturn:
    """Run a command and end the process; SIGTERM ends it like Ctrl-C, or things would stay behind.

    Args:
        main: returns the exit status; what it does not catch ends with 1, Ctrl-C with 130.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        sys.exit(main())
    except RabbitLabError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
