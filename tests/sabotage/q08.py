"""Sabotages of notebook 8, message ordering."""

from tests.sabotage.model import Sabotage

SABOTAGES = [
    Sabotage(
        claim="q08.1",
        cell="plain-run",
        find="prefetch_count=20",
        replace="prefetch_count=20, fails=100",
        why="one event of 500 fails once and is requeued",
    ),
    Sabotage(
        claim="q08.2",
        cell="single-run",
        find="one = index_with(one_by_one, consumers=1,",
        replace="one = index_with(one_by_one, consumers=4,",
        why="the single consumer has three colleagues",
    ),
    Sabotage(
        claim="q08.2",
        cell="single-handlers",
        find="ThreadPoolExecutor(4)",
        replace="ThreadPoolExecutor(1)",
        why="the thread pool works on one event at a time",
    ),
    Sabotage(
        claim="q08.2",
        cell="requeue-run",
        find="fails=0",
        replace="fails=None",
        why="the event that is said to be requeued is acknowledged",
    ),
    Sabotage(
        claim="q08.3",
        cell="sac-race",
        find="race(CLASSIC), race(SAC)",
        replace="race(CLASSIC), race(CLASSIC)",
        why="the queue is not declared with a single active consumer",
    ),
    Sabotage(
        claim="q08.4",
        cell="shards-declare",
        find="arguments=SAC",
        replace="arguments=CLASSIC",
        why="both workers of a shard are active",
    ),
    Sabotage(
        claim="q08.4",
        cell="setup-events",
        find="queue or key(number)",
        replace="queue or str(number)",
        why="the routing key is the event instead of its document",
    ),
    Sabotage(
        claim="q08.4",
        cell="moved-run",
        find='add_shard(channel, "shard-4")',
        replace='channel.queue_declare("shard-4", durable=True, arguments=SAC)',
        why="the fifth shard is declared and never bound",
    ),
    Sabotage(
        claim="q08.5",
        cell="sequence-check",
        find="max(seen) + 1 - len(seen)",
        replace="max(seen) + 1 - len(numbers)",
        why="a duplicate makes up for a lost event",
    ),
    Sabotage(
        claim="q08.5",
        cell="buffer",
        find="self.next = defaultdict(int)",
        replace="self.next = defaultdict(lambda: 1)",
        why="the buffer does not wait for the first event of a document",
    ),
    Sabotage(
        claim="q08.7",
        cell="sac-worker",
        find="channel.stop_consuming()",
        replace="os._exit(0)",
        why="the worker that is said to close politely hangs up",
    ),
]
