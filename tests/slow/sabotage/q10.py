"""One small mistake per claim of the notebook about monitoring, each noticed by that claim."""

from tests.slow.sabotage.model import Sabotage

SABOTAGES = [
    Sabotage(
        claim="q10.2",
        cell="five-figure",
        find="messages_ready",
        replace="messages_unacked",
        why="what is in hand is taken for what waits",
    ),
    Sabotage(
        claim="q10.1",
        cell="old-run",
        find='readings[readings["truth"] > 0]',
        replace='readings[readings["truth"] == 0]',
        why="only the quiet time after the purge is looked at",
    ),
    Sabotage(
        claim="q10.4",
        cell="alerts-run",
        find='watched.value[watched.value["alert"].str.startswith("RabbitMQ")]',
        replace="watched.value",
        why="the three alerts as said are among ours, and ring for healthy growth",
    ),
    Sabotage(
        claim="q10.5",
        cell="lag-function",
        find="max(sent[queue], 1)",
        replace="sum(sent.values())",
        why="the arrivals of both queues are counted",
    ),
    Sabotage(
        claim="q10.6",
        cell="hour-function",
        find='"during": health(own)',
        replace='"during": before',
        why="the node is looked at before the alarm",
    ),
    Sabotage(
        claim="q10.3",
        cell="hour-unroutable",
        find="mandatory=False",
        replace="mandatory=True",
        why="all unroutable messages are returned, none is dropped",
    ),
    Sabotage(
        claim="q10.7",
        cell="three-run",
        find='incidents.DLQ if i.queue == "notify" else i.queue',
        replace="i.queue",
        why="the DLQ's alert is looked for at the work queue",
    ),
    Sabotage(
        claim="q10.8",
        cell="hung-function",
        find="auto_ack=True",
        replace="auto_ack=False",
        why="the consumer that does not read acks by hand, too",
    ),
    Sabotage(
        claim="q10.9",
        cell="trace-step",
        find="w3c.extract(came)",
        replace="w3c.extract({})",
        why="no step reads the headers that came to it",
    ),
    Sabotage(
        claim="q10.9",
        cell="trace-step",
        find='sends.get(name, "own")',
        replace='"own"',
        why="no step of any design leaves the headers out",
    ),
    Sabotage(
        claim="q10.9",
        cell="trace-take",
        find="first[s.attributes",
        replace="{**first, s.attributes['document']: s.context.trace_id}[s.attributes",
        why="a span's trace is compared with itself",
    ),
]
