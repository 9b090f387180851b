"""One small mistake per claim of the notebook about events, each noticed by that claim."""

from tests.slow.sabotage.model import Sabotage

SABOTAGES = [
    Sabotage(
        claim="q01.1",
        cell="calls-run",
        find='"event": publish_one',
        replace='"event": call_each',
        why="the request that should publish one event calls every service",
    ),
    Sabotage(
        claim="q01.2",
        cell="newcomer-function",
        find='Consumer("thumbnails", name="thumbnails"',
        replace='Consumer("index", name="thumbnails"',
        why="the newcomer consumes from the queue of another service",
    ),
    Sabotage(
        claim="q01.3",
        cell="history-run",
        find="come_late(before=100, after=20)",
        replace="come_late(before=0, after=120)",
        why="nothing happens before the newcomers come",
    ),
    Sabotage(
        claim="q01.4",
        cell="alone-kill",
        find='team["notify"][0].kill()',
        replace='team["notify"][0]',
        why="nobody is killed",
    ),
    Sabotage(
        claim="q01.4",
        cell="scale-run",
        find='["thumbnails"] * workers',
        replace='["thumbnails"]',
        why="only one consumer is ever started",
    ),
    Sabotage(
        claim="q01.5",
        cell="dual-designs",
        find='reach(document)\n    db.execute("INSERT INTO outbox',
        replace='db.commit()\n    reach(document)\n    db.execute("INSERT INTO outbox',
        why="the outbox row is written in a transaction of its own",
    ),
    Sabotage(
        claim="q01.5",
        cell="dual-relay",
        find="        publish(event_type, body)\n        reach(number)\n",
        replace="        reach(number)\n        publish(event_type, body)\n",
        why="the relay dies before it publishes, not between its two writes",
    ),
    Sabotage(
        claim="q01.6",
        cell="schema-readers",
        find='event.get("title", f"document {event[\'id\']}")',
        replace='event["title"] + str(event["id"])',
        why="the tolerant reader needs the field that was renamed",
    ),
    Sabotage(
        claim="q01.6",
        cell="schema-run",
        find='{"id": 1, "name": "Plan"}',
        replace='{"id": 1, "title": "Plan", "name": "Plan"}',
        why="nothing is renamed, a field is added",
    ),
    Sabotage(
        claim="q01.7",
        cell="full-run",
        find='overflow="reject-publish"',
        replace='overflow="drop-head"',
        why="the full queue drops instead of rejecting",
    ),
    Sabotage(
        claim="q01.8",
        cell="late-rows",
        find="slow if document in late else in_time",
        replace="in_time",
        why="no transaction commits late",
    ),
    Sabotage(
        claim="q01.8",
        cell="late-run",
        find="commit_late(delete_sent, late=[4])",
        replace="commit_late(remember_last, late=[4])",
        why="the relay that should delete remembers the last number, too",
    ),
    Sabotage(
        claim="q01.9",
        cell="relays-run",
        find="LIMIT 5 FOR UPDATE SKIP LOCKED",
        replace="LIMIT 5",
        why="no relay locks the rows that it takes",
    ),
    Sabotage(
        claim="q01.9",
        cell="relays-two",
        find="killed_at=clause",
        replace="killed_at=None",
        why="no relay is killed",
    ),
]
