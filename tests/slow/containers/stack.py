"""The Compose stack of a fresh copy of this checkout, under a project and ports of its own."""

import json
import os
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

LEARNER = 1000  # the user that docker-compose.yml takes when nothing is said
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
    """The stack does not do what it should; the message says what was seen."""


class Stack:
    """A copy of the checkout with its containers."""

    def __init__(self, folder: Path, images: dict[str, str]) -> None:
        self.folder = folder
        self.ran: set[str] = set()  # each command so far, as one types it
        self.project = f"rabbit-lab-test-{os.getpid()}"
        ports = free_port_numbers(len(PORTS))
        self.port = dict(zip(PORTS, ports, strict=True))
        # Nothing of the caller's own stack or broker may be taken for this one.
        ours = ("RABBIT_LAB_", "RABBITMQ_", "COMPOSE_", "AMQP_", "MANAGEMENT_")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        self.environment |= images | {name: str(port) for name, port in self.port.items()}
        self.environment |= {"COMPOSE_PROJECT_NAME": self.project}

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
        """Run a command in the copy, with the stack's environment; like `compose`."""
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
        """Start a command in the copy and go on; its output is for ``communicate``."""
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
        """Run ``docker compose up`` until everything is healthy; return what it printed."""
        command = ("up", "--detach", "--wait", *arguments)
        return self.compose(*command, timeout_s=UP_TIMEOUT_S, **variables).stdout

    def container(self, service: str) -> str:
        """Return the id of a service's container, running or not.

        Raises:
            StackError: there is none.
        """
        found = self.compose("ps", "--all", "--quiet", service).stdout.split()
        if not found:
            raise StackError(f"there is no container of {service}")
        return found[0]

    def inspect(self, service: str) -> dict[str, object]:
        """Return what Docker knows about a service's container."""
        text = self.run("docker", "inspect", self.container(service)).stdout
        content: dict[str, object] = json.loads(text)[0]
        return content

    def down(self) -> list[str]:
        """Take everything down, volumes too.

        Returns:
            What is left of it all the same; empty is right.
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
    """Copy what git knows of this checkout, for a user who is not root, and clean up afterwards.

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
    """Return the variables that name stand-ins for images, built where they do not exist yet.

    Args:
        names: keys of ``standins.STANDINS``; of RabbitMQ the last one is used.
    """
    return {f"{name.split('-')[0].upper()}_IMAGE": standins.image(name) for name in names}


def _give(root: Path, user: int) -> None:
    for path in [root, *root.rglob("*")]:
        os.chown(path, user, user, follow_symlinks=False)
