"""A shared broker and disposable nodes of one generation, for the time of a ``with`` block."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from helpers import broker
from helpers.broker import scratch, selection
from helpers.errors import BrokerNotReadyError, UsageError
from helpers.machine import locks
from helpers.rabbitmq.generations import GENERATIONS
from helpers.suite import doctor
from tests.slow.offline import standins, wrapper

# What would lead to another broker than the one that is started here.
ELSEWHERE = ("AMQP_URL", "MANAGEMENT_URL")


def check_names(names: list[str]) -> list[str]:
    """Return the generations that are meant, oldest first; all when none is named.

    Raises:
        UsageError: one is unknown.
    """
    if unknown := [name for name in names if name not in GENERATIONS]:
        raise UsageError(f"no generation {', '.join(unknown)}: there are {', '.join(GENERATIONS)}")
    return [name for name in GENERATIONS if name in names or not names]


@contextmanager
def running(name: str) -> Iterator[broker.Broker]:
    """Make one generation the RabbitMQ of this process and of those that it starts.

    Its root file system is built when it is not there yet; that takes minutes once.

    Args:
        name: such as "4.0".

    Yields:
        The shared broker. It is stopped at the end, with every other node and service that was
        started meanwhile, and the environment is as it was.

    Raises:
        NoOtherTreeError: this machine cannot run it.
        StandinError: its root file system cannot be built.
        BrokerNotReadyError: it does not start, or another process is at it.
    """
    if reason := wrapper.why_not():
        raise wrapper.NoOtherTreeError(reason)
    folder = standins.cache() / f"run-{name}"
    with _alone(name), _environment(folder / "home"):
        doctor.stop_what_is_ours()  # of a run that was killed
        try:
            tree = standins.tree(f"rabbitmq-{name}")
            server = wrapper.write(folder / "bin", tree=tree, home=folder / "home")
            os.environ["RABBIT_LAB_SERVER"] = str(server)
            os.environ["PATH"] = f"{server.parent}{os.pathsep}{os.environ['PATH']}"
            found = broker.find()
            if found.generation != name:
                raise BrokerNotReadyError(
                    f"the stand-in for {name} is a RabbitMQ {found.version}: remove {tree}"
                )
            yield found
        finally:
            with _patient():
                scratch.close()  # a later generation has no vhost of this one
                doctor.stop_what_is_ours()
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    lock = standins.cache() / f"run-{name}.lock"
    handle = locks.take(lock)
    if handle is None:
        raise BrokerNotReadyError(
            f"another process runs things on RabbitMQ {name} here: wait until it has ended"
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
def _patient() -> Iterator[None]:
    # A second Ctrl-C must not leave a node behind.
    with suppress(ValueError):  # not the main thread, which alone gets signals
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
