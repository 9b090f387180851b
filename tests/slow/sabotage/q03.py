"""One small mistake per claim of the notebook about dead letters, each noticed by that claim."""

from tests.slow.sabotage.model import Sabotage

ACK_FIRST = """\
        channel.basic_ack(method.delivery_tag)
        print("acked")
        if properties.message_id == crash_at:
            os._exit(1)
        channel.basic_publish("", queue, body, properties, mandatory=True)
"""
PUBLISH_FIRST = """\
        channel.basic_publish("", queue, body, properties, mandatory=True)
        if properties.message_id == crash_at:
            os._exit(1)
        channel.basic_ack(method.delivery_tag)
        print("acked")
"""

SABOTAGES = [
    Sabotage(
        claim="q03.1",
        cell="limit-run",
        find='limited = deliveries_until_dead(reject, QUORUM | {"x-delivery-limit": 3})',
        replace="limited = deliveries_until_dead(reject, QUORUM)",
        why="the delivery limit is forgotten",
    ),
    Sabotage(
        claim="q03.1",
        cell="reasons-run",
        find='"expiring": {"x-message-ttl": 1}',
        replace='"expiring": {"x-max-length": 0}',
        why="the message is pushed out by a length limit and does not expire",
    ),
    Sabotage(
        claim="q03.2",
        cell="spin-run",
        find='"DLQ, prefetch 1": let_it_spin(CLASSIC, requeue=True,',
        replace='"DLQ, prefetch 1": let_it_spin(CLASSIC, requeue=False,',
        why="the poison is sent to the DLQ at once and never spins",
    ),
    Sabotage(
        claim="q03.2",
        cell="spin-function",
        find='{"prefetch_count": prefetch_count, "auto_ack": False}',
        replace='{"prefetch_count": 1, "auto_ack": False}',
        why="the prefetch is ignored",
    ),
    Sabotage(
        claim="q03.3",
        cell="count-function",
        find="channel.basic_nack(method.delivery_tag, requeue=True)",
        replace="channel.basic_nack(method.delivery_tag, requeue=False)",
        why="the nack gives up instead of trying again",
    ),
    Sabotage(
        claim="q03.3",
        cell="count-run",
        find='QUORUM | {"x-delivery-limit": 3}',
        replace='QUORUM | {"x-delivery-limit": 2}',
        why="the limit is set as if it counted deliveries",
    ),
    Sabotage(
        claim="q03.4",
        cell="neighbours-worker",
        find="channel.basic_qos(prefetch_count=prefetch_count)",
        replace="channel.basic_qos(prefetch_count=1)",
        why="the prefetch is ignored, so a crash returns the poison alone",
    ),
    Sabotage(
        claim="q03.4",
        cell="neighbours-worker",
        find="channel.basic_reject(method.delivery_tag, requeue=False)",
        replace="os._exit(1)",
        why="the error is caught, and the process ends all the same",
    ),
    Sabotage(
        claim="q03.5",
        cell="routes-run",
        find='arrivals(["dead"])',
        replace='arrivals(["thumbnails"])',
        why="the binding has the message's own key",
    ),
    Sabotage(
        claim="q03.5",
        cell="strategy-run",
        find='overflow="drop-head"',
        replace='overflow="reject-publish"',
        why="the overflow setting is the one that at-least-once needs",
    ),
    Sabotage(
        claim="q03.6",
        cell="replay-run",
        find="CREATE TABLE idempotent (id TEXT PRIMARY KEY)",
        replace="CREATE TABLE idempotent (id TEXT)",
        why="no key, so nothing tells a payment that was charged before",
    ),
    Sabotage(
        claim="q03.6",
        cell="replay-run",
        find='crash_at="4"',
        replace="crash_at=None",
        why="the replay does not crash",
    ),
    Sabotage(
        claim="q03.7",
        cell="replay-tool",
        find='properties.headers.get("replays", 0) + 1',
        replace="1",
        why="the own header is set and not counted up",
    ),
    Sabotage(
        claim="q03.8",
        cell="break-run",
        find=ACK_FIRST,
        replace=PUBLISH_FIRST,
        why="the tool publishes first, so a crash duplicates and loses nothing",
    ),
    Sabotage(
        claim="q03.9",
        cell="strategy-run",
        find='"x-max-length": 5',
        replace='"x-max-length": 100',
        why="the queue has room, so dead letters that stay in it stop nobody",
    ),
    Sabotage(
        claim="q03.10",
        cell="look-run",
        find='"ackmode": "ack_requeue_true"',
        replace='"ackmode": "reject_requeue_false"',
        why="the management page gives the letter up instead of putting it back",
    ),
    Sabotage(
        claim="q03.10",
        cell="look-run",
        find='QUORUM | {"x-delivery-limit": 20}',
        replace='QUORUM | {"x-queue-type": "classic"}',
        why="the queue looked into is a classic one, where no look counts",
    ),
    Sabotage(
        claim="q03.11",
        cell="streams-run",
        find='{"dead-letter-exchange": "dlx"}',
        replace='{"dead-letter-routing-key": "dlx"}',
        why="the policy names no DLX, so no type of queue has dead letters",
    ),
    Sabotage(
        claim="q03.11",
        cell="streams-function",
        find="requeue=False",
        replace="requeue=True",
        why="the rejected documents go back into their queue",
    ),
]
