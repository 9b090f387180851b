"""Sabotages of notebook 9, prefetch."""

from tests.slow.sabotage.model import Sabotage

SABOTAGES = [
    Sabotage(
        claim="q09.1",
        cell="limit-worker",
        find="""\
    channel.basic_qos(prefetch_count=prefetch_count)
    channel.basic_consume("index", index_document, auto_ack=False)
""",
        replace="""\
    channel.basic_consume("index", index_document, auto_ack=False)
    channel.basic_qos(prefetch_count=prefetch_count)
""",
        why="the limit is set after the consumer has subscribed",
    ),
    Sabotage(
        claim="q09.1",
        cell="limit-exceptions",
        find="auto_ack=True",
        replace="auto_ack=False",
        why="the consumer said to have automatic acks acknowledges by hand",
    ),
    Sabotage(
        claim="q09.2",
        cell="slow-run",
        find="work_s=0,",
        replace="work_s=0.05,",
        why="the work of the worker far away outweighs its round trip",
    ),
    Sabotage(
        claim="q09.2",
        cell="slow-run",
        find="at_distance(0, [1, 50] * 2, work_s=0.025)",
        replace="at_distance(20, [1, 50] * 2, work_s=0.001)",
        why="the worker next door is far away and quick",
    ),
    Sabotage(
        claim="q09.3",
        cell="uneven-workers",
        find="slow_s=0.020",
        replace="slow_s=0.001",
        why="the slow worker is as fast as the other",
    ),
    Sabotage(
        claim="q09.3",
        cell="uneven-workers",
        find='"prefetch_count": prefetch_count',
        replace='"prefetch_count": 1',
        why="the workers ignore the prefetch that is asked for",
    ),
    Sabotage(
        claim="q09.3",
        cell="uneven-run",
        find="fast_s=0.005, slow_s=0.005",
        replace="fast_s=0.001, slow_s=0.020",
        why="the workers said to be equal are a fast and a slow one",
    ),
    Sabotage(
        claim="q09.7",
        cell="recommend",
        find="return max(math.ceil(needed), batch)",
        replace="return 10",
        why="the rule of thumb in place of the formula",
    ),
    Sabotage(
        claim="q09.7",
        cell="sweep-run",
        find="work_s=0.001",
        replace="work_s=0.020",
        why="the work takes so long that 10 is enough at every distance",
    ),
    Sabotage(
        claim="q09.4",
        cell="crash-worker",
        find="auto_ack=False",
        replace="auto_ack=True",
        why="the worker's messages count as settled before it works on them",
    ),
    Sabotage(
        claim="q09.5",
        cell="misplaced",
        find="""\
def qos_after_consume(channel):
    channel.basic_consume("index", hold, auto_ack=False)
    channel.basic_qos(prefetch_count=10)
""",
        replace="""\
def qos_after_consume(channel):
    channel.basic_qos(prefetch_count=10)
    channel.basic_consume("index", hold, auto_ack=False)
""",
        why="the limit is set in time",
    ),
    Sabotage(
        claim="q09.6",
        cell="batch-run",
        find="batch=20",
        replace="batch=10",
        why="the batch fits into the window",
    ),
    Sabotage(
        claim="q09.8",
        cell="urgent",
        find="ordinary_first(PRIORITIES, prefetch)",
        replace="ordinary_first(PRIORITIES, 1)",
        why="the worker ignores the prefetch that is asked for",
    ),
    Sabotage(
        claim="q09.8",
        cell="urgent",
        find="ordinary_first(PRIORITIES, prefetch)",
        replace="ordinary_first(CLASSIC, prefetch)",
        why="the queue that is said to have priorities has none",
    ),
    Sabotage(
        claim="q09.9",
        cell="starve-run",
        find='"index", "urgent", arguments=CLASSIC',
        replace='"index", arguments=PRIORITIES',
        why="urgent and ordinary messages share the queue said to be two",
    ),
    Sabotage(
        claim="q09.9",
        cell="starve",
        find='channel.basic_publish("", urgent, "event", URGENT)\n        channel.basic_ack',
        replace="channel.basic_ack",
        why="only three urgent messages arrive, and no more",
    ),
    Sabotage(
        claim="q09.10",
        cell="publisher-run",
        find='"x-overflow": "reject-publish"',
        replace='"x-overflow": "drop-head"',
        why="the full queue drops its oldest message and confirms the new one",
    ),
    Sabotage(
        claim="q09.10",
        cell="publisher",
        find="    channel.confirm_delivery()\n",
        replace="",
        why="the publisher gets no answers, and takes none for a confirm",
    ),
]
