"""Lab 9: a worker that is killed, or whose store fails, at each point of two events."""

from collections.abc import Sequence
from dataclasses import replace

from helpers.chaos import Proxy
from labs.judge.faults import WRITES
from labs.judge.findings import Broken
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial
from labs.lab09_prefetch import cases
from labs.lab09_prefetch.cases import NEAR_FAST, Window


def killed(trial: Trial, proxy: Proxy, measured: Sequence[Window]) -> Broken | None:
    """Kill a worker next door, or let its store fail, at each point of two events."""
    host, queue = replace(NEAR_FAST, name="worker"), "thumbnails"
    events = [f"{queue}-{n}" for n in (1, 2)]
    auto = acks_automatically(measured)

    def play() -> Broken | None:
        trial.fresh(cases.TABLE)
        cases.declare(trial, queue)
        cases.publish(trial, queue, len(events))
        cases.start(trial, host, queue, proxy, restarts=3)
        trial.watch.settle(
            lambda: not undone() and (auto or acked() == set(events)),
            timeout_s=cases.START_S,
            quiet_s=cases.PATIENCE_S,  # a start takes long on a busy machine
        )
        trouble = trial.trouble()
        trial.end()
        cases.wait_for_deaths(trial, [queue])
        left = {message[1].message_id for message in trial.take_all(queue, expected=undone())}
        for event in events:
            story, lost = trial.history.story(event), why_lost(trial, measured)
            if event in undone() and event not in left:
                return Broken("a", f"{story}: no thumbnail, and in no queue", lost)
            if event in undone():
                why = "raised" if trouble else why_undone(trial, measured)
                return Broken("a", f"{trouble or story}: it stays in the queue", why)
            if event in left and event not in acked():
                why = why_kept(measured) or "never-acked"
                return Broken("a", f"{story}, and then nothing: it stays in the queue", why)
        return None

    def undone() -> list[str]:
        made = {row[0] for row in trial.rows("SELECT document FROM thumbnails")}
        return [event for event in events if event not in made]

    def acked() -> set[str]:
        acks = [
            boundary.details
            for boundary in list(trial.watch.boundaries)
            if boundary.at == "after ack"
        ]
        return {message for details in acks for message in details["messages"]}

    return crash_points(trial, play, actions=("kill", "fail"), failures=WRITES, least=6)


def why_lost(trial: Trial, measured: Sequence[Window]) -> str:
    """Return the belief behind an event that is lost."""
    if acks_automatically(measured):
        return "auto-ack"
    return "error-is-done" if trial.history.events("fail") else "ack-before-work"


def why_undone(trial: Trial, measured: Sequence[Window]) -> str:
    """Return the belief behind an event that no worker makes a thumbnail for."""
    if trial.history.events("fail"):
        return "error-is-passed-over"
    return why_kept(measured) or "not-done"


def why_kept(measured: Sequence[Window]) -> str:
    """Return the belief behind handled events without an ack, or "" if each is acked."""
    acks = [boundary.details for window in measured for boundary in window.actor.boundaries
            if boundary.at == "after ack"]  # fmt: skip
    if any(len(details.get("messages", ())) > 1 for details in acks):
        return "ack-in-batches"
    return "" if acks else "never-acked"


def acks_automatically(measured: Sequence[Window]) -> bool:
    """Return whether a worker uses auto_ack."""
    return any(window.details("delivery").get("auto_ack") for window in measured)
