"""Give each learner of a class private vhosts and users on one broker.

The learner NAME gets the vhost ``class-NAME``, which AMQP_URL leads to, and `SPARES` vhosts
``class-NAME.1``, … for notebooks and checks that run at the same time; see
`helpers.broker.assigned_vhosts`.
Each vhost has limits, and a user of the same name that may use no other vhost; a learner's users
share one password. Their tag policymaker has just the rights to set a policy and to ask the
management API about their own queues.

``python -m helpers.classroom.seats list`` and ``… remove NAME`` are for the instructor, inside
the container: ``docker compose exec jupyterhub python -m helpers.classroom.seats list``.

Source: RabbitMQ documentation, "Access Control" and "Virtual Host Limits".
"""

import os
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import click

from helpers.broker import assigned_vhosts, vhosts
from helpers.errors import BrokerRefusedError, UsageError
from helpers.machine.paths import ROOT
from helpers.rabbitmq import management
from helpers.rabbitmq.model import (
    AMQP_URL,
    MANAGEMENT_URL,
    given_amqp_url,
    given_management_url,
)
from helpers.suite import exits

CONFIG = ROOT / "docker" / "classroom" / "jupyterhub_config.py"
INSTRUCTOR = "instructor"  # of the Hub and of the broker
NAME = r"[a-z][a-z0-9-]{0,19}"  # of a learner: a Unix user and a part of vhost names
PREFIX = "class-"
SPARES = 5
LIMITS = {"max-connections": 100, "max-queues": 100}  # of each vhost
TAG = "policymaker"
LEAST = {"JUPYTERHUB_PASSWORD": 8, "JUPYTERHUB_ADMIN_PASSWORD": 32}  # characters, as the Hub asks
NEW = "unset"  # the broker's password of `INSTRUCTOR` when it was started without one
OLDEST = 4  # RabbitMQ 3 does not let a user close its own connections by the management API


@dataclass(frozen=True, repr=False)
class Classroom:
    """The class's broker, with its administrator's rights, and the passwords of the class."""

    amqp_url: str  # without user and password
    management_url: str
    password: str  # the learners'
    admin_password: str  # the instructor's, on the Hub and on the broker

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the broker's management API as its administrator; see `management.call`."""
        login = (INSTRUCTOR, self.admin_password)
        return management.call(self.management_url, login, method, path, body)


def settings(environ: Mapping[str, str] = os.environ) -> Classroom:
    """Return the settings of the class from the environment.

    Args:
        environ: holds JUPYTERHUB_PASSWORD, JUPYTERHUB_ADMIN_PASSWORD, AMQP_URL (without a login)
            and MANAGEMENT_URL.

    Raises:
        UsageError: one of them is missing or not usable.
    """
    whose = {"JUPYTERHUB_PASSWORD": "the class", "JUPYTERHUB_ADMIN_PASSWORD": "the instructor"}
    for name, least in LEAST.items():
        if not (value := environ.get(name, "")):
            raise UsageError(
                f"{name} is not set: choose the password of {whose[name]}, {least} characters or"
                f" more, and set it where you run `docker compose`"
            )
        if len(value) < least:
            raise UsageError(f"{name} has {len(value)} characters: it takes {least} or more")
    passwords = [environ[name] for name in LEAST]
    if passwords[0] == passwords[1]:
        raise UsageError(f"{' and '.join(LEAST)} are the same: learners would be administrators")
    urls = {AMQP_URL: given_amqp_url(environ), MANAGEMENT_URL: given_management_url(environ)}
    for name, url in urls.items():
        if not url:
            raise UsageError(f"{name} is not set: it names the broker of the class")
    return Classroom(*urls.values(), *passwords)


def check(room: Classroom) -> str:
    """Check that the broker can serve a class, and return its version.

    A broker that was started without a password gets it now.

    Raises:
        BrokerRefusedError: it does not know the instructor's password, or is too old.
        BrokerNotReadyError: it does not answer.
    """
    try:
        overview = room.call("GET", "overview")
    except management.ManagementApiError as error:
        if error.status != 401:
            raise
        _give_password(room)
        overview = room.call("GET", "overview")
    version: str = overview["rabbitmq_version"]
    if int(version.partition(".")[0]) < OLDEST:
        raise BrokerRefusedError(
            f"the broker is RabbitMQ {version}: a class needs {OLDEST}.0 or newer, in which a user"
            " who is no administrator may close its own connections"
        )
    return version


