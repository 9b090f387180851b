"""A RabbitMQ node of our own: own name, cookie, epmd, ports and data, on loopback only."""

import json
import secrets
import shutil
from dataclasses import asdict
from pathlib import Path

from helpers.errors import BrokerError, BrokerNotFoundError, BrokerNotReadyError, WaitTimeoutError
from helpers.machine import ports
from helpers.machine.paths import shown
from helpers.machine.ports import Ports, PortTakenError
from helpers.machine.processes import (
    Identity,
    clean_environment,
    find_below,
    identify,
    is_alive,
    is_listening,
    kill_below,
    spawn,
)
from helpers.rabbitmq import logs, ready
from helpers.rabbitmq.model import Broker
from helpers.rabbitmq.node_files import Given, made_up, write_files
from helpers.rabbitmq.server import epmd_program, server_script, why_no_server
from helpers.waits import wait_until

TRIES = 4
EPMD_TIMEOUT_S = 10.0
LOOK_TIMEOUT_S = 3.0


class PrivateNode:
    """One node in one folder; what is needed to find it again is kept in that folder."""

    def __init__(self, folder: Path, *, source: str, config: str = "", advanced: str = "") -> None:
        self.folder = folder
        self.source = source
        self.config = config
        self.advanced = advanced
        self.name = ""
        self.ports: Ports | None = None
        self.vm: Identity | None = None
        self.epmd: Identity | None = None

    @property
    def amqp_url(self) -> str:
        """AMQP URL of the node's own user."""
        return f"amqp://guest:guest@127.0.0.1:{self._ports.amqp}/%2F"

    @property
    def management_url(self) -> str:
        """Base URL of the node's management API."""
        return f"http://127.0.0.1:{self._ports.management}"

    @property
    def _ports(self) -> Ports:
        if self.ports is None:
            raise BrokerError("this node has not been started")
        return self.ports

    @property
    def is_running(self) -> bool:
        """Whether the process that was started is alive."""
        return self.vm is not None and self.vm.process() is not None

    def load(self) -> bool:
        """Read what an earlier process noted down about this node.

        Returns:
            Whether there was anything to read.
        """
        try:
            noted = json.loads((self.folder / "state.json").read_text())
            self.name = noted["name"]
            self.ports = Ports(**noted["ports"])
            self.vm = Identity(**noted["vm"]) if noted["vm"] else None
            self.epmd = Identity(**noted["epmd"]) if noted["epmd"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return True

    def look(self) -> Broker:
        """Return the node as a broker when it is ready.

        Raises:
            BrokerError: it is not.
        """
        broker = ready.look(
            self.amqp_url, self.management_url, source=self.source, timeout_s=LOOK_TIMEOUT_S
        )
        if broker.prometheus_url is None:  # the last listener to open, and all our nodes have it
            raise BrokerNotReadyError("its Prometheus endpoint is not open yet")
        return broker

    def start_fresh(self, *, timeout_s: float) -> Broker:
        """Start with empty data, on free ports.

        Args:
            timeout_s: how long one start may take, in seconds.

        Raises:
            BrokerNotFoundError: no RabbitMQ server is installed here.
            BrokerNotReadyError: it did not become ready; the message holds the log's last words.
        """
        if reason := why_no_server():
            raise BrokerNotFoundError(f"cannot start a private RabbitMQ node: {reason}")
        for attempt in range(1, TRIES + 1):
            self.stop()
            self.lay_out()
            try:
                return self.start_again(timeout_s=timeout_s)
            except BrokerNotReadyError as error:
                taken = isinstance(error, PortTakenError) or logs.tells_of_taken_port(self.folder)
                if attempt == TRIES or not taken:
                    raise
        raise AssertionError("unreachable")

    def start_again(self, *, timeout_s: float) -> Broker:
        """Start with the data, name and ports that are there.

        Raises:
            BrokerNotReadyError: it did not become ready; the message holds the log's last words.
        """
        started: int | None = None
        try:
            self.start_epmd()
            mark = f"{self.name.partition('@')[0]}-{secrets.token_hex(4)}"
            started = spawn(
                [str(server_script())],
                environment=self.environment(mark),
                folder=self.folder,
                output=self.folder / "out",
            )
            broker = self._wait(started, mark, timeout_s)
        except BaseException:
            if started is not None:
                kill_below(started)
            self.stop()
            raise
        return broker

    def kill(self) -> bool:
        """End the node's virtual machine with SIGKILL; data, ports and epmd stay.

        Returns:
            Whether it was running.
        """
        return self.vm is not None and self.vm.kill()

    def stop(self) -> bool:
        """End the node and its epmd at once: the data are throw-away.

        Returns:
            Whether the node was running.
        """
        was_running = self.kill()
        if self.epmd is not None:
            self.epmd.kill()
        return was_running

    def remove(self) -> bool:
        """End the node and delete its folder.

        Returns:
            Whether the node was running.
        """
        was_running = self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        return was_running

    def lay_out(self, given: Given | None = None) -> None:
        """Make the node's folder anew, with empty data.

        Args:
            given: name, ports, cookie and epmd; None makes up its own.

        Raises:
            BrokerError: the folder cannot be written.
        """
        given = given or made_up()
        self.name, self.ports = given.name, given.ports
        self.vm, self.epmd = None, given.epmd
        try:
            write_files(self.folder, given, config=self.config, advanced=self.advanced)
        except OSError as error:
            raise BrokerError(
                f"cannot write {shown(self.folder)} ({error.strerror}): remove that folder"
            ) from None

    def start_epmd(self) -> None:
        """Start the node's port mapper unless it runs.

        Raises:
            PortTakenError: somebody listens on its port.
        """
        if self.epmd is not None and self.epmd.process() is not None:
            return
        # Started by us and not by the node, because a node's epmd stays when the node ends.
        port = str(self._ports.epmd)
        pid = spawn(
            [str(epmd_program()), "-port", port, "-address", "127.0.0.1"],
            environment=clean_environment(),
            folder=self.folder,
            output=self.folder / "out",
        )
        self.epmd = None

        def listens_or_ended() -> bool:
            # On its way through exec, once or more, a process has no command line to know it by.
            self.epmd = self.epmd or identify(pid, port)
            listens = self.epmd is not None and is_listening(self.epmd)
            return listens or not is_alive(pid)

        try:
            wait_until(listens_or_ended, timeout_s=EPMD_TIMEOUT_S, what="epmd")
        except BaseException:
            kill_below(pid)
            raise
        if self.epmd is None or not is_listening(self.epmd):
            # It ends without a word when its port is taken.
            raise PortTakenError(f"Erlang's epmd cannot listen on port {port}")
        self._note()

    def environment(self, mark: str) -> dict[str, str]:
        folder, ports = self.folder, self._ports
        return clean_environment() | {
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            # @localhost: a host name that does not resolve, or changes, does not matter.
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            # An empty file of ours: else the system's rabbitmq-env.conf would be read.
            "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
            "RABBITMQ_DIST_PORT": str(ports.distribution),
            "ERL_INETRC": str(folder / "inetrc"),
            "ERL_EPMD_PORT": str(ports.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_CRASH_DUMP_SECONDS": "0",  # a node that cannot start would write one for seconds
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                f"-kernel inet_dist_use_interface {{127,0,0,1}} -rabbit_lab {mark}"
            ),
        }

    def _wait(self, started: int, mark: str, timeout_s: float) -> Broker:
        last: BrokerError = BrokerNotReadyError("it has not answered")

        def attempt() -> Broker | None:
            nonlocal last
            if not self.is_running:
                self.vm = find_below(started, mark)
                self._note()
            if self.vm is None and not is_alive(started):
                raise BrokerNotReadyError(logs.explain(self.folder, "the node ended at once"))
            if self.vm is None or not ports.port_answers("127.0.0.1", self._ports.amqp):
                return None
            try:
                return self.look()
            except BrokerError as error:
                last = error
                return None

        try:
            broker = wait_until(attempt, timeout_s=timeout_s, what="the node", every_s=0.05)
        except WaitTimeoutError:
            reason = f"the node was not ready within {timeout_s:g} s ({last})"
            raise BrokerNotReadyError(logs.explain(self.folder, reason)) from None
        assert broker is not None
        return broker

    def _note(self) -> None:
        noted = {
            "name": self.name,
            "ports": asdict(self._ports),
            "vm": asdict(self.vm) if self.vm else None,
            "epmd": asdict(self.epmd) if self.epmd else None,
        }
        fresh = self.folder / "state.json.new"
        fresh.write_text(json.dumps(noted, indent=1))
        fresh.replace(self.folder / "state.json")
