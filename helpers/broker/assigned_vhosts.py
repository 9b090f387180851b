"""Take one of the vhosts that an administrator made for a user who cannot make any.

``RABBIT_LAB_VHOSTS`` names them, separated by commas. A process takes the first that no other
process holds, empties it, and empties it again at the end. Only vhosts that the variable names are
taken, since everything in them is deleted. Each has a user of its own name with the tag policymaker
and the password of AMQP_URL's user: without an administrator's rights, a user sees and closes only
its own consumers and connections.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import quote, urlsplit, urlunsplit

from helpers.broker import vhosts
from helpers.broker.leased_vhosts import EXIT_TIMEOUT_S, LeasedVhost
from helpers.errors import BrokerError, BrokerRefusedError
from helpers.machine import locks
from helpers.rabbitmq.management import ManagementApiError
from helpers.rabbitmq.model import Broker, credentials

VARIABLE = "RABBIT_LAB_VHOSTS"
EMPTY_TIMEOUT_S = 10.0
UNREACHABLE = (*vhosts.DENIED, vhosts.GONE)


def names() -> list[str]:
    """Return the vhosts that ``RABBIT_LAB_VHOSTS`` names; without them, each process makes one."""
    return [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]


class AssignedVhost(LeasedVhost):
    """One of the vhosts that ``RABBIT_LAB_VHOSTS`` names; it is emptied, never made or removed."""

    is_given: ClassVar[bool] = True

    @classmethod
    def take(cls, broker: Broker, label: str, leases: Path) -> Self:
        """Lock the lease file of the first vhost that is free.

        Args:
            broker: where the vhost is.
            label: not used, since the vhost has its name.
            leases: the folder of the lease files.

        Raises:
            BrokerError: other processes hold all of them.
        """
        for name in names():
            lease = leases / f"{name}.lock"
            if (handle := locks.take(lease)) is not None:
                return cls(name, credentials(broker.amqp_url)[1], lease, handle, broker)
        raise BrokerError(
            f"all {len(names())} vhosts that you were given are in use: shut down the kernel of"
            " another notebook, or wait for the end of a check, and run the cell again"
        )

    @property
    def api_login(self) -> Broker:
        """The broker with the login of the user who has the name of the vhost."""
        parts = urlsplit(self.broker.amqp_url)
        login, _, address = parts.netloc.rpartition("@")
        netloc = f"{quote(self.name, safe='')}:{login.partition(':')[2]}@{address}"
        url = urlunsplit(parts._replace(netloc=netloc))
        return replace(self.broker, amqp_url=url, management_url=self.broker.management_page)

    def make(self) -> None:
        """Do nothing: an administrator made the vhost."""

    def empty(self) -> None:
        """Delete everything in the vhost.

        Raises:
            BrokerRefusedError: there is no such vhost, or its user has no access to it.
            BrokerError: something in it is in use.
        """
        with self._clear_errors():
            vhosts.empty(self.call, self.name, timeout_s=EMPTY_TIMEOUT_S)

    def recreate(self) -> None:
        """Close the connections into the vhost and empty it; for the errors, see `empty`."""
        self._close_and_empty(self.call)

    def remove(self) -> None:
        """Do the same while the process ends; the vhost stays."""
        self._close_and_empty(partial(self.call, timeout_s=EXIT_TIMEOUT_S))

    def _close_and_empty(self, call: vhosts.Call) -> None:
        with suppress(ManagementApiError):  # a connection that closes by itself makes this fail
            call("DELETE", f"connections/username/{self.name}")
        with self._clear_errors():
            vhosts.empty(call, self.name, timeout_s=EMPTY_TIMEOUT_S)

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except ManagementApiError as error:
            if error.status not in UNREACHABLE:
                raise
            raise BrokerRefusedError(
                f"user {self.name!r} cannot use the vhost of that name, which {VARIABLE} names,"
                " with the password of AMQP_URL: ask whoever runs the broker"
            ) from None
