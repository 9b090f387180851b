"""Ask a Prometheus over HTTP; answers are DataFrames."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import requests

from helpers.errors import ServiceNotReadyError, UsageError, WaitTimeoutError
from helpers.machine.http import loopback_session
from helpers.waits import wait_until

if TYPE_CHECKING:
    import pandas as pd

HTTP_S = (3.0, 10.0)
LOOK_EVERY_S = 0.1
State = Literal["firing", "pending", "inactive"]


@dataclass(frozen=True)
class Api:
    """The HTTP API of a Prometheus."""

    url: str

    def is_ready(self) -> bool:
        """Return whether it answers questions."""
        try:
            return self._send("GET", "/-/ready").ok
        except ServiceNotReadyError:
            return False

    def query(self, promql: str) -> "pd.DataFrame":
        """Ask for the current value of an expression.

        Args:
            promql: such as ``sum(rabbitmq_queue_messages_ready) by (queue)``.

        Returns:
            DataFrame: ``value`` float; before it one str column per label, ``metric`` for the
            name, "" where a series lacks the label. No rows when nothing matches.

        Raises:
            UsageError: not PromQL.
            ServiceNotReadyError: no answer.

        Source: Prometheus documentation, "Querying: HTTP API".
        """
        result = self._get("query", query=promql)
        if result["resultType"] in ("scalar", "string"):
            return _frame([({}, {"value": _number(result["result"][1])})], ["value"])
        if result["resultType"] == "matrix":
            raise UsageError(f"{promql!r} gives a range of values: use query_range")
        rows = [(r["metric"], {"value": _number(r["value"][1])}) for r in result["result"]]
        return _frame(rows, ["value"])

    def query_range(self, promql: str, *, last_s: float, step_s: float) -> "pd.DataFrame":
        """Ask for the values of an expression over the last seconds.

        Args:
            promql: the expression, without a range of its own at the end.
            last_s: how far back, in seconds.
            step_s: distance of two points, in seconds.

        Returns:
            DataFrame: one str column per label, ``t_s`` float, seconds since the first possible
            point, and ``value`` float.

        Raises:
            UsageError: not PromQL, or a range or step that makes no sense.
            ServiceNotReadyError: no answer.
        """
        if not 0 < step_s <= last_s:
            raise UsageError("step_s must be above 0 and at most last_s")
        end_s = round(time.time(), 3)  # it counts in milliseconds
        start_s = end_s - last_s
        result = self._get("query_range", query=promql, start=start_s, end=end_s, step=step_s)
        rows = [
            (series["metric"], {"t_s": round(at_s - start_s, 3), "value": _number(value)})
            for series in result["result"]
            for at_s, value in series["values"]
        ]
        return _frame(rows, ["t_s", "value"])

    def alerts(self) -> "pd.DataFrame":
        """Return the alerts that are pending or firing.

        Returns:
            DataFrame: ``alert`` str, ``state`` str ("pending" or "firing"), one str column per
            further label, and ``value`` float, the expression's value. No rows: all is well.

        Raises:
            ServiceNotReadyError: no answer.
        """
        rows = []
        for alert in self._get("alerts")["alerts"]:
            labels = dict(alert["labels"])
            first = {"alert": labels.pop("alertname"), "state": alert["state"]}
            rows.append((first | labels, {"value": _number(alert["value"])}))
        return _frame(rows, ["value"], first=["alert", "state"])

    def rules(self) -> "pd.DataFrame":
        """Return the rules that are loaded.

        Returns:
            DataFrame: ``group``, ``rule``, ``state`` ("inactive", "pending" or "firing"),
            ``health`` ("ok", "err", or "unknown" before the first evaluation), ``error``, all str.

        Raises:
            ServiceNotReadyError: no answer.
        """
        rows = [
            {
                "group": group["name"],
                "rule": rule["name"],
                "state": rule.get("state", ""),
                "health": rule["health"],
                "error": rule.get("lastError", ""),
            }
            for group in self._get("rules")["groups"]
            for rule in group["rules"]
        ]
        return _frame([(row, {}) for row in rows], [], first=list(rows[0]) if rows else ["rule"])

    def targets(self) -> "pd.DataFrame":
        """Return the targets of the scrapes.

        Returns:
            DataFrame: ``job``, ``url``, ``health`` ("up", "down", or "unknown" before the first
            scrape), ``error``, all str.

        Raises:
            ServiceNotReadyError: no answer.
        """
        rows = [
            {
                "job": target["labels"]["job"],
                "url": target["scrapeUrl"],
                "health": target["health"],
                "error": target["lastError"],
            }
            for target in self._get("targets")["activeTargets"]
        ]
        return _frame([(row, {}) for row in rows], [], first=["job", "url", "health", "error"])

    def wait_for_alert(
        self, name: str, *, timeout_s: float, state: State = "firing", **labels: str
    ) -> float:
        """Wait until an alert is in a state.

        Args:
            name: the alert's name.
            timeout_s: deadline in seconds.
            state: "firing", "pending", or "inactive": neither of them.
            **labels: labels that it must have, such as ``queue="thumbnails"``.

        Returns:
            How long it took, in seconds.

        Raises:
            UsageError: no rule has that name, or there is no such state.
            WaitTimeoutError: the deadline passed; the message holds the last alerts.
        """
        if state not in get_args(State):
            raise UsageError(f"state must be one of {', '.join(get_args(State))}, not {state!r}")
        known = set(self.rules()["rule"])
        if name not in known:
            raise UsageError(f"no rule is called {name!r}; there are: {', '.join(sorted(known))}")
        began_s = time.monotonic()
        seen: list[str] = []

        def there() -> bool:
            alerts = self.alerts()
            seen[:] = [f"{row.alert} {row.state}" for row in alerts.itertuples()]
            chosen = alerts[alerts["alert"] == name]
            for label, value in labels.items():
                chosen = chosen[chosen[label] == value] if label in chosen else chosen[:0]
            return chosen.empty if state == "inactive" else (chosen["state"] == state).any()

        try:
            wait_until(there, timeout_s=timeout_s, what="it", every_s=LOOK_EVERY_S)
        except WaitTimeoutError:
            raise WaitTimeoutError(
                f"{name} was not {state} within {timeout_s:g} s; the alerts were:"
                f" {', '.join(seen) or 'none'}"
            ) from None
        return time.monotonic() - began_s

    def post(self, path: str) -> None:
        """Send a command.

        Raises:
            ServiceNotReadyError: no answer, or it refuses.
        """
        answer = self._send("POST", path)
        if not answer.ok:
            raise ServiceNotReadyError(f"Prometheus refuses {path}: {answer.text.strip()[:500]}")

    def _get(self, what: str, **parameters: Any) -> Any:
        answer = self._send("GET", f"/api/v1/{what}", parameters)
        try:
            content = answer.json()
        except ValueError:
            raise ServiceNotReadyError(f"{self.url} does not answer as Prometheus") from None
        if content.get("status") != "success":
            error = str(content.get("error", answer.reason))
            if answer.status_code in (400, 422):
                raise UsageError(f"Prometheus refuses the query: {error}")
            raise ServiceNotReadyError(f"Prometheus does not answer {what}: {error}")
        return content["data"]

    def _send(
        self, method: str, path: str, parameters: Mapping[str, Any] | None = None
    ) -> requests.Response:
        try:
            with loopback_session() as session:
                return session.request(method, self.url + path, params=parameters, timeout=HTTP_S)
        except requests.RequestException as error:
            raise ServiceNotReadyError(f"no answer from Prometheus: {error}") from None


def _number(text: str) -> float:
    return float(text.replace("Inf", "inf"))


def _frame(
    rows: list[tuple[dict[str, str], dict[str, float]]],
    values: list[str],
    *,
    first: list[str] | None = None,
) -> "pd.DataFrame":
    import pandas as pd

    labelled = [
        {("metric" if k == "__name__" else k): v for k, v in row.items()} for row, _ in rows
    ]
    names = {name for row in labelled for name in row}
    begin = first if first is not None else (["metric"] if "metric" in names else [])
    columns = begin + sorted(names - set(begin))
    table = [[row.get(name, "") for name in columns] for row in labelled]
    frame = pd.DataFrame(table, columns=columns)
    for name in values:
        frame[name] = pd.Series([numbers[name] for _, numbers in rows], dtype=float)
    return frame
