"""Find or start a broker, and give each process a scratch vhost on it.

`find` answers which broker is used: the one of ``AMQP_URL``, Docker Compose, a private node.
`open_vhost`, `connect` and `clean_channel` are for notebooks; `disposable` starts a private node
for experiments that kill the broker.
"""

from helpers.broker.connections import amqp_url, clean_channel, connect, parameters
from helpers.broker.scratch import api, open_vhost, vhost
from helpers.broker.selection import find
from helpers.broker.users import user
from helpers.rabbitmq.disposable_node import DisposableNode, disposable
from helpers.rabbitmq.management import ManagementApiError
from helpers.rabbitmq.model import Broker

__all__ = [
    "Broker",
    "DisposableNode",
    "ManagementApiError",
    "amqp_url",
    "api",
    "clean_channel",
    "connect",
    "disposable",
    "find",
    "generation",
    "open_vhost",
    "parameters",
    "user",
    "vhost",
]


def generation() -> str:
    """Return major and minor version of the broker, such as "3.10"."""
    return find().generation
