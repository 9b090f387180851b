"""Lab 7: a web endpoint that promises, and a worker that keeps the promise.

The two are judged separately and together: a promise of 202 by the queue, the worker by the store.
Both are killed, and between the web server and the broker is a proxy that can refuse connections or
swallow everything.
"""

import threading
from collections import Counter
from collections.abc import Iterator

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import WRITES, Order
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.model import Lab
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial, go_on
from labs.lab07_workers.browser import QUEUE, Web, made, prepare
from labs.lab07_workers.promises import broker_away, web_killed


def check(trial: Trial) -> Iterator[Finding]:
    """Judge a submission; missing parts come first."""
    findings = {finding.requirement: finding for finding in together(trial)}
    yield from findings.values()
    if (first := findings.get("a")) and unanswered(first):
        for key in "cf":
            yield NotSeen(key, first.story)
    else:
        for broken in (web_killed(trial), broker_away(trial)):
            if broken:
                yield broken
    for broken in (worker_killed(trial), stopped(trial)):
        if broken:
            yield broken


LAB = Lab(
    number=7,
    title="A promise and a worker that keeps it",
    question="q07_workers",
    requirements={
        "a": "a POST is answered with 202, and its thumbnail is made by the worker",
        "b": "a GET says waiting, then done, also after a restart; 404 for what was never posted",
        "c": "a 202 is a job that is safe in the queue, wherever the web server dies or fails",
        "d": "each job gets its thumbnail, wherever the worker dies or its write fails",
        "e": "on SIGTERM the worker finishes its job, begins no other, and ends with status 0",
        "f": "a POST is answered in 8 s while the broker is away; 10 s after that, a 202 is kept",
    },
    roles=("run_web(url, store, port)", "run_worker(url, store)"),
    check=check,
    modules=("fastapi", "uvicorn"),
    beliefs={
        "work-in-the-request": "the web server may do the work itself, it is quick enough",
        "accepted-is-done": "what was accepted is as good as done",
        "answer-then-publish": "what happens right after the answer happens for sure",
        "sent-is-safe": "what was written to the connection has arrived",
        "stop-is-harmless": "a worker that is told to stop may stop at once",
        "zero-is-fine": "a worker that ends with status 0 has finished its job",
        "drain-the-queue": "a worker that is told to stop has to empty the queue first",
        "broker-answers": "the broker answers, sooner or later",
        "connection-lasts": "a connection that was opened once stays open",
    },
)


def unanswered(finding: Finding) -> bool:
    """Return whether no POST was answered with 202, so that no promise can be tried."""
    return isinstance(finding, Broken) and finding.misconception in ("not-done", "raised")


def together(trial: Trial) -> Iterator[Finding]:
    """Send one document from its POST to its thumbnail; kill the web server in between."""
    prepare(trial)
    web = Web(trial, trial.url, restarts=2)
    if not web.wait_until_up():
        first = trial.undone("a", "run_web() does not listen on its port")
        yield from (first, NotSeen("b", first.story))
        return
    status, early = web.post("doc-1"), made(trial)
    if status != 202:
        first = trial.undone("a", f"POST doc-1 was answered with {status or 'nothing'}")
        yield from (first, NotSeen("b", first.story))
        return
    if early["doc-1"]:
        events = "no worker runs, and doc-1 has its thumbnail when the POST is answered"
        yield Broken("a", events, "work-in-the-request")
    states = [web.state("doc-1"), web.state("doc-9")]
    # Requirement c is about deaths before the publish.
    trial.watch.settle(lambda: trial.watch.count("after publish"), quiet_s=3)
    web.actor.kill()
    web.wait_until_up()
    states.append(web.state("doc-1"))
    trial.start("run_worker", trial.url, trial.store, name="worker", restarts=2)
    done = trial.watch.settle(
        lambda: made(trial)["doc-1"] and trial.watch.count("after commit"), quiet_s=3
    )
    if not done and not early["doc-1"]:
        yield trial.undone(
            "a", f"POST doc-1 was answered with 202, then: {trial.history.story('doc-1')}"
        )
    trial.watch.settle(lambda: web.state("doc-1") == "done", quiet_s=2)
    states.append(web.state("doc-1"))
    asked = ("GET doc-1", "GET doc-9, never posted", "GET doc-1 after a restart", "GET doc-1 later")
    events = ", ".join(f"{what}: {state}" for what, state in zip(asked, states, strict=True))
    if states != ["waiting", "404", "waiting", "done"]:
        yield Broken("b", events, why_state(states, early["doc-1"]))


