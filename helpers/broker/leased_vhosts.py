"""A vhost that a process holds by a lease file, so that no other process uses or removes it."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from helpers.broker import vhosts
from helpers.machine.files import writing
from helpers.rabbitmq.model import Broker

EXIT_TIMEOUT_S = (1.0, 5.0)  # of a call while the process ends


@dataclass(frozen=True)
class LeasedVhost:
    """A vhost and its user, both of one name, with the lock on their lease file."""

    name: str
    password: str
    lease: Path
    handle: int
    broker: Broker
    owner_pid: int = field(default_factory=os.getpid)

    is_given: ClassVar[bool] = False

    @property
    def api_login(self) -> Broker:
        """The broker with the login for calls of its management API about this vhost."""
        return self.broker

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Call the management API; see `vhosts.call`."""
        return vhosts.call(self.api_login, method, path, body, **options)

    def write_lease(self) -> None:
        """Write into the lease file what another process needs to remove the vhost."""
        content = {"management_url": self.broker.management_page, "source": self.broker.source}
        content["is_given"] = "yes" if self.is_given else ""
        with writing(self.lease):
            self.lease.write_text(json.dumps(content))
