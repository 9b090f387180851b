"""A private RabbitMQ node: own name, cookie, epmd, ports and data, on loopback only."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from helpers.errors import BrokerError, BrokerNotFoundError, BrokerNotReadyError
from helpers.machine.files import why_not_written
from helpers.machine.keeper import Keeper
from helpers.machine.paths import shown
from helpers.machine.plain_paths import drop_plain_path, plain_path
from helpers.machine.ports import Ports, PortTakenError, port_answers
from helpers.machine.processes import Identity, clean_environment, is_listening
from helpers.rabbitmq import logs, lost_nodes, ready
from helpers.rabbitmq.model import Broker
from helpers.rabbitmq.node_files import ADMINISTRATOR, NodeIdentity, new_identity, write_files
from helpers.rabbitmq.server import epmd_program, server_script, why_no_server

TRIES = 4
EPMD_TIMEOUT_S = 10.0
MOST_PORTS = 65_536  # of Erlang, whose table would have one for each descriptor
LOOK_TIMEOUT_S = 3.0
T = TypeVar("T")


def on_free_ports(start: Callable[[], T], folders: Sequence[Path]) -> T:
    """Call ``start`` again if another process took a port; each call chooses new ones.

    Args:
        start: starts nodes with empty data.
        folders: those of the nodes.

    Raises:
        BrokerNotReadyError: raised by ``start`` for another reason, or `TRIES` times.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            return start()
        except BrokerNotReadyError as error:
            taken = isinstance(error, PortTakenError)
            taken = taken or any(logs.tells_of_taken_port(folder) for folder in folders)
            if not taken or not tries_left:
                raise
    raise AssertionError("unreachable")


