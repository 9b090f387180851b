"""Lab 7: a web endpoint that promises, and a worker that keeps the promise.

The two are judged separately and together: a promise of 202 by the queue, the worker by the store.
Both are killed, and between the web server and the broker is a proxy that can refuse connections or
swallow everything.
"""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator

from helpers import broker, chaos
from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken
from labs.judge.model import Lab
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial, go_on
from labs.lab07_workers.browser import QUEUE, UNANSWERED, Web, made, prepare

OUTAGE_S = 2.5
BACK_S = 10.0  # for a promised job to get into the queue after the broker is back


def check(trial: Trial) -> Iterator[Broken]:
    """Judge a submission; missing parts come first."""
    findings = {broken.requirement: broken for broken in together(trial)}
    yield from findings.values()
    if "a" in findings and findings["a"].misconception == "not-done":
        for key in "cf":
            yield Broken(key, findings["a"].story, "not-done")
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
        "c": "what was answered with 202 gets into the queue, wherever the web server dies",
        "d": "each job gets its thumbnail, wherever the worker dies",
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


def together(trial: Trial) -> Iterator[Broken]:
    """Send one document from its POST to its thumbnail; kill the web server in between."""
    prepare(trial)
    web = Web(trial, trial.url, restarts=2)
    if not web.wait_until_up():
        why = trial.trouble() or "run_web() does not listen on its port"
        yield Broken("a", why, "not-done")
        yield Broken("b", why, "not-done")
        return
    status, early = web.post("doc-1"), made(trial)
    if status != 202:
        yield Broken("a", f"POST doc-1 was answered with {status}: {trial.trouble()}", "not-done")
        yield Broken("b", f"POST doc-1 was answered with {status}", "not-done")
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
        story = trial.trouble() or trial.history.story("doc-1")
        yield Broken("a", f"POST doc-1 was answered with 202, then: {story}", "not-done")
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


def web_killed(trial: Trial) -> Broken | None:
    """Kill the web server at each point of two POSTs."""

    def play() -> Broken | None:
        prepare(trial)
        web = Web(trial, trial.url, restarts=2)
        answers = {}
        for document in ("doc-1", "doc-2"):
            web.wait_until_up()
            answers[document] = web.post(document)
        promised = [document for document, status in answers.items() if status == 202]
        # A relay that has to connect first may reach no boundary for more than a second.
        trial.watch.settle(
            lambda: all(trial.watch.count("after publish", document) for document in promised),
            quiet_s=3,
        )
        trial.end()
        return broken_promise(trial, "c", answers, "answer-then-publish")

    return crash_points(trial, play, role="run_web", least=4, most=12)


def broken_promise(
    trial: Trial, requirement: str, answers: dict[str, int], why: str
) -> Broken | None:
    """Look in the queue for each document that was answered with 202."""
    promised = [document for document, status in answers.items() if status == 202]
    queued = {message[1].message_id for message in trial.take_all(QUEUE, expected=promised)}
    lost = [document for document in promised if document not in queued]
    if not lost:
        return None
    if not (trial.watch.count("before publish") or trial.history.events("crash")):
        events = f"POST {lost[0]} was answered with 202, and nothing was ever published"
        return Broken(requirement, events, "not-done")
    events = trial.history.story(lost[0]).partition(": ")[2]
    died = [event for event in trial.history.events("crash") if event.message != lost[0]]
    after = f"; web server killed {died[0].detail}" if died else ""
    story = f"POST {lost[0]} was answered with 202: {events}{after}: it is not in the queue"
    return Broken(requirement, story, why)


def broker_away(trial: Trial) -> Broken | None:
    """Let the broker fall silent, then refuse connections, then come back."""
    prepare(trial)
    with chaos.proxy(round_trip_ms=0) as network:
        web = Web(trial, broker.amqp_url(via=network), restarts=3)
        web.wait_until_up()
        answers = {"up": web.post("up")}
        arrived = trial.watch.settle(lambda: all(in_queue(trial, 1)), timeout_s=10, quiet_s=10)
        if answers["up"] == 202 and not arrived and not trial.watch.count("before publish"):
            trial.end()
            return broken_promise(trial, "f", answers, "not-done")
        for name, cause in (("silent", network.swallow), ("down", network.refuse)):
            cause()
            answers[name] = web.post(name)
            if answers[name] == UNANSWERED:
                trial.end()
                return Broken("f", answered(answers), "broker-answers")
            # The outage lasts longer than retries right after the answer.
            trial.watch.calm(OUTAGE_S, timeout_s=OUTAGE_S)
        network.restore()
        numbers = itertools.count(1)

        def accepts() -> bool:
            name = f"back-{next(numbers)}"
            answers[name] = web.post(name)
            return answers[name] == 202

        again = trial.watch.settle(accepts, timeout_s=BACK_S, quiet_s=BACK_S)
        promised = [name for name, status in answers.items() if status == 202]
        trial.watch.settle(
            lambda: all(in_queue(trial, len(promised))), timeout_s=BACK_S, quiet_s=BACK_S
        )
        trial.end()
    why = "answer-then-publish" if answers["down"] == 202 else "sent-is-safe"
    if broken := broken_promise(trial, "f", answers, why):
        return broken
    if not again:
        return Broken("f", answered(answers), "connection-lasts")
    return None


def answered(answers: dict[str, int]) -> str:
    """Return how each POST was answered; of those after the outage only the last."""
    story = {name: status for name, status in answers.items() if not name.startswith("back-")}
    story |= dict(list(answers.items())[-1:])
    each = ", ".join(f"{name}: {status or 'no answer'}" for name, status in story.items())
    return f"POSTs were answered with {each}"


def in_queue(trial: Trial, number: int) -> list[bool]:
    """Return, in a list, whether at least ``number`` messages are in the queue."""
    return [trial.channel.queue_declare(QUEUE, passive=True).method.message_count >= number]


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
            if job not in left:
                return Broken("d", f"{story}: no thumbnail, and in no queue", why_lost(trial, job))
            why = "never-acked" if trial.watch.count("delivery") else "not-done"
            return Broken("d", f"{story}: no thumbnail", why)
        return None

    return crash_points(trial, play, role="run_worker", least=4, most=16)


def why_lost(trial: Trial, job: str) -> str:
    """Return the belief behind a lost job."""
    if trial.watch.auto_acks("subscribed"):
        return "auto-ack"
    crashed = trial.history.events("crash")
    return "ack-before-work" if crashed else "not-done"


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
            return Broken("e", trial.trouble() or "the worker begins no job", "not-done")
        worker.terminate()
        # A worker without a handler dies here.
        trial.watch.settle(lambda: not worker.running, quiet_s=0.5)
        gate.set()
        trial.watch.settle(lambda: not worker.running, timeout_s=10, quiet_s=5)
    finally:
        gate.set()
        trial.direct = go_on
    code, after = worker.code, made(trial)
    trial.end()
    left = [message[1].message_id for message in trial.take_all(QUEUE, expected=jobs[1:])]
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
