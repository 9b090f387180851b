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
]
