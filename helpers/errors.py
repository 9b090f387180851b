"""The errors that a user can do something about.

::

    RabbitLabError
    ├── BrokerError
    │   ├── BrokerNotFoundError   no way to get a broker on this machine
    │   ├── BrokerNotReadyError   a broker exists, but a login and a declare fail in time
    │   └── BrokerRefusedError    the broker refused: credentials, permissions, a missing plugin
    ├── ServiceError
    │   ├── ServiceMissingError   PostgreSQL, Prometheus or Kafka is not available here
    │   └── ServiceNotReadyError  the service does not start, does not answer, or refuses a request
    ├── NotWrittenError         the disk is full, or the user may not write there
    ├── ClaimFailedError          a measurement does not support the verdict (AssertionError too)
    ├── UsageError                an argument that makes no sense (ValueError too)
    └── WaitTimeoutError          a condition did not come true by its deadline (TimeoutError too)

Every message is one clear sentence: what is wrong, and what to do. A notebook shows it alone.
"""

import traceback
from pathlib import Path


class RabbitLabError(Exception):
    """Base of all errors that this package raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows: the sentence, without the package's own frames.

        If the cause was raised in a function of a cell, the line there follows.

        Source: IPython, ``InteractiveShell.showtraceback``.
        """
        shown = [f"{type(self).__name__}: {self}", *getattr(self, "__notes__", ())]
        frames = traceback.extract_tb(self.__cause__.__traceback__) if self.__cause__ else []
        places = [at for at in frames if at.name != "<module>" and not Path(at.filename).exists()]
        shown += [f"  line {at.lineno}, in {at.name}: {at.line}" for at in places[-1:]]
        return shown


class BrokerError(RabbitLabError):
    """Something is wrong with the broker or with the way to it."""


class BrokerNotFoundError(BrokerError):
    """No broker is configured, running or installable on this machine."""


class BrokerNotReadyError(BrokerError):
    """A broker exists, yet an AMQP login and a declare did not succeed in time."""


class BrokerRefusedError(BrokerError):
    """The broker answered and refused: credentials, permissions or a missing plugin."""


class ServiceError(RabbitLabError):
    """Something is wrong with an optional service, such as PostgreSQL."""


class ServiceMissingError(ServiceError):
    """The service is not running here and cannot be started; the message says how to get it."""


class ServiceNotReadyError(ServiceError):
    """The service does not start, does not answer in time, or refuses a request."""


class NotWrittenError(RabbitLabError):
    """A file cannot be written: the disk is full, or the user may not write there."""


class ClaimFailedError(RabbitLabError, AssertionError):
    """A measurement does not support the verdict that the notebook states."""


class UsageError(RabbitLabError, ValueError):
    """An argument makes no sense; the message names it and what is allowed."""


class WaitTimeoutError(RabbitLabError, TimeoutError):
    """A condition did not come true before its deadline."""
