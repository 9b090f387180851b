"""Promises of the web server: what was answered with 202 has to get into the queue."""

import itertools
from typing import Any

from helpers import broker, chaos
from labs.judge import later
from labs.judge.findings import Broken
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial
from labs.lab07_workers.browser import QUEUE, UNANSWERED, Web, prepare

Message = tuple[Any, Any, bytes]  # method, properties, body
OUTAGE_S = 2.5
BACK_S = 10.0  # for a promised job to get into the queue after the broker is back


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
        return broken_promise(trial, "c", answers, why_not_queued(trial))

    return crash_points(trial, play, actions=("kill", "fail"), role="run_web", least=4, most=12)


def why_not_queued(trial: Trial) -> str:
    """Return the belief behind a promise that was not kept."""
    failed = [event.detail for event in trial.history.events("fail")]
    if not failed:
        return "answer-then-publish"
    return "sent-is-safe" if "broker" in failed[0] else "error-is-passed-over"


def broken_promise(
    trial: Trial, requirement: str, answers: dict[str, int], why: str
) -> Broken | None:
    """Look in the queue for each document that was answered with 202."""
    promised = [document for document, status in answers.items() if status == 202]
    messages = trial.take_all(QUEUE, expected=promised)
    queued = {properties.message_id for _, properties, _ in messages}
    lost = [document for document in promised if document not in queued]
    if not lost:
        return transient(requirement, messages) if requirement == "c" else None
    if not (trial.watch.count("before publish") or trial.history.events("crash")):
        events = f"POST {lost[0]} was answered with 202, and nothing was ever published"
        return Broken(requirement, events, "not-done")
    events = trial.history.story(lost[0]).partition(": ")[2]
    died = [event for event in trial.history.events("crash") if event.message != lost[0]]
    failed = [event for event in trial.history.events("fail") if event.message != lost[0]]
    after = f"; web server killed {died[0].detail}" if died else ""
    after += f"; {failed[0].detail}" if failed else ""
    story = f"POST {lost[0]} was answered with 202: {events}{after}: it is not in the queue"
    return Broken(requirement, story, why)


def transient(requirement: str, messages: list[Message]) -> Broken | None:
    """Look for a message in the queue that will be lost later."""
    for _, properties, body in messages:
        if loss := later.message_loss(properties):
            story = f"POST {body.decode(errors='replace')[:40]} was answered with 202"
            return Broken(requirement, f"{story}: {loss.sentence}", loss.misconception)
    return None


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
