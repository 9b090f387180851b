"""Lab 2: a topology for eight requirements, judged by where events arrive.

`declare` runs in a separate process, so its connection is closed when the first event is published.
The learner chooses the names of exchanges and queues: only arrivals count.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pika.exceptions import AMQPError

from labs.judge import later
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.later import Loss
from labs.judge.model import Lab
from labs.judge.trial import Trial
from labs.lab02_topology import deploying
from labs.lab02_topology.cases import (
    CASES,
    SERVICES,
    Case,
    arrivals,
    depth,
    exchanges,
    losses,
    publish,
)
from labs.lab02_topology.declaring import declared

REQUIREMENT = {
    "audit": "a", "index": "b", "notify": "c", "thumbnails": "d",
    "bill_eu": "e", "bill_us": "e", "strays": "f",
}  # fmt: skip
WORK_S = 3.0
DEEP_WORDS = 3


def check(trial: Trial) -> Iterator[Finding]:
    """Judge a submission: first the routes, then repeated declarations and restarts."""
    trial.fresh()
    made, problem = declared(trial)
    if problem:
        yield problem
        yield from (NotSeen(key, "declare() does not do its work, as a says") for key in "bcdefgh")
        return
    lost = losses(made)
    findings = list(routed(trial, made, CASES, lost))
    yield from findings
    wrong = {finding.requirement for finding in findings}
    if "d" not in wrong and (broken := worked(trial, made)):
        yield broken
    if broken := lasting(made, lost):
        yield broken
    right = [service for service in SERVICES if REQUIREMENT[service] not in wrong]
    if finding := deploying.again(trial, right, lost):
        yield finding


LAB = Lab(
    number=2,
    title="A topology for eight requirements",
    question="q02_routing",
    requirements={
        "a": "audit has every event, once",
        "b": "index has every event whose first word is document, and no other",
        "c": "notify has every event whose last word is shared or whose first is comment, once",
        "d": "thumbnails has document, one word, page and no other, and two workers share them",
        "e": "a payment is billed in the region that its header names, eu or us",
        "f": "strays has what only audit gets, and nothing else",
        "g": "declaring it again changes nothing, with messages in the queues and while more come",
        "h": "each event waits for a day, and with 10,000 others, also while the broker restarts",
    },
    roles=("declare(url)",),
    check=check,
    beliefs={
        "star-any-depth": "in a binding, * stands for any number of words",
        "hash-is-one-word": "in a binding, # stands for one word",
        "two-words": "a routing key has at least two words",
        "one-binding": "a queue has one binding",
        "one-queue": "services that read the same queue each get every message",
        "one-at-a-time": "of a queue's workers, only one may be at work",
        "any-is-all": "with x-match any, all headers have to match",
        "headers-and-key": "a headers exchange looks at the routing key, too",
        "bound-to-all": "a service that is bound to everything gets only what it understands",
        "ae-despite-audit": "what only a catch-all queue takes still counts as unroutable",
        "ae-rekeys": "on its way to the alternate exchange a message loses its routing key",
        "one-ae": "an alternate exchange also covers the exchanges behind its own",
        "fresh-start": "what is in the queue when a service starts is old and can go",
        "queue-per-instance": "each instance of a service needs a separate queue",
        "room-enough": "a queue with a limit is emptied before it is full",
        "nobody-publishes": "while a topology is declared anew, nobody publishes",
    },
)


def routed(
    trial: Trial, made: dict[str, Any], given: Sequence[Case], lost: Mapping[str, Loss]
) -> Iterator[Finding]:
    """Publish every case once, and judge the contents of every queue.

    Args:
        trial: the trial.
        made: return value of `declare`.
        given: the events.
        lost: services whose queues lose events by themselves.
    """
    cases = list(given)
    trial.channel.confirm_delivery()
    for number, case in enumerate(cases):
        publish(trial.channel, made["exchange"], case, str(number))
    queues: dict[str, str] = {service: made["queues"][service] for service in SERVICES}
    arrived = arrivals(trial, queues, cases)
    why: dict[str, str] = {}
    for service in SERVICES:
        others = [
            other for other in SERVICES if other != service and queues[other] == queues[service]
        ]
        if others:
            why[service] = "one-queue"
            story = f"{service} and {others[0]} read one queue, {queues[service]!r}"
            yield Broken(REQUIREMENT[service], story, "one-queue")
            continue
        wrong = [
            number
            for number, case in enumerate(cases)
            if arrived[service][number] != int(case.wanted(service))
        ]
        if not wrong:
            continue
        case, copies = cases[wrong[0]], arrived[service][wrong[0]]
        if service in lost and not copies:
            yield NotSeen(REQUIREMENT[service], f"{lost[service].sentence}, as h says")
            continue
        if service == "strays":
            blamed = [other for other in why if wrong[0] in astray(other, cases, arrived)]
            why[service] = why[blamed[0]] if blamed else why_no_stray(trial, made, case, copies)
        else:
            why[service] = belief(service, case, copies, arrived[service])
        story = f"{case} was published: "
        if depth(trial, queues[service]) < 0:
            story += f"declare() has returned, and there is no queue {queues[service]!r}"
        else:
            story += f"{service} has {copies or 'no'} cop{'y' if copies == 1 else 'ies'} of it"
        yield Broken(REQUIREMENT[service], story, why[service])


def astray(service: str, cases: Sequence[Case], arrived: dict[str, Counter[int]]) -> list[int]:
    """Return the cases that a service has or lacks against its requirement; none for audit."""
    if service == "audit":
        return []
    return [
        number
        for number, case in enumerate(cases)
        if bool(arrived[service][number]) != case.wanted(service)
    ]


def belief(service: str, case: Case, copies: int, arrived: Counter[int]) -> str:
    """Return the belief behind an event that a service has or lacks against its requirement."""
    if not arrived:
        return "not-done"
    words = case.key.count(".") + 1
    if service in case.beliefs:
        return case.beliefs[service]
    if copies:
        return "bound-to-all"
    if words == 1:
        return "two-words"
    return "star-any-depth" if words >= DEEP_WORDS and service != "thumbnails" else "not-done"


def why_no_stray(trial: Trial, made: dict[str, Any], case: Case, copies: int) -> str:
    """Return the belief behind a stray event that is lost, or an event that is no stray."""
    if copies:
        return "bound-to-all"
    alternates = {
        str(exchange["arguments"]["alternate-exchange"])
        for exchange in exchanges().values()
        if "alternate-exchange" in exchange["arguments"]
    }
    if not alternates:
        return "not-done"
    if "strays" in case.beliefs:
        return case.beliefs["strays"]
    for name in alternates & set(exchanges()):  # does the event get to strays from there?
        publish(trial.channel, name, case, "0")
        if trial.take_all(made["queues"]["strays"], expected=["0"], timeout_s=0.2):
            return "ae-despite-audit"
    return "ae-rekeys"


def worked(trial: Trial, made: dict[str, Any]) -> Broken | None:
    """Publish two events for two workers of thumbnails, and ack none."""
    connection, queue = trial.channel.connection, made["queues"]["thumbnails"]
    got: Counter[int] = Counter()
    channels = []
    for worker in (1, 2):
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        with suppress(AMQPError):
            channel.basic_consume(queue, lambda *_, worker=worker: got.update([worker]))
            channels.append(channel)
    for number in (1, 2):
        publish(trial.channel, made["exchange"], Case("document.created.page"), str(number))
    end = time.monotonic() + WORK_S
    while len(got) < 2 and time.monotonic() < end:
        connection.process_data_events(time_limit=0.05)
    for channel in channels:
        channel.close()
    if len(got) == 2:
        return None
    story = "two workers wait, two events come: one worker has an event and the other none"
    return Broken("d", story, "one-at-a-time")


def lasting(made: dict[str, Any], lost: Mapping[str, Loss]) -> Broken | None:
    """Look for parts that lose events, or vanish with a restart of the broker."""
    for loss in lost.values():
        return Broken("h", loss.sentence, loss.misconception)
    there = {queue.name for queue in later.queues()}
    for service in SERVICES:
        name = made["queues"][service]
        if name not in there:
            story = f"declare() has ended, and there is no queue {name!r}"
            return Broken("h", story, "not-done")
    for name, exchange in exchanges().items():
        if not exchange["durable"]:
            story = f"the broker restarts → exchange {name!r} is gone, with its bindings"
            return Broken("h", story, "transient-exchange")
    return None
