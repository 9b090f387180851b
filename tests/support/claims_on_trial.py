"""The claims on trial: what a notebook must check before its question counts as answered.

Ids are stable. A notebook may add claims to those of its question; it drops none.
"""

# Ids and sentences of the questions whose notebooks exist.
ON_TRIAL: dict[str, str] = {
    "q01.1": "the publisher does not wait for the consumers",
    "q01.2": "a new consumer needs no change to the publisher",
    "q01.3": "a new consumer sees what happened before it came",
    "q01.4": "consumers scale and fail independently",
    "q01.5": "when the event is published, it will be delivered (dual write)",
    "q01.6": "decoupled means no shared contract",
    "q02.1": "point-to-point: each message goes to one consumer",
    "q02.2": "pub/sub: every subscriber gets a copy",
    "q02.3": "an event bus routes by pattern",
    "q02.4": "the exchange type is the pattern: direct = queue, fanout = pub/sub, topic = bus",
    "q02.5": "a published message that was accepted went somewhere",
    "q03.1": "a DLQ holds messages that failed after max retries",
    "q03.2": "without a DLQ, poison messages block the queue",
    "q03.3": "a poison message reaches the DLQ by itself",
    "q03.4": "only the poison goes to the DLQ",
    "q03.5": "a message sent to the DLX arrives",
    "q03.6": "the DLQ can be replayed safely",
    "q04.1": "at-most-once: may lose",
    "q04.2": "at-least-once: may duplicate, loses nothing",
    "q04.3": "a duplicate is marked redelivered",
    "q04.4": "a confirmed message survives kill -9 of the broker",
    "q04.5": "fire and forget is faster",
    "q04.6": "exactly-once needs deduplication",
    "q05.1": "a unique constraint prevents duplicates",
    "q05.2": "an upsert is idempotent",
    "q05.3": "check-then-insert is idempotent",
    "q05.4": "tracking processed event ids is enough",
    "q05.5": "SET status is idempotent",
    "q05.6": "ack after commit is safe",
    "q06.1": "backoff gives a failing service time to recover",
    "q06.2": "exponential backoff avoids the thundering herd",
    "q06.3": "3 retries, 2^n seconds, then the DLQ",
    "q06.4": "one retry queue with per-message TTL is enough",
    "q06.5": "x-death counts the retries",
    "q06.6": "sleeping in the handler is a fine delay",
    "q07.1": "the worker keeps the user from waiting",
    "q07.2": "web and workers scale independently",
    "q07.3": "failed jobs are retried",
    "q07.4": "long-running tasks are fine in a worker",
    "q07.5": "a worker can be stopped at any time",
    "q07.6": "the web tier is safe when the broker is down",
    "q08.1": "RabbitMQ keeps no order",
    "q08.2": "a single consumer keeps the order",
    "q08.3": "a second consumer costs the order",
    "q08.4": "partition by key keeps each key's order",
    "q08.5": "sequence numbers detect disorder",
    "q08.6": "Kafka gives strict order",
    "q09.1": "prefetch limits the unacknowledged messages of a consumer",
    "q09.2": "prefetch 1 is slow",
    "q09.3": "high prefetch is fast",
    "q09.4": "10 is a balance",
    "q09.5": "prefetch costs nothing",
    "q10.1": "queue depth shows trouble",
    "q10.2": "the statistics are current",
    "q10.3": "alert when the queue grows, the DLQ is not empty, errors spike",
    "q10.4": "consumer lag is time behind",
    "q10.5": "a node that answers is healthy",
    "q10.6": "messages that nobody could route are visible",
}

# How many claims each of the other questions will have on trial; their notebooks do not exist.
TO_COME: dict[str, int] = {}


def questions() -> list[str]:
    """Return the questions whose notebooks must exist, such as "q02"."""
    return sorted({claim.partition(".")[0] for claim in ON_TRIAL})


def claims_of(question: str) -> list[str]:
    """Return the ids that the notebook of a question must check; none when it is to come."""
    return [claim for claim in ON_TRIAL if claim.startswith(f"{question}.")]