class PrivateNode(Keeper):
    """One node in one folder: its virtual machine and its epmd."""

    def __init__(self, folder: Path, *, source: str, config: str = "", advanced: str = "") -> None:
        super().__init__(folder, "vm", "epmd")
        self.source = source
        self.config = config
        self.advanced = advanced
        self.name = ""
        self.password = ""
        self.ports: Ports | None = None

    @property
    def amqp_url(self) -> str:
        """AMQP URL of the node's administrator."""
        return f"amqp://{ADMINISTRATOR}:{self.password}@127.0.0.1:{self._ports.amqp}/%2F"

    @property
    def management_url(self) -> str:
        """Base URL of the node's management API."""
        return f"http://127.0.0.1:{self._ports.management}"

    @property
    def epmd_folder(self) -> Path:
        """The folder of the node that started the epmd."""
        return self.folder

    @property
    def epmd(self) -> Identity | None:
        """The node's port mapper; None when it has not been started."""
        return self.processes["epmd"]

    @property
    def _ports(self) -> Ports:
        if self.ports is None:
            raise BrokerError("this node has not been started")
        return self.ports

    def load(self) -> bool:
        """Read the notes of an earlier process.

        Processes that were started for another folder are not this node's: the notes were copied or
        moved.

        Returns:
            Whether there are notes.
        """
        try:
            if not super().load():
                return False
            self.name, self.ports = self.noted["name"], Ports(**self.noted["ports"])
        except (LookupError, TypeError):
            self.processes = dict.fromkeys(self.processes)
            return False
        self.password = self.noted.get("password", "")
        places = {"vm": self.folder, "epmd": self.epmd_folder}
        for name, identity in self.processes.items():
            if identity is not None and not lost_nodes.lives_in(identity.pid, places[name]):
                self.processes[name] = None
        return True

    def look(self) -> Broker:
        """Return the node as a broker when it is ready.

        Raises:
            BrokerError: it is not.
        """
        broker = ready.look(
            self.amqp_url, self.management_url, source=self.source, timeout_s=LOOK_TIMEOUT_S
        )
        if broker.prometheus_url is None:  # the last listener to open; every private node has it
            raise BrokerNotReadyError("its Prometheus endpoint is not open yet")
        return broker

    def start_fresh(self, *, timeout_s: float) -> Broker:
        """Start with empty data, on the ports and with the password of its notes, or on free ports.

        Args:
            timeout_s: how long one start may take, in seconds.

        Raises:
            BrokerNotFoundError: no RabbitMQ server is installed here.
            BrokerNotReadyError: it did not become ready; the message quotes its log.
        """
        if reason := why_no_server():
            raise BrokerNotFoundError(f"cannot start a private RabbitMQ node: {reason}")

        ports, password = self.ports, self.password

        def start() -> Broker:
            nonlocal ports
            self.stop()
            self.lay_out(new_identity(ports=ports, password=password))
            ports = None  # the next try is for another process that has taken one of them
            return self.start_again(timeout_s=timeout_s)

        return on_free_ports(start, [self.folder])

    def start_again(self, *, timeout_s: float) -> Broker:
        """Start with the data, name and ports that are there.

        Raises:
            BrokerNotReadyError: it did not become ready; the message quotes its log.
        """
        mark = f"{self.name.partition('@')[0]}-{secrets.token_hex(4)}"
        found: Broker | None = None
        refusal: BrokerError | None = None

        def is_ready() -> bool:
            nonlocal found, refusal
            if not port_answers("127.0.0.1", self._ports.amqp):
                return False
            try:
                found = self.look()
            except BrokerError as error:
                refusal = error
                return False
            return True

        def error(reason: str) -> BrokerNotReadyError:
            return BrokerNotReadyError(
                logs.explain(self.folder, f"{reason} ({refusal})" if refusal else reason)
            )

        try:
            self.start_epmd()
            self.run(
                "vm", [str(server_script())], mark=mark, is_ready=is_ready, error=error,
                environment=self.environment(mark), output=self.folder / "out",
                timeout_s=timeout_s,
            )  # fmt: skip
        except BaseException:
            self.stop()
            raise
        assert found is not None
        return found

    def lay_out(self, identity: NodeIdentity | None = None) -> None:
        """Make the node's folder anew, with empty data.

        Args:
            identity: name, ports, cookie, password and epmd; None makes new ones.

        Raises:
            BrokerError: the folder cannot be written.
        """
        identity = identity or new_identity()
        self.name, self.ports, self.password = identity.name, identity.ports, identity.password
        self.processes = {"vm": None, "epmd": identity.epmd}
        self.noted = {"name": self.name, "ports": asdict(self.ports), "password": self.password}
        try:
            write_files(self.folder, identity, config=self.config, advanced=self.advanced)
        except OSError as error:
            reason = why_not_written(error, self.folder)
            raise BrokerError(
                reason
                or f"cannot write {shown(self.folder)} ({error.strerror}): remove that folder"
            ) from None

    def remove(self) -> bool:
        """End all processes and delete the folder.

        Returns:
            Whether the node was running.
        """
        drop_plain_path(self.folder)
        return super().remove()

    def start_epmd(self) -> None:
        """Start the node's port mapper unless it runs.

        A node that finds no epmd starts one, which stays when the node ends.

        Raises:
            PortTakenError: another process listens on its port.
        """
        if self.epmd is not None and self.epmd.process() is not None:
            return
        port = str(self._ports.epmd)
        self.run(
            "epmd", [str(epmd_program()), "-port", port, "-address", "127.0.0.1"], mark=port,
            is_ready=lambda: self.epmd is not None and is_listening(self.epmd),
            # It prints nothing when its port is taken.
            error=lambda _: PortTakenError(f"Erlang's epmd cannot listen on port {port}"),
            environment=clean_environment() | {lost_nodes.VARIABLE: str(self.folder)},
            output=self.folder / "out", timeout_s=EPMD_TIMEOUT_S,
        )  # fmt: skip

    def environment(self, mark: str) -> dict[str, str]:
        """Return the environment of the node and of its command-line tools.

        Args:
            mark: an argument by which the node's process is recognised.

        Source: RabbitMQ documentation, "Configuration: environment variables".
        """
        folder, ports = plain_path(self.folder), self._ports
        return clean_environment() | {
            lost_nodes.VARIABLE: str(self.folder),
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            # @localhost: a host name that does not resolve, or changes, does not matter.
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            # An empty file; without it the system's rabbitmq-env.conf would be read.
            "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
            "RABBITMQ_DIST_PORT": str(ports.distribution),
            "ERL_INETRC": str(folder / "inetrc"),
            "ERL_EPMD_PORT": str(ports.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_MAX_PORTS": str(MOST_PORTS),
            "ERL_CRASH_DUMP_SECONDS": "0",  # a node that cannot start would write one for seconds
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                f"-kernel inet_dist_use_interface {{127,0,0,1}} -rabbit_lab {mark}"
            ),
        }
