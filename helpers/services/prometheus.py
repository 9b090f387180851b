"""A private Prometheus for the time of a ``with`` block, and promtool for alert rules."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from helpers.errors import ServiceMissingError, ServiceNotReadyError, UsageError
from helpers.machine import apt, keeper
from helpers.machine.paths import ROOT, shown
from helpers.machine.ports import free_port_numbers
from helpers.machine.run import run
from helpers.rabbitmq.health import why_unreadable
from helpers.services.private import PrivateService, find_program, switched_off
from helpers.services.prometheus_api import Api
from helpers.waits import wait_until

NAME = "Prometheus"
PACKAGE = "prometheus"
PREFIX = "prometheus"
PLACES = ("/usr/local/bin", "/opt/homebrew/bin", "/opt/prometheus")
START_TIMEOUT_S = 30.0
PROMTOOL_TIMEOUT_S = 60.0
LEAST_S, MOST_S = 0.1, 60.0


def missing() -> str | None:
    """Return, in one sentence, what is missing and how to get it; None when nothing is."""
    if reason := switched_off():
        return f"{NAME} is not used: {reason}."
    if find_program("prometheus", *PLACES) and find_program("promtool", *PLACES):
        return None
    if apt.has_apt():
        how = f"`sudo apt-get install {PACKAGE}` (its system service may stay stopped)"
    else:
        how = "`brew install prometheus`, or the release from prometheus.io on the PATH,"
    return f"There is no {NAME} on this machine: {how} brings `prometheus` and `promtool`."


def version() -> str:
    """Return the version of the program, like "2.42.0".

    Raises:
        ServiceMissingError: there is none.
    """
    done = _run("prometheus", "--version")
    return (done.stdout or done.stderr).split("version ", 1)[-1].split("+")[0].split()[0]


def describe() -> str:
    """Return how it would be used, for the doctor."""
    return f"version {version()} is installed; a notebook starts its own"


def is_running() -> bool:
    """Return False: each server runs for the time of one experiment."""
    return False


def stop() -> str | None:
    """Remove the servers that killed processes left, and return how many."""
    left = sweep()
    return f"{len(left)} Prometheus server(s) that a killed process left behind" if left else None


def read_rules(path: str | Path) -> str:
    """Return the text of a file of alert rules.

    Args:
        path: the file; a relative path starts at the root of the checkout.

    Raises:
        UsageError: there is no such file.
    """
    return _find(path).read_text(encoding="utf-8")


def check_rules(path: str | Path) -> str:
    """Check a file of alert rules as ``promtool check rules`` does.

    Args:
        path: the file; a relative path starts at the root of the checkout.

    Returns:
        What promtool says: how many rules were found.

    Raises:
        ServiceMissingError: there is no promtool.
        UsageError: no such file, or promtool finds mistakes; the message names them.
    """
    return _promtool("check", path)


def test_rules(path: str | Path) -> str:
    """Run the unit tests of alert rules as ``promtool test rules`` does.

    Args:
        path: the file of tests; a relative path starts at the root of the checkout.

    Returns:
        What promtool says.

    Raises:
        ServiceMissingError: there is no promtool.
        UsageError: no such file, or a test fails; the message holds what was expected and got.
    """
    return _promtool("test", path)


@dataclass(frozen=True, repr=False)
class Server(Api):
    """A Prometheus that runs; see ``server``."""

    pid: int
    _config: Path
    _scrape: tuple[str, ...]
    _every_s: float

    def __repr__(self) -> str:
        """Return one line."""
        return f"Server({len(self._scrape)} targets, every {self._every_s:g} s)"

    def reload(self, rules: str | Path | None) -> None:
        """Take other alert rules, or the same file after a change; what was scraped stays.

        Args:
            rules: the file; a relative path starts at the root of the checkout. None: no rules.

        Raises:
            UsageError: no such file, or promtool finds mistakes in it.
            ServiceNotReadyError: Prometheus refuses them.
        """
        self._config.write_text(_configuration(self._scrape, rules, self._every_s))
        self.post("/-/reload")


@contextmanager
def server(
    *,
    scrape: Sequence[str],
    rules: str | Path | None = None,
    every_s: float = 1.0,
    timeout_s: float = START_TIMEOUT_S,
) -> Iterator[Server]:
    """Run a private Prometheus on a free loopback port, with empty data.

    Args:
        scrape: URLs to scrape, with their query, such as
            ``http://127.0.0.1:15692/metrics/detailed?family=queue_coarse_metrics``. Their series
            have the labels ``job``, the path's last part, and ``instance="rabbitmq"``.
        rules: a file of alert rules; a relative path starts at the root of the checkout.
        every_s: pause between two scrapes, and between two evaluations of the rules, in seconds
            (0.1 to 60); a scrape that takes longer than this fails.
        timeout_s: how long the start and the first scrape may take, in seconds; it looks at its
            targets every 5 s, so about 6.

    Yields:
        The server, when each target has been scraped once, with or without success; it and its
        data are removed at the end of the block.

    Raises:
        ServiceMissingError: there is no Prometheus; see ``missing``.
        ServiceNotReadyError: it does not start in time; with the end of its log. Or a broker's
            metrics are none that it can read.
        UsageError: an argument makes no sense, or promtool finds mistakes in the rules.

    Source: Prometheus documentation, "Configuration".
    """
    if reason := missing():
        raise ServiceMissingError(reason)
    if not LEAST_S <= every_s <= MOST_S:
        raise UsageError(f"every_s must be from {LEAST_S:g} to {MOST_S:g}, not {every_s:g}")
    configuration = _configuration(scrape, rules, every_s)
    for url in scrape:
        if reason := why_unreadable(url):
            raise ServiceNotReadyError(f"Prometheus cannot read {url}: {reason}")
    with keeper.temporary(PREFIX, _service) as service:
        yield _start(service, configuration, tuple(scrape), every_s, timeout_s)


def sweep() -> list[Path]:
    """Remove the servers of processes that have died.

    Returns:
        Their folders.
    """
    return keeper.sweep(PREFIX, _service)


def _service(folder: Path) -> PrivateService:
    return PrivateService(folder, what=NAME)


def _start(
    service: PrivateService,
    configuration: str,
    scrape: tuple[str, ...],
    every_s: float,
    timeout_s: float,
) -> Server:
    data = service.lay_out()
    config = data / "prometheus.yml"
    config.write_text(configuration)
    (port,) = free_port_numbers(1)
    url = f"http://127.0.0.1:{port}"
    command = [
        str(find_program("prometheus", *PLACES)),
        f"--config.file={config}",
        f"--storage.tsdb.path={data / 'series'}",
        "--storage.tsdb.retention.time=1d",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
        "--log.level=warn",
    ]
    api = Api(url)
    service.start(command, mark=command[1], is_ready=api.is_ready, timeout_s=timeout_s)

    def all_scraped() -> bool:
        targets = api.targets()
        if len(targets) != len(scrape) or (targets["health"] == "unknown").any():
            return False
        # A target's health is known a little earlier than its first samples can be queried.
        return len(api.query("up")) == targets["job"].nunique()

    wait_until(all_scraped, timeout_s=timeout_s, what="the first scrape", every_s=0.05)
    assert service.pid is not None
    return Server(url, service.pid, config, scrape, every_s)


def _configuration(scrape: Sequence[str], rules: str | Path | None, every_s: float) -> str:
    if isinstance(scrape, str) or not scrape:
        raise UsageError("scrape must be a list of at least one URL")
    every = f"{round(every_s * 1000)}ms"
    jobs: list[dict[str, Any]] = []
    for url in scrape:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url!r} is not a URL to scrape, such as http://host:15692/metrics")
        path = parts.path.rstrip("/") or "/metrics"
        name = path.rsplit("/", 1)[-1]
        same = sum(job["metrics_path"] == path for job in jobs)
        jobs.append(
            {
                "job_name": f"{name}-{same + 1}" if same else name,
                "scheme": parts.scheme,
                "metrics_path": path,
                "params": parse_qs(parts.query),
                # Not its port, which differs from run to run.
                "static_configs": [{"targets": [parts.netloc], "labels": {"instance": "rabbitmq"}}],
            }
        )
    configuration: dict[str, Any] = {
        "global": {
            "scrape_interval": every,
            "scrape_timeout": every,
            "evaluation_interval": every,
        },
        "scrape_configs": jobs,
    }
    if rules is not None:
        check_rules(rules)
        configuration["rule_files"] = [str(_find(rules))]
    return json.dumps(configuration)  # every JSON is YAML, too


def _find(path: str | Path) -> Path:
    found = ROOT / path
    if not found.is_file():
        raise UsageError(f"there is no file {shown(found)}")
    return found


def _promtool(verb: str, path: str | Path) -> str:
    found = _find(path)
    done = _run("promtool", verb, "rules", str(found))
    text = "\n".join(line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line)
    text = text.replace(str(found), shown(found))
    if done.returncode:
        raise UsageError(f"`promtool {verb} rules {shown(found)}` failed:\n{text}")
    return text


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    if reason := missing():
        raise ServiceMissingError(reason)
    return run(
        (str(find_program(program, *PLACES)), *arguments),
        timeout_s=PROMTOOL_TIMEOUT_S,
        error=ServiceNotReadyError,
        name=program,
    )