def _give_password(room: Classroom) -> None:
    user = {"password": room.admin_password, "tags": "administrator"}
    try:
        management.call(room.management_url, (INSTRUCTOR, NEW), "PUT", f"users/{INSTRUCTOR}", user)
    except management.ManagementApiError:
        raise BrokerRefusedError(
            f"the class's broker does not let {INSTRUCTOR!r} in with JUPYTERHUB_ADMIN_PASSWORD: its"
            " data were made with another one; set that, or remove all data of the class with"
            " `docker compose --profile classroom down --volumes`"
        ) from None


def vhosts_of(learner: str) -> list[str]:
    """Return the names of a learner's vhosts; the first is the one of AMQP_URL.

    Raises:
        UsageError: the name is not allowed.
    """
    if not re.fullmatch(NAME, learner):
        raise UsageError(
            f"a learner cannot be called {learner!r}: use up to 20 lower-case letters, digits and"
            " hyphens, with a letter first"
        )
    own = PREFIX + learner
    return [own, *(f"{own}.{number}" for number in range(1, SPARES + 1))]


def open_seat(room: Classroom, learner: str) -> dict[str, str]:
    """Make a learner's vhosts and users, with a new password, and return their environment.

    Queues and messages of existing vhosts stay, so that no restart of a server loses a message.

    Args:
        room: the class.
        learner: the name.

    Returns:
        AMQP_URL, MANAGEMENT_URL and the vhosts for the notebooks, as variables.

    Raises:
        UsageError: the name is not allowed.
        BrokerError: the broker does not answer, or refuses it.
    """
    own, *spares = vhosts_of(learner)
    password = secrets.token_urlsafe(18)
    vhosts.make(room.call, own, password, tags=TAG, limits=LIMITS)
    for spare in spares:
        vhosts.make(room.call, spare, password, tags=TAG, limits=LIMITS)
    parts = urlsplit(room.amqp_url)
    address = parts.netloc.rpartition("@")[2]
    url = urlunsplit(parts._replace(netloc=f"{own}:{password}@{address}", path=f"/{quote(own)}"))
    return {
        "AMQP_URL": url,
        "MANAGEMENT_URL": room.management_url,
        assigned_vhosts.VARIABLE: ",".join(spares),
    }


def seats(room: Classroom) -> dict[str, int]:
    """Return the learners with vhosts on the broker, and the number of queues of each."""
    found: dict[str, int] = {}
    for vhost in room.call("GET", "vhosts"):
        name = vhost["name"].removeprefix(PREFIX).partition(".")[0]
        if vhost["name"].startswith(PREFIX):
            queues = room.call("GET", f"queues/{quote(vhost['name'], safe='')}?disable_stats=true")
            found[name] = found.get(name, 0) + len(queues)
    return found


def close_seat(room: Classroom, learner: str) -> None:
    """Remove a learner's vhosts and users with all their queues; absent ones are no error.

    Raises:
        UsageError: the name is not allowed.
        BrokerError: the broker does not answer, or refuses it.
    """
    for name in vhosts_of(learner):
        vhosts.remove(room.call, name)


@click.group(help="The class on one broker, for the instructor.")
def _commands() -> None:
    pass


@_commands.command(help="Check the settings and run the Hub, as the container does.")
def start() -> None:
    """Become the Hub, once the broker is ready for the class."""
    print(f"RabbitMQ {check(settings())} is ready for the class.", flush=True)
    os.execvp("jupyterhub", ["jupyterhub", f"--config={CONFIG}"])


@_commands.command("list", help="List the learners that the broker knows.")
def show() -> int:
    """Print a line for each learner."""
    for name, queues in sorted(seats(settings()).items()):
        print(f"{name}: {queues} queues")
    return 0


@_commands.command(help="Remove the vhosts and users of learners.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="Those of every learner.")
def remove(names: Sequence[str], everyone: bool) -> int:
    """Close seats.

    Raises:
        UsageError: neither names nor ``--all``, or both.
    """
    room = settings()
    if bool(names) == everyone:
        raise UsageError("name the learners to remove, or say --all")
    for name in sorted(seats(room)) if everyone else names:
        close_seat(room, name)
        print(f"removed the vhosts of {name}; the files in their home stay")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the instructor's command.

    Args:
        arguments: the words after the module's name; None takes those of this process.

    Returns:
        The exit code; see `exits.run`.
    """
    return exits.run(_commands, arguments, program="python -m helpers.classroom.seats")


if __name__ == "__main__":
    sys.exit(main())
