"""One small mistake per claim of the notebook about guarantees, each noticed by that claim."""

from tests.slow.sabotage.model import Sabotage

SABOTAGES = [
    Sabotage(
        claim="q04.1",
        cell="at-most-run",
        find='"in the work"',
        replace='"after the work"',
        why="the worker dies when its receipt is safe",
    ),
    Sabotage(
        claim="q04.2",
        cell="at-least-run",
        find='cut_publisher("after", fault, confirms=False)',
        replace='cut_publisher("after", fault, confirms=True)',
        why="the publisher that should go without confirms has them",
    ),
    Sabotage(
        claim="q04.2",
        cell="at-least-full",
        find="overflow(limit=10)",
        replace="overflow(limit=20)",
        why="the queue is long enough for all, so the broker drops nothing",
    ),
    Sabotage(
        claim="q04.3",
        cell="flag-run",
        find='"confirm lost"',
        replace='"publish lost"',
        why="there is one copy only",
    ),
    Sabotage(
        claim="q04.3",
        cell="flag-run",
        find='kill_worker("after", "in the work")',
        replace='kill_worker("after", "after the work")',
        why="one of the flagged deliveries does repeat an effect",
    ),
    Sabotage(
        claim="q04.4",
        cell="kill-fill",
        find='"classic, persistent": ("classic", MODES.Persistent)',
        replace='"classic, persistent": ("classic", MODES.Transient)',
        why="the messages are not persistent",
    ),
    Sabotage(
        claim="q04.9",
        cell="rate-run",
        find='"one confirm at a time": publish_each',
        replace='"one confirm at a time": publish_blind',
        why="the publisher that should wait for confirms has none",
    ),
    Sabotage(
        claim="q04.9",
        cell="rate-batches",
        find="batch=100",
        replace="batch=3",
        why="a batch holds hardly more than a single message",
    ),
    Sabotage(
        claim="q04.7",
        cell="once-run",
        find='try_faults("after", once=True)',
        replace='try_faults("after", once=False)',
        why="the effect has no key",
    ),
    Sabotage(
        claim="q04.7",
        cell="once-run",
        find='kill_worker("after", "after the work", once=False)',
        replace='kill_worker("after", "after the work", once=True)',
        why="the effect that should have no key has one",
    ),
    Sabotage(
        claim="q04.8",
        cell="break-run",
        find="network.cut()",
        replace="worker.is_open",
        why="the link stays up, so the broker still waits for the ack",
    ),
    Sabotage(
        claim="q04.5",
        cell="cluster-kill",
        find='"quorum": "quorum"',
        replace='"quorum": "classic"',
        why="the queue has no replicas, so it goes with its node",
    ),
    Sabotage(
        claim="q04.5",
        cell="cluster-kill",
        find="audit(three, QUEUES, history)",
        replace='audit(three, ["classic", "other"], history)',
        why="what the quorum queue holds is not counted",
    ),
    Sabotage(
        claim="q04.6",
        cell="cluster-cut-off",
        find="chaos.cut_off(node, three)",
        replace="suppress()",
        why="no link is cut, so the former minority is none",
    ),
]
