"""The files that a private node starts from: cookie, plugins, configuration."""

import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from helpers.machine.ports import Ports, free_ports
from helpers.machine.processes import Identity

PLUGINS = (
    "rabbitmq_management",
    "rabbitmq_prometheus",
    "rabbitmq_consistent_hash_exchange",
    "rabbitmq_stream",
    "rabbitmq_stream_management",
    "rabbitmq_shovel",
    "rabbitmq_shovel_management",
)
# RabbitMQ looks up the name of its own machine whenever a connection is opened, for the cluster's
# default name. Where that name is not in /etc/hosts, a name server is asked each time, and opening
# a connection takes seconds now and then (rabbitmq/rabbitmq-server#1334, #3935).
INETRC = """\
{{host, {{127,0,0,1}}, [{names}]}}.
{{lookup, [file, native]}}.
"""


@dataclass(frozen=True)
class Given:
    """What a node is called, where it listens, and what it shares with its cluster."""

    name: str
    ports: Ports
    cookie: str
    epmd: Identity | None


def made_up() -> Given:
    """Return a name, free ports and a cookie that no other node has; its epmd is to be started.

    Raises:
        BrokerNotReadyError: there are not enough free ports.
    """
    name = f"rabbit-lab-{secrets.token_hex(4)}@localhost"
    return Given(name, free_ports(), cookie=secrets.token_hex(16), epmd=None)


def write_files(folder: Path, given: Given, *, config: str, advanced: str) -> None:
    """Make a node's folder anew, with empty data.

    Args:
        folder: the node's folder; whatever is in it is deleted.
        given: what the node is called, and where it listens.
        config: lines to add to its ``rabbitmq.conf``.
        advanced: the text of its ``advanced.config``; "" is an empty one.

    Raises:
        OSError: the folder cannot be written.

    Source: RabbitMQ documentation, "Configuration"; Erlang documentation, "Inet Configuration".
    """
    ports = given.ports
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("home", "mnesia", "log"):
        (folder / name).mkdir(parents=True, mode=0o700)
    cookie = folder / "home" / ".erlang.cookie"
    cookie.write_text(given.cookie)
    cookie.chmod(0o400)
    (folder / "enabled_plugins").write_text(f"[{','.join(PLUGINS)}].\n")
    (folder / "env.conf").write_text("")
    (folder / "inetrc").write_text(INETRC.format(names=_own_names()))
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{ports.amqp}\n"
        f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {ports.management}\n"
        f"prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {ports.prometheus}\n"
        f"stream.listeners.tcp.1 = 127.0.0.1:{ports.stream}\n"
        f"{config.strip()}\n"
    )
    (folder / "advanced.config").write_text(advanced.strip() or "[].\n")


def _own_names() -> str:
    """Return the names by which a node may look for its own machine, as Erlang writes them."""
    name = socket.gethostname()
    names = dict.fromkeys(("localhost", name, name.partition(".")[0]))
    return ", ".join(f'"{one}"' for one in names)
