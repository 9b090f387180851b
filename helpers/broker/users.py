"""Make one more user of the scratch vhost, for experiments about permissions."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pika

from helpers.broker import scratch


@contextmanager
def user(name: str) -> Iterator[pika.PlainCredentials]:
    """Make a user for the time of a block; it has no permission until one is granted.

    Args:
        name: ends the user's name; the vhost's begins it, so that it is the only one.

    Yields:
        The login, for ``connect(credentials=…)``; its ``username`` is for the management API.

    Raises:
        ManagementApiError: this process may not make users; see `helpers.services.administrator`.

    Source: RabbitMQ documentation, "Access Control".
    """
    login = pika.PlainCredentials(f"{scratch.vhost()}-{name}", secrets.token_urlsafe(16))
    path = f"users/{quote(login.username, safe='')}"
    scratch.api("PUT", path, {"password": login.password, "tags": ""})
    try:
        yield login
    finally:
        scratch.api("DELETE", path)
