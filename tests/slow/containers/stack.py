"""Run the Compose stack of a copy of this checkout, with its own project name and ports."""

import json
import os
import resource
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from helpers.errors import RabbitLabError
from helpers.machine.paths import ROOT
from helpers.machine.ports import free_port_numbers
from tests.slow.offline import standins

LEARNER = 1000  # the default user of docker-compose.yml
DESCRIPTORS = 65536  # the default limit of docker-compose.yml
PORTS = (
    "RABBITMQ_PORT",
    "RABBITMQ_MANAGEMENT_PORT",
    "RABBITMQ_PROMETHEUS_PORT",
    "JUPYTER_PORT",
    "POSTGRES_PORT",
    "PROMETHEUS_PORT",
    "KAFKA_PORT",
    *(f"RABBITMQ_{n}_{kind}" for n in (1, 2, 3) for kind in ("PORT", "MANAGEMENT_PORT")),
)
COMMAND_TIMEOUT_S = 120.0
UP_TIMEOUT_S = 600.0  # the first time, the image of JupyterLab is built
KINDS = ("container", "network", "volume")


class StackError(RabbitLabError):
    """The stack does not behave as required; the message has the observation."""


class Stack:
    """A copy of the checkout with its containers."""

    def __init__(self, folder: Path, images: dict[str, str]) -> None:
        self.folder = folder
        self.ran: set[str] = set()  # all commands so far, as typed in a shell
        self.project = f"rabbit-lab-test-{os.getpid()}"
        ports = free_port_numbers(len(PORTS))
        self.port = dict(zip(PORTS, ports, strict=True))
        # Without the caller's variables, which may name another stack or broker.
        left_out = ("RABBIT_LAB_", "RABBITMQ_", "COMPOSE_", "AMQP_", "MANAGEMENT_")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
        self.environment |= images | {name: str(port) for name, port in self.port.items()}
        self.environment |= {"COMPOSE_PROJECT_NAME": self.project}
        # In a virtual machine or container, the engine may be unable to raise this machine's limit.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if 0 < most < DESCRIPTORS:
            self.environment["RABBITMQ_DESCRIPTORS"] = str(most)

    def compose(
        self,
        *arguments: str,
        timeout_s: float = COMMAND_TIMEOUT_S,
        check: bool = True,
        **variables: str,
    ) -> "subprocess.CompletedProcess[str]":
        """Run ``docker compose`` in the copy.

        Args:
            arguments: what follows ``docker compose``.
            timeout_s: how long it may take, in seconds.
            check: whether a failure is an error.
            **variables: more of the environment, such as ``RABBITMQ_IMAGE``.

        Raises:
            StackError: it takes too long, or fails while ``check``.
        """
        return self.run(
            "docker", "compose", *arguments, timeout_s=timeout_s, check=check, **variables
        )

    def run(
        self,
        *command: str,
        timeout_s: float = COMMAND_TIMEOUT_S,
        check: bool = True,
        **variables: str,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in the copy, with the stack's environment; see `compose`."""
        self.ran.add(shlex.join(command))
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=self.environment | variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise StackError(f"`{' '.join(command)}` took more than {timeout_s:g} s") from None
        if check and done.returncode:
            raise StackError(f"`{' '.join(command)}` failed:\n{done.stdout[-3000:]}")
        return done

    def begin(self, *command: str) -> "subprocess.Popen[str]":
        """Start a command in the copy without waiting; read its output with ``communicate``."""
        self.ran.add(shlex.join(command))
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def up(self, *arguments: str, **variables: str) -> str:
        """Run ``docker compose up`` until all services are healthy; return its output."""
        command = ("up", "--detach", "--wait", *arguments)
        return self.compose(*command, timeout_s=UP_TIMEOUT_S, **variables).stdout

    def container(self, service: str) -> str:
        """Return the id of a service's container, running or not.

        Raises:
            StackError: there is none.
        """
        ids = self.compose("ps", "--all", "--quiet", service).stdout.split()
        if not ids:
            raise StackError(f"there is no container of {service}")
        return ids[0]

    def inspect(self, service: str) -> dict[str, object]:
        """Return the output of ``docker inspect`` for a service's container."""
        text = self.run("docker", "inspect", self.container(service)).stdout
        content: dict[str, object] = json.loads(text)[0]
        return content

    def down(self) -> list[str]:
        """Remove all containers, networks and volumes.

        Returns:
            Those that still exist afterwards: none, if it works.
        """
        self.compose("--profile", "*", "down", "--volumes")
        left = []
        for kind in KINDS:
            label = f"label=com.docker.compose.project={self.project}"
            every = ["--all"] if kind == "container" else []
            names = self.run("docker", kind, "ls", *every, "--quiet", "--filter", label).stdout
            left += [f"{kind} {name}" for name in names.split()]
        return left


@contextmanager
def copy(images: dict[str, str]) -> Iterator[Stack]:
    """Copy this checkout's tracked files for a normal user, and remove the copy at the end.

    Args:
        images: variables that name images, such as ``RABBITMQ_IMAGE``.
    """
    with tempfile.TemporaryDirectory(prefix="rabbit-lab-") as folder:
        root = Path(folder) / "rabbit-lab"
        root.mkdir()
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).exists():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, root / name)
        Path(folder).chmod(0o755)
        _give(root, LEARNER)
        stack = Stack(root, images)
        try:
            yield stack
        finally:
            stack.down()
            stack.run("docker", "image", "rm", f"{stack.project}-jupyter", check=False)


def images(names: Sequence[str]) -> dict[str, str]:
    """Return the variables that name stand-ins for images; missing stand-ins are built.

    Args:
        names: keys of ``standins.STANDINS``; the last RabbitMQ is used.
    """
    return {f"{name.split('-')[0].upper()}_IMAGE": standins.image(name) for name in names}


def _give(root: Path, user: int) -> None:
    for path in [root, *root.rglob("*")]:
        os.chown(path, user, user, follow_symlinks=False)
