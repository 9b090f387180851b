"""Making and removing a vhost with its own user; whoever calls has an administrator's rights."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from helpers.rabbitmq.management import ManagementApiError

ALL = {"configure": ".*", "write": ".*", "read": ".*"}
GONE = 404

Call = Callable[..., Any]  # of the management API: method, path, body


def make(
    call: Call,
    name: str,
    password: str,
    *,
    others: Iterable[str] = (),
    tags: str = "",
    limits: Mapping[str, int] | None = None,
) -> None:
    """Make a vhost and a user of the same name who may do everything in it, and nothing elsewhere.

    May be done twice: it says how things have to be.

    Args:
        call: calls the management API: method, path, body.
        name: of the vhost and the user.
        password: the user's.
        others: users who exist already and get the same rights in it.
        tags: the user's, such as "policymaker"; with none it may not use the management API.
        limits: of the vhost, such as ``{"max-queues": 100}``.

    Raises:
        ManagementApiError: the broker refuses it.

    Source: RabbitMQ documentation, "Virtual Hosts" and "Access Control".
    """
    quoted = quote(name, safe="")
    call("PUT", f"vhosts/{quoted}", {})
    for limit, value in (limits or {}).items():
        call("PUT", f"vhost-limits/{quoted}/{limit}", {"value": value})
    call("PUT", f"users/{quoted}", {"password": password, "tags": tags})
    for user in (name, *others):
        call("PUT", f"permissions/{quoted}/{quote(user, safe='')}", ALL)


def remove(call: Call, name: str) -> None:
    """Remove a vhost and the user of the same name; neither has to be there.

    Args:
        call: calls the management API: method and path.
        name: of the vhost and the user.

    Raises:
        ManagementApiError: the broker refuses it.
    """
    for path in (f"vhosts/{quote(name, safe='')}", f"users/{quote(name, safe='')}"):
        try:
            call("DELETE", path)
        except ManagementApiError as error:
            if error.status != GONE:
                raise
