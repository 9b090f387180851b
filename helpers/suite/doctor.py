"""Diagnose and describe the broker and this machine: ``up``, ``down``, ``status``, ``doctor``."""

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pika

from helpers import broker
from helpers.broker import compose, install
from helpers.broker.decisions import decisions
from helpers.broker.scratch import leases, sweep
from helpers.broker.selection import NotRunningError
from helpers.broker.vhosts import call
from helpers.errors import BrokerError, RabbitLabError, WaitTimeoutError
from helpers.machine import addresses, apt, docker
from helpers.machine.paths import ROOT, home, shown
from helpers.machine.ports import is_free
from helpers.rabbitmq import cluster, health, lost_nodes, ready, server, shared_node
from helpers.rabbitmq.generations import not_recorded
from helpers.rabbitmq.model import AMQP_URL, credentials
from helpers.rabbitmq.node_files import PLUGINS, cookie_of
from helpers.services import SERVICES, Service
from helpers.services import cluster as cluster_service
from helpers.waits import wait_until

# RabbitMQ stops accepting messages when less than 50 MB are free; twice that, and some for data.
LEAST_FREE_BYTES = 500_000_000
STATISTICS_TIMEOUT_S = 15.0
SLOW_OPENING_S = 1.0  # usually it takes hundredths of a second
OPENED = 3  # each time anew: only some are slow
JUPYTER_PORT = 8888


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report."""

    fine: bool
    text: str

    def __str__(self) -> str:
        """Return the line with its mark."""
        return f"{'ok  ' if self.fine else 'LOOK'}  {self.text}"


def up() -> Finding:
    """Find a broker or start one, and end nodes that have lost their folder."""
    shared_node.end_lost_nodes()
    return _describe(broker.find())


def describe(found: broker.Broker) -> str:
    """Return where the broker is, how to log in to its management page, and if it is blocked."""
    return _describe(found).text


def _describe(found: broker.Broker) -> Finding:
    blocked = health.why_blocked(found)
    ours = found.source in (docker.SOURCE, shared_node.SOURCE)
    password = credentials(found.amqp_url)[1] if ours else "as in AMQP_URL"
    note = f"; {text}" if (text := not_recorded(found.generation)) else ""
    state = f"runs, but blocks publishers: {blocked}" if blocked else "is up"
    return Finding(
        not blocked,
        f"RabbitMQ {found.version} on Erlang {found.erlang} {state} ({found.source}){note}\n"
        f"  AMQP             {found.host}:{found.port}\n"
        f"  management page  {found.management_page} (user {found.user}, password {password})",
    )


def start_cluster() -> str:
    """Find a cluster of three nodes or start one, and return where they are."""
    nodes = cluster.start()
    password = credentials(nodes[0].broker.amqp_url)[1]
    lines = [f"A cluster is up: {cluster_service.describe()}"]
    for node in nodes:
        at = node.broker
        lines.append(
            f"  {node.name}\n    AMQP             {at.host}:{at.port}\n"
            f"    management page  {at.management_page} (user {at.user}, password {password})"
        )
    return "\n".join(lines)


def running_services() -> list[Service]:
    """Return the services that experiments of this checkout started and that still run."""
    return [service for service in SERVICES.values() if service.is_running()]


def stop_services(keep: Collection[Service] = ()) -> list[str]:
    """Stop the services that experiments of this checkout started; return what was stopped.

    Args:
        keep: services that are left alone.
    """
    names = [service.stop() for service in SERVICES.values() if service not in keep]
    return [name for name in names if name]


def stop_what_is_ours(*, cluster_too: bool = True) -> str:
    """Stop the broker and the services that this checkout started, and report what was stopped.

    Args:
        cluster_too: also the cluster, which only ``up --cluster`` starts.
    """
    lost = [str(node) for node in lost_nodes.end()]  # first: their folder's notes may be here now
    stopped = [shared_node.SOURCE] if shared_node.stop() else []
    if compose.stop():
        stopped.append(docker.SOURCE)
    if cluster_too and (ended := cluster.stop()):
        stopped.append(ended)
    stopped += [*stop_services(), *lost]
    used = [name for name, in_use in leases().items() if in_use]
    lines = [f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running."]
    if stopped and used:
        lines.append(f"Still in use by a running notebook or test: {', '.join(used)}.")
    if addresses.given(AMQP_URL):
        lines.append("The broker of AMQP_URL was left alone.")
    return "\n".join(lines)


def status() -> str:
    """Return whether a broker runs, where, and which scratch vhosts are in use."""
    beside = "".join(f"\n  {finding.text}" for finding in _services())
    try:
        found = broker.find(start=False)
    except NotRunningError as error:
        return f"Not running: {error}.{beside}"
    left = sweep(found)
    used = [name for name, in_use in leases().items() if in_use]
    lines = [describe(found), f"  scratch vhosts   {', '.join(used) or 'none'}"]
    if left:
        lines.append(f"  swept            {', '.join(left)} (left behind by killed processes)")
    return "\n".join(lines) + beside


def examine() -> list[Finding]:
    """Check everything that the notebooks need; nothing is started or installed."""
    findings = [_python(), _packages(), _disk(), _jupyter_port(), _installing()]
    findings += [*_cookie(), *_lost_nodes(), *_services()]
    try:
        found = broker.find(start=False)
    except NotRunningError:
        return [*findings, *_ways()]
    except BrokerError as error:
        return [*findings, Finding(False, str(error))]
    described = _describe(found)
    first, *others = described.text.splitlines()
    findings += [Finding(described.fine, first), *(Finding(True, line.strip()) for line in others)]
    findings += [Finding(True, f"{d.source}: {d.reason}") for d in decisions()]
    if found.source == shared_node.SOURCE and (reason := docker.why_not()):
        findings.append(Finding(True, f"{docker.SOURCE}: passed over, {reason}"))
    return [*findings, _opening(found), _plugins(found), _prometheus(found), _vhosts()]


def _services() -> list[Finding]:
    # All are optional: without one, the cells that need it show a stored result.
    findings = []
    for service in SERVICES.values():
        if lacks := service.missing():
            findings.append(Finding(True, f"optional: {lacks.rstrip('.')}"))
            continue
        try:
            findings.append(Finding(True, f"{service.NAME}: {service.describe()}"))
        except RabbitLabError as error:
            findings.append(Finding(False, str(error)))
    return findings


def _ways() -> list[Finding]:
    ways = (
        (docker.SOURCE, docker.why_not()),
        (shared_node.SOURCE, server.why_no_server()),
        (install.SOURCE, install.why_not()),
    )
    findings = [Finding(True, "no broker is running yet: `make up` starts one")]
    for source, reason in ways:
        if reason is None:
            return [*findings, Finding(True, f"{source}: would be used")]
        findings.append(Finding(True, f"{source}: passed over, {reason}"))
    return [*findings, Finding(False, install.ways_to_get_one())]


def _python() -> Finding:
    return Finding(True, f"Python {platform.python_version()} in {shown(Path(sys.prefix))}")


def _packages() -> Finding:
    wrong: list[str] = []
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if pin := re.match(r"([\w.-]+)(?:\[\w+\])?==(\S+)", line):
            name, wanted = pin.groups()
            try:
                there = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                there = "missing"
            if there != wanted:
                wrong.append(f"{name} is {there}, wanted {wanted}")
    if wrong:
        return Finding(False, f"packages: {'; '.join(wrong)}: delete .venv and run make again")
    return Finding(True, "packages are the ones that requirements.txt pins")


def _disk() -> Finding:
    free = shutil.disk_usage(home()).free
    text = f"{health.size(free)} free for {shown(home())}"
    if free < LEAST_FREE_BYTES:
        return Finding(False, f"only {text}: RabbitMQ stops accepting messages when it runs out")
    return Finding(True, text)


def _jupyter_port() -> Finding:
    state = "is free" if is_free(JUPYTER_PORT) else "is taken, so the next free one would be used"
    return Finding(True, f"JupyterLab's usual port {JUPYTER_PORT} {state}")


def _installing() -> Finding:
    if reason := apt.why_not():
        return Finding(True, f"missing packages are not installed: {reason}")
    return Finding(
        True, "missing packages may be installed with apt-get; RABBIT_LAB_INSTALL=off declines"
    )


def _cookie() -> list[Finding]:
    cookie = cookie_of(shared_node.folder())
    if not cookie.exists():
        return []
    seen = cookie.stat()
    mode = seen.st_mode & 0o777
    if mode == 0o400 and seen.st_uid == os.geteuid():
        return []
    text = (
        f"{shown(cookie)} has mode {mode:o} and owner {seen.st_uid}: Erlang wants 400 and"
        f" {os.geteuid()}; `make down` and `make up` make it anew"
    )
    return [Finding(False, text)]


def _lost_nodes() -> list[Finding]:
    return [Finding(False, f"{node}: `make down` ends it") for node in lost_nodes.find()]


def _opening(found: broker.Broker) -> Finding:
    # A server whose own name cannot be resolved waits for a name server, now and then for seconds:
    # rabbitmq/rabbitmq-server#1334.
    took_s = 0.0
    for _ in range(OPENED):
        began_s = time.monotonic()
        with closing(ready.open_connection(pika.URLParameters(found.amqp_url))):
            took_s = max(took_s, time.monotonic() - began_s)
    text = f"opening a connection takes {took_s * 1000:.0f} ms"
    if took_s < SLOW_OPENING_S:
        return Finding(True, text)
    return Finding(
        False,
        f"{text}, so labs and claims may fail: the broker is busy or far away, or its machine"
        " cannot resolve its own host name, which belongs into /etc/hosts there",
    )


def _plugins(found: broker.Broker) -> Finding:
    def enabled() -> set[str]:
        nodes = call(found, "GET", "nodes")
        return {plugin for node in nodes for plugin in node.get("enabled_plugins", ())}

    try:
        # A node that has just started has no statistics of itself yet.
        there = wait_until(enabled, timeout_s=STATISTICS_TIMEOUT_S, what="them", every_s=0.2)
    except WaitTimeoutError:
        return Finding(False, "plugins: the management API does not list the enabled ones")
    if missing := [name for name in PLUGINS if name not in there]:
        return Finding(
            False, f"plugins missing: {', '.join(missing)} (`rabbitmq-plugins enable NAME`)"
        )
    return Finding(True, f"plugins: all {len(PLUGINS)} that the notebooks may use are enabled")


def _prometheus(found: broker.Broker) -> Finding:
    if found.prometheus_url is None:
        return Finding(False, "no Prometheus metrics: is the plugin rabbitmq_prometheus enabled?")
    if reason := health.why_unreadable(f"{found.prometheus_url}/metrics"):
        return Finding(False, reason)
    return Finding(True, f"Prometheus metrics at {found.prometheus_url}")


def _vhosts() -> Finding:
    used = [name for name, in_use in leases().items() if in_use]
    return Finding(True, f"scratch vhosts in use: {', '.join(used) or 'none'}")
