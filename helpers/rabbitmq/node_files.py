"""Write the files that a private node starts with: cookie, plugins, configuration."""

import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from helpers.machine.ports import Ports, free_ports
from helpers.machine.processes import Identity

# The only user of a new node. RabbitMQ's own default, guest with the password guest, does not exist
# there: a program that a learner writes must not be able to log in as the administrator.
ADMINISTRATOR = "admin"
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
class NodeIdentity:
    """A node's name and ports, and what it shares with its cluster."""

    name: str
    ports: Ports
    cookie: str
    password: str  # of the administrator
    epmd: Identity | None


def new_identity(*, ports: Ports | None = None, password: str = "") -> NodeIdentity:
    """Return a name and a cookie that no other node has; without an epmd.

    Args:
        ports: those of a node that is replaced; None finds free ones.
        password: the administrator's; "" makes a new one.

    Raises:
        BrokerNotReadyError: there are not enough free ports.
    """
    return NodeIdentity(
        f"rabbit-lab-{secrets.token_hex(4)}@localhost",
        ports or free_ports(),
        cookie=secrets.token_hex(16),
        password=password or new_password(),
        epmd=None,
    )


def new_password() -> str:
    """Return a password that nobody can guess, of letters, digits, "-" and "_"."""
    return secrets.token_urlsafe(16)


def cookie_of(folder: Path) -> Path:
    """Return where a node's cookie is.

    Args:
        folder: the node's folder.
    """
    return folder / "home" / ".erlang.cookie"


def write_files(folder: Path, identity: NodeIdentity, *, config: str, advanced: str) -> None:
    """Make a node's folder anew, with empty data.

    Args:
        folder: the node's folder; its content is deleted.
        identity: the node's name, ports, cookie and password.
        config: lines to add to its ``rabbitmq.conf``.
        advanced: the text of its ``advanced.config``; "" is an empty one.

    Raises:
        OSError: the folder cannot be written.

    Source: RabbitMQ documentation, "Configuration"; Erlang documentation, "Inet Configuration".
    """
    ports = identity.ports
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("home", "mnesia", "log"):
        (folder / name).mkdir(parents=True, mode=0o700)
    cookie = cookie_of(folder)
    cookie.write_text(identity.cookie)
    cookie.chmod(0o400)
    (folder / "enabled_plugins").write_text(f"[{','.join(PLUGINS)}].\n")
    (folder / "env.conf").write_text("")
    (folder / "inetrc").write_text(INETRC.format(names=_own_names()))
    config_file = folder / "rabbitmq.conf"
    config_file.touch(mode=0o600)  # has a password
    config_file.write_text(
        f"default_user = {ADMINISTRATOR}\ndefault_pass = {identity.password}\n"
        f"listeners.tcp.1 = 127.0.0.1:{ports.amqp}\n"
        f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {ports.management}\n"
        f"prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {ports.prometheus}\n"
        f"stream.listeners.tcp.1 = 127.0.0.1:{ports.stream}\n"
        f"{config.strip()}\n"
    )
    (folder / "advanced.config").write_text(advanced.strip() or "[].\n")


def _own_names() -> str:
    """Return the names of this machine that a node may look up, as Erlang writes them."""
    name = socket.gethostname()
    names = dict.fromkeys(("localhost", name, name.partition(".")[0]))
    return ", ".join(f'"{known}"' for known in names)
