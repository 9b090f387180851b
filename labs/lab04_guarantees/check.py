"""Lab 4: a publisher and a consumer that lose nothing, whichever process is killed, at any moment.

The publisher is judged by the queue at the end of a play, the consumer by the receipts in the store
and by what is still in the queue. Duplicates are allowed after a fault.
"""

from collections.abc import Iterator

from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.model import Lab
from labs.judge.trial import Trial
from labs.lab04_guarantees import consuming, healthy, publishing
from labs.lab04_guarantees.broker_death import BrokerDeath
from labs.lab04_guarantees.known import Known


def check(trial: Trial) -> Iterator[Finding]:
    """Judge a submission: first without a fault, then the publisher, the consumer, the broker."""
    known = Known(trial.submission)
    if unsent := healthy.one_payment(trial, known):
        yield unsent
        yield from (NotSeen(key, "nothing is sent as it has to be, as a says") for key in "bcdefg")
        return
    if known.loss:
        yield Broken("g", known.loss.sentence, known.loss.misconception)
    if unhealthy := healthy.without_fault(trial, known):
        yield unhealthy
    with BrokerDeath(trial) as death:
        if known.confirms:
            death.begin()
        answers = [publishing.unroutable(trial, known), publishing.refused(trial, known)]
        known.minds_refusals = not any(answers)
        yield from found(*answers)
        on_the_way = publishing.lost_on_the_way(trial, known)
        if isinstance(on_the_way, Broken) and on_the_way.misconception == "no-confirms":
            yield on_the_way
            chance = "without confirms it is chance how much is lost when a broker dies: see d"
            yield NotSeen("f", chance)
            yield from found(consuming.consumer(trial, known))
            return
        death.declare()
        yield from found(on_the_way or publishing.publisher_killed(trial, known))
        death.kill()
        yield from found(consuming.consumer(trial, known), death.finish(known))


def found(*findings: Finding | None) -> Iterator[Finding]:
    """Yield the findings of plays in which something broke."""
    yield from (finding for finding in findings if finding)


LAB = Lab(
    number=4,
    title="Nothing is lost",
    question="q04_guarantees",
    requirements={
        "a": "when nothing fails, each payment is sent once and gets one receipt",
        "b": "a payment that reaches no queue is not taken for sent",
        "c": "a payment that the broker refuses is not taken for sent",
        "d": "each payment arrives when the publisher fails, is killed or cut off at any point",
        "e": "each payment gets its receipt when the consumer fails, is killed or cut off at any "
        "point",
        "f": "each payment arrives when the broker is killed and comes back",
        "g": "each payment waits in the queue until its consumer comes, for a day and with others",
    },
    roles=("declare(url)", "run_publisher(url, store)", "run_consumer(url, store)"),
    check=check,
    beliefs={
        "no-confirms": "a publish that raises no error has arrived",
        "confirmed-is-queued": "a message that the broker confirms is in a queue",
        "commit-is-queued": "what a transaction has committed is in a queue",
        "publish-tells": "basic_publish returns whether the broker has the message",
        "marked-too-early": "what is about to be sent may be noted as sent",
        "error-passed-over": "after an error about one message it is enough to go on with the next",
        "written-is-kept": "what was written to the store stays there, committed or not",
        "duplicates-are-free": "since duplicates are allowed, everything may be sent again",
        "empty-is-done": "a queue that is empty now has nothing more to come",
        "refused-comes-back": "a message that its consumer refuses comes back by itself",
        "form-is-free": "who writes both sides may choose the form of the messages",
    },
)
