"""A cluster of three containers: the profile ``cluster`` of ``docker-compose.yml``."""

import json
import os
from collections import defaultdict
from typing import Any

from helpers.errors import BrokerError, BrokerNotReadyError, WaitTimeoutError
from helpers.machine import docker
from helpers.machine.paths import ROOT, home
from helpers.machine.telling import say
from helpers.rabbitmq import ready
from helpers.rabbitmq.cluster_members import START_TIMEOUT_S
from helpers.rabbitmq.model import Broker
from helpers.waits import wait_until

SOURCE = "cluster by Docker Compose"
SERVICES = ("rabbitmq-1", "rabbitmq-2", "rabbitmq-3")
LABEL = "com.docker.compose"
ASK_TIMEOUT_S = 30.0


class ContainerMember:
    """One of the three containers; see `helpers.rabbitmq.cluster_members.Member`.

    Args:
        container: the container's id.
        host: its host name, from which the node has its name.
        amqp: address on this machine, "127.0.0.1:5681".
        management: the same of the management API.
    """

    def __init__(self, container: str, host: str, amqp: str, management: str) -> None:
        self._container = container
        self.name = f"rabbit@{host}"
        url = f"amqp://{docker.LOGIN}@{amqp}/%2F"
        self.broker = Broker(url, f"http://{management}", None, SOURCE, version="", erlang="")

    def __repr__(self) -> str:
        """Return one line."""
        return f"ContainerMember({self.name})"

    @property
    def is_running(self) -> bool:
        """Whether its container runs."""
        asked = ("inspect", "--format", "{{.State.Running}}", self._container)
        return _docker(*asked).strip() == "true"

    def kill(self) -> None:
        """Kill its container with SIGKILL; the data stay.

        Raises:
            BrokerError: it is down already.
        """
        _docker("kill", "--signal", "SIGKILL", self._container)
        wait_until(lambda: not self.is_running, timeout_s=ASK_TIMEOUT_S, what="its end")

    def start(self, *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start its container again, and wait until the broker in it is ready.

        Args:
            timeout_s: how long that may take, in seconds.

        Raises:
            BrokerError: Docker does not start it.
            BrokerNotReadyError: it is not ready in time.
        """
        _docker("start", self._container)
        self.wait_until_ready(timeout_s=timeout_s)

    def wait_until_ready(self, *, timeout_s: float) -> None:
        """Wait until it logs in and declares.

        Raises:
            BrokerNotReadyError: it doesn't in time.
        """
        refusal = BrokerError("it was not asked")

        def is_ready() -> bool:
            nonlocal refusal
            try:
                ready.look(self.broker.amqp_url, self.broker.management_url, source=SOURCE)
            except BrokerError as error:
                refusal = error
                return False
            return True

        try:
            wait_until(is_ready, timeout_s=timeout_s, what=self.name, every_s=0.25)
        except WaitTimeoutError:
            raise BrokerNotReadyError(
                f"the container of {self.name} was not ready within {timeout_s:g} s ({refusal})"
            ) from None

    def ctl(self, *arguments: str, timeout_s: float = ASK_TIMEOUT_S) -> str:
        """Run ``rabbitmqctl`` in its container and return what it printed.

        Args:
            arguments: the command and its arguments.
            timeout_s: how long it may take, in seconds.

        Raises:
            BrokerError: it fails.
        """
        call = ("exec", self._container, "rabbitmqctl", "--quiet", *arguments)
        return _docker(*call, timeout_s=timeout_s)


def nodes() -> list[ContainerMember]:
    """Return the three containers of this checkout; an empty list if they do not all exist."""
    if os.environ.get("RABBIT_LAB_DOCKER") == "off":
        return []
    label = f"label={LABEL}.project.working_dir={ROOT}"
    listed = docker.docker("ps", "--all", "--quiet", "--filter", label)
    if listed is None or listed.returncode or not listed.stdout.split():
        return []
    projects: dict[str, list[ContainerMember]] = defaultdict(list)
    for seen in sorted(json.loads(_docker("inspect", *listed.stdout.split())), key=_service):
        if _service(seen) in SERVICES:
            project = seen["Config"]["Labels"][f"{LABEL}.project"]
            projects[project].append(_member(seen))
    whole = [members for members in projects.values() if len(members) == len(SERVICES)]
    return next((members for members in whole if any(node.is_running for node in members)), [])


def start(*, timeout_s: float) -> list[ContainerMember]:
    """Start the three containers and wait until they are ready.

    Args:
        timeout_s: how long the brokers may take after their containers are healthy, in seconds.

    Raises:
        ComposeUnusableError: the image cannot be pulled, a port is taken, a node is not healthy.
    """
    say("Starting three RabbitMQ containers; the first time, that fetches their image …")
    up = ("--profile", "cluster", "up", "--detach", "--wait", *SERVICES)
    done = docker.in_project(*up, timeout_s=docker.UP_TIMEOUT_S)
    try:
        if done is None or done.returncode:
            raise docker.ComposeUnusableError(docker.reason_of(done))
        members = nodes()
        for node in members:
            node.wait_until_ready(timeout_s=timeout_s)
    except BrokerError as error:
        _remove()
        say(f"Docker Compose gives no cluster: {error}.")
        raise docker.ComposeUnusableError(str(error)) from None
    (home() / "cluster-compose").touch()
    return members


def stop() -> bool:
    """Remove the containers that `start` started; their volumes stay.

    Returns:
        Whether there were any; containers that were started by other means are left alone.

    Raises:
        BrokerError: Docker does not remove them.
    """
    mark = home() / "cluster-compose"
    if not mark.exists():
        return False
    done = _remove()
    if done is None or done.returncode:
        raise BrokerError(f"`docker compose rm` failed{docker.last_words(done)}")
    mark.unlink()
    return True


def _remove() -> Any:
    call = ("--profile", "cluster", "rm", "--stop", "--force", *SERVICES)
    return docker.in_project(*call, timeout_s=ASK_TIMEOUT_S * 2)


def _service(seen: dict[str, Any]) -> str:
    return str(seen["Config"]["Labels"].get(f"{LABEL}.service", ""))


def _member(seen: dict[str, Any]) -> ContainerMember:
    bound = seen["HostConfig"]["PortBindings"]
    amqp, management = (
        f"{bound[port][0]['HostIp'] or '127.0.0.1'}:{bound[port][0]['HostPort']}"
        for port in ("5672/tcp", "15672/tcp")
    )
    return ContainerMember(seen["Id"], seen["Config"]["Hostname"], amqp, management)


def _docker(*arguments: str, timeout_s: float = ASK_TIMEOUT_S) -> str:
    done = docker.docker(*arguments, timeout_s=timeout_s)
    if done is None or done.returncode:
        raise BrokerError(f"`docker {arguments[0]}` failed{docker.last_words(done)}")
    return done.stdout
