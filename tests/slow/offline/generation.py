"""Use a RabbitMQ of one generation for the time of a ``with`` block."""

import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from helpers import broker
from helpers.broker import scratch, selection
from helpers.errors import BrokerNotReadyError, UsageError
from helpers.machine import locks
from helpers.rabbitmq.generations import GENERATIONS
from helpers.suite import doctor
from tests.slow.offline import standins, wrapper

# Variables that would choose another broker.
ELSEWHERE = ("AMQP_URL", "MANAGEMENT_URL")


def check_names(names: Sequence[str], without: Sequence[str] = ()) -> list[str]:
    """Return the chosen generations, oldest first.

    Args:
        names: generations such as "4.0"; all when empty.
        without: generations to leave out.

    Raises:
        UsageError: a name is unknown.
    """
    if unknown := [name for name in (*names, *without) if name not in GENERATIONS]:
        raise UsageError(f"no generation {', '.join(unknown)}: there are {', '.join(GENERATIONS)}")
    chosen = [name for name in GENERATIONS if name in names or not names]
    return [name for name in chosen if name not in without]


@contextmanager
def running(name: str) -> Iterator[broker.Broker]:
    """Make one generation the RabbitMQ of this process and of its child processes.

    Its root file system is built if it is missing, which takes some minutes once.

    Args:
        name: such as "4.0".

    Yields:
        The shared broker. At the end it is stopped, as are all nodes and services that were
        started in the block, and the environment is restored.

    Raises:
        NoOtherTreeError: this machine cannot run it.
        StandinError: its root file system cannot be built.
        BrokerNotReadyError: it does not start, or another process uses this generation.
    """
    if reason := wrapper.why_not():
        raise wrapper.NoOtherTreeError(reason)
    folder = standins.cache() / f"run-{name}"
    with _alone(name), _environment(folder / "home"):
        doctor.stop_what_is_ours()  # from a run that was killed
        try:
            tree = standins.tree(f"rabbitmq-{name}")
            server = wrapper.write(folder / "bin", tree=tree, home=folder / "home")
            os.environ["RABBIT_LAB_SERVER"] = str(server)
            os.environ["PATH"] = f"{server.parent}{os.pathsep}{os.environ['PATH']}"
            shared = broker.find()
            if shared.generation != name:
                raise BrokerNotReadyError(
                    f"the stand-in for {name} is a RabbitMQ {shared.version}: remove {tree}"
                )
            yield shared
        finally:
            with _without_interruption():
                scratch.close()  # the next generation starts without this one's vhosts
                doctor.stop_what_is_ours()
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    lock = standins.cache() / f"run-{name}.lock"
    handle = locks.take(lock)
    if handle is None:
        raise BrokerNotReadyError(
            f"another process on this machine uses the stand-in of RabbitMQ {name}: wait until it"
            " has ended"
        )
    try:
        yield
    finally:
        locks.drop(lock, handle)


@contextmanager
def _environment(home: Path) -> Iterator[None]:
    before = dict(os.environ)
    os.environ |= {"RABBIT_LAB_HOME": str(home), "RABBIT_LAB_DOCKER": "off"}
    for variable in ELSEWHERE:
        os.environ.pop(variable, None)
    selection.forget()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
        selection.forget()


@contextmanager
def _without_interruption() -> Iterator[None]:
    # A second Ctrl-C would leave a node running.
    with suppress(ValueError):  # not the main thread, which alone gets signals
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
