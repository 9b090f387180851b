"""Make a new scratch vhost for this process and remove it at the end."""

import secrets
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self

from helpers.broker import vhosts
from helpers.broker.assigned_vhosts import VARIABLE
from helpers.broker.leased_vhosts import EXIT_TIMEOUT_S, LeasedVhost
from helpers.errors import BrokerError
from helpers.machine import locks
from helpers.rabbitmq.management import ManagementApiError
from helpers.rabbitmq.model import Broker

EMPTY_TIMEOUT_S = 1.0


class OwnVhost(LeasedVhost):
    """A vhost that this process makes with the rights of AMQP_URL's user."""

    @classmethod
    def take(cls, broker: Broker, label: str, leases: Path) -> Self:
        """Choose a new name and lock its lease file.

        Args:
            broker: where the vhost is going to be.
            label: begins the name.
            leases: the folder of the lease files.
        """
        while True:
            name = f"{label}-{secrets.token_hex(4)}"
            lease = leases / f"{name}.lock"
            if (handle := locks.take(lease)) is not None:
                return cls(name, secrets.token_urlsafe(12), lease, handle, broker)

    def make(self) -> None:
        """Make the vhost and its user; idempotent.

        Raises:
            ManagementApiError: AMQP_URL's user may not do so, or the broker refuses it.
        """
        admin = self.broker.user
        try:
            vhosts.make(self.call, self.name, self.password, others=[admin])
        except ManagementApiError as error:
            if error.status not in vhosts.DENIED:
                raise
            raise ManagementApiError(
                f"user {admin!r} of AMQP_URL may not make a scratch vhost: it needs the tag"
                f" administrator (`rabbitmqctl set_user_tags {admin} administrator`), or"
                f" vhosts that were made for it, named in {VARIABLE}",
                error.status,
            ) from None

    def empty(self) -> None:
        """Delete each object in it, or the vhost with all of them if one cannot be deleted."""
        try:
            vhosts.empty(self.call, self.name, timeout_s=EMPTY_TIMEOUT_S)
        except BrokerError:
            self.recreate()

    def recreate(self) -> None:
        """Delete the vhost with everything in it, and make it again."""
        with suppress(ManagementApiError):
            self.call("DELETE", f"vhosts/{self.name}")
        self.make()

    def remove(self) -> None:
        """Remove the vhost and its user while the process ends."""
        vhosts.remove(partial(self.call, timeout_s=EXIT_TIMEOUT_S), self.name)
