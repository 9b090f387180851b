"""Lab 3: what the queues, exchanges and messages lose only later, read from what they are."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from labs.judge import later
from labs.judge.findings import Broken
from labs.judge.trial import Trial
from labs.lab03_dead_letters.cases import DEAD, WORK, Known


def kept(trial: Trial, known: Known) -> Iterator[Broken]:
    """Read from the queues, the exchanges and a dead letter what gets lost later."""
    for exchange in known.made["exchanges"]:
        if not exchange["durable"]:
            story = f"exchange {exchange['name']} is not durable: gone when the broker restarts"
            known.lossy = True
            yield Broken("f", story, "transient-exchange")
    for loss in losses():
        known.lossy = True
        yield Broken("f", loss.sentence, loss.misconception)
    for queue in later.queues([WORK, DEAD]):
        if loss := later.loss_at_return(queue):
            known.lossy, known.drops = True, loss.sentence
            yield Broken("f", loss.sentence, loss.misconception)
    if loss := message_loss(known, (DEAD, WORK), known.letter):
        known.lossy = True
        yield Broken("f", f"a dead letter in {DEAD}: {loss.sentence}", loss.misconception)


def losses() -> Iterator[later.Loss]:
    """Yield how a queue loses messages, or gives them up untried.

    A dead letter exchange saves nothing that the two named queues have to hold themselves, and
    what a full dead letter queue refuses is dropped.
    """
    for queue in later.queues():
        arguments = dict(queue.arguments)
        if queue.name in (WORK, DEAD):
            arguments.pop("x-dead-letter-exchange", None)
        if queue.name == DEAD:
            arguments.pop("x-overflow", None)
        yield from later.losses(replace(queue, arguments=arguments))


def message_loss(known: Known, queues: Iterable[str], properties: Any) -> later.Loss | None:
    """Return how a message gets lost in one of these queues, or None.

    A quorum queue keeps each message on disk, however it was published.

    Args:
        known: the queues as they were declared.
        queues: names of the queues in which it is now, and will be.
        properties: pika's, or None for no message.

    Source: RabbitMQ documentation, "Quorum Queues", feature matrix.
    """
    loss = later.message_loss(properties) if properties else None
    on_disk = all((known.queue(name) or {}).get("type") == "quorum" for name in queues)
    return None if loss and on_disk and loss.misconception == "transient-message" else loss