def why_state(states: list[str], early: int) -> str:
    """Return the belief behind wrong answers to the GETs."""
    if early:
        return "work-in-the-request"
    if states[0] == "done":
        return "accepted-is-done"
    return "memory-set" if states[0] == "waiting" and states[2] == "404" else "not-done"


def worker_killed(trial: Trial) -> Broken | None:
    """Kill the worker at each point of two jobs."""

    def play() -> Broken | None:
        prepare(trial, "doc-1", "doc-2")
        trial.start("run_worker", trial.url, trial.store, name="worker", restarts=3)
        trial.watch.settle(lambda: len(made(trial)) == 2 and trial.watch.count("after ack") >= 2)
        trial.end()
        missing = [job for job in ("doc-1", "doc-2") if not made(trial)[job]]
        left = {message[1].message_id for message in trial.take_all(QUEUE, expected=missing)}
        for job in missing:
            story = trial.trouble() or trial.history.story(job)
            failed = bool(trial.history.events("fail"))
            if job not in left:
                return Broken("d", f"{story}: no thumbnail, and in no queue", why_lost(trial, job))
            if failed:
                return Broken("d", f"{story}: no thumbnail", "error-is-passed-over")
            if trial.watch.count("delivery"):
                return Broken("d", f"{story}: no thumbnail", "never-acked")
            return trial.undone("d", f"{story}: no thumbnail")
        return None

    return crash_points(
        trial, play, actions=("kill", "fail"), role="run_worker", failures=WRITES, least=4, most=16
    )


def why_lost(trial: Trial, job: str) -> str:
    """Return the belief behind a lost job."""
    if trial.watch.auto_acks("subscribed"):
        return "auto-ack"
    if trial.history.events("fail"):
        return "error-is-done"
    return "ack-before-work" if trial.history.events("crash") else "not-done"


def stopped(trial: Trial) -> Broken | None:
    """Send SIGTERM to the worker during the first of three jobs."""
    jobs = ["doc-1", "doc-2", "doc-3"]
    prepare(trial, *jobs)
    gate, held = threading.Event(), threading.Event()

    def direct(actor: Actor, boundary: Boundary) -> Order:
        if boundary.at == "before effect" and not held.is_set():
            held.set()
            return gate
        return "go"

    trial.direct = direct
    try:
        worker = trial.start("run_worker", trial.url, trial.store, name="worker")
        if not trial.watch.settle(held.is_set, quiet_s=3):
            return trial.undone("e", "the worker begins no job")
        worker.terminate()
        # A worker without a handler dies here.
        trial.watch.settle(lambda: not worker.running, quiet_s=0.5, patience_s=0)
        gate.set()
        trial.watch.settle(lambda: not worker.running, timeout_s=10, quiet_s=5)
    finally:
        gate.set()
        trial.direct = go_on
    code, after = worker.code, made(trial)
    trial.end()
    left = [message[1].message_id for message in trial.take_all(QUEUE, expected=jobs[1:])]
    left = [job for job in left if not (after[job] and trial.watch.acked(job))]
    story = f"SIGTERM while doc-1 was in work; exit status {code}, made: {sorted(after) or 'none'}"
    story += f", in the queue: {sorted(left) or 'none'}"
    if sorted(after) == ["doc-1"] and sorted(left) == jobs[1:] and code == 0:
        return None
    return Broken("e", story, why_stopped(trial, code, after, left))


def why_stopped(trial: Trial, code: int | None, after: Counter[str], left: list[str]) -> str:
    """Return the belief behind the end of a worker."""
    if any(job not in left for job in ("doc-1", "doc-2", "doc-3") if not after[job]):
        return why_lost(trial, "") if trial.watch.count("after ack") == 0 else "ack-before-work"
    if after["doc-1"] and "doc-1" in left:
        return "never-acked"
    if len(after) > 1:
        return "drain-the-queue"
    if code == 0 and "doc-1" in left:
        return "zero-is-fine"
    return "stop-is-harmless"
