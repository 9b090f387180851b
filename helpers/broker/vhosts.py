"""Make, empty and remove a vhost and its user by the management API, with sufficient rights."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from helpers.errors import BrokerError, WaitTimeoutError
from helpers.rabbitmq import management
from helpers.rabbitmq.management import ManagementApiError
from helpers.rabbitmq.model import Broker, credentials
from helpers.waits import wait_until

ALL = {"configure": ".*", "write": ".*", "read": ".*"}
GONE = 404
DENIED = (401, 403)

Call = Callable[..., Any]  # of the management API: method, path, body


def call(broker: Broker, method: str, path: str, body: Any = None, **options: Any) -> Any:
    """Call the management API of ``broker`` with the login of its AMQP URL.

    Args:
        broker: the broker to call.
        method: HTTP method.
        path: what follows ``/api/``, already quoted.
        body: sent as JSON; None sends no body.
        options: see `management.call`, as are the return value and the errors.
    """
    login = credentials(broker.amqp_url)
    return management.call(broker.management_url, login, method, path, body, **options)


def make(
    call: Call,
    name: str,
    password: str,
    *,
    others: Iterable[str] = (),
    tags: str = "",
    limits: Mapping[str, int] | None = None,
) -> None:
    """Make a vhost, and a user of the same name with all rights there and none elsewhere.

    Idempotent.

    Args:
        call: calls the management API: method, path, body.
        name: of the vhost and the user.
        password: the user's.
        others: existing users who get the same rights in the vhost.
        tags: the user's, such as "policymaker"; without a tag, the user has no access to the
            management API.
        limits: of the vhost, such as ``{"max-queues": 100}``.

    Raises:
        ManagementApiError: the broker refuses it.

    Source: RabbitMQ documentation, "Virtual Hosts" and "Access Control".
    """
    quoted = _quoted(name)
    call("PUT", f"vhosts/{quoted}", {})
    for limit, value in (limits or {}).items():
        call("PUT", f"vhost-limits/{quoted}/{limit}", {"value": value})
    call("PUT", f"users/{quoted}", {"password": password, "tags": tags})
    for user in (name, *others):
        call("PUT", f"permissions/{quoted}/{_quoted(user)}", ALL)


def empty(call: Call, name: str, *, timeout_s: float) -> None:
    """Delete all queues, exchanges, bindings, policies and shovels of a vhost.

    The exchanges that RabbitMQ declares in each vhost stay.

    Args:
        call: calls the management API: method and path.
        name: of the vhost.
        timeout_s: how long to retry, in seconds.

    Raises:
        BrokerError: an object still exists at the deadline.
        ManagementApiError: there is no such vhost, or the user has no access to it.

    Source: RabbitMQ documentation, "Management HTTP API".
    """

    def is_empty() -> bool:
        left = [path for path in _contents(call, _quoted(name)) if not _delete(call, path)]
        return not left

    try:
        wait_until(is_empty, timeout_s=timeout_s, what="an empty vhost", every_s=0.05)
    except WaitTimeoutError:
        raise BrokerError(f"vhost {name!r} cannot be emptied: something in it is in use") from None


def remove(call: Call, name: str) -> None:
    """Remove a vhost and the user of the same name, if they exist.

    Args:
        call: calls the management API: method and path.
        name: of the vhost and the user.

    Raises:
        ManagementApiError: the broker refuses it.
    """
    for path in (f"vhosts/{_quoted(name)}", f"users/{_quoted(name)}"):
        try:
            call("DELETE", path)
        except ManagementApiError as error:
            if error.status != GONE:
                raise


def _contents(call: Call, vhost: str) -> list[str]:
    # The list form with these options reads the broker's tables, not its statistics, which lag.
    queues = call("GET", f"queues/{vhost}?disable_stats=true&enable_queue_totals=true")
    exchanges = call("GET", f"exchanges/{vhost}?disable_stats=true")
    paths = [f"queues/{vhost}/{_quoted(queue['name'])}" for queue in queues]
    paths += [
        f"exchanges/{vhost}/{_quoted(exchange['name'])}"
        for exchange in exchanges
        if not _is_built_in(exchange["name"])
    ]
    for binding in call("GET", f"bindings/{vhost}"):
        # Other bindings go with their queue or exchange.
        ends = binding["source"], binding["destination"]
        if binding["destination_type"] == "exchange" and all(map(_is_built_in, ends)):
            parts = [ends[0], "e", ends[1], binding["properties_key"]]
            paths.append(f"bindings/{vhost}/e/" + "/".join(map(_quoted, parts)))
    for kind in ("policies", "operator-policies", "parameters/shovel"):
        paths += [f"{kind}/{vhost}/{_quoted(item['name'])}" for item in _list(call, kind, vhost)]
    return paths


def _list(call: Call, kind: str, vhost: str) -> list[dict[str, Any]]:
    try:
        items: list[dict[str, Any]] = call("GET", f"{kind}/{vhost}")
    except ManagementApiError as error:
        # Only an administrator may list operator policies; another user cannot have set one.
        if kind == "operator-policies" and error.status in DENIED:
            return []
        raise
    return items


def _delete(call: Call, path: str) -> bool:
    """Return whether the object no longer exists; False is a reason to retry."""
    try:
        call("DELETE", path)
    except ManagementApiError as error:
        return error.status == GONE
    return True


def _is_built_in(exchange: str) -> bool:
    return not exchange or exchange.startswith("amq.")


def _quoted(name: str) -> str:
    return quote(name, safe="")
