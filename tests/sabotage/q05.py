"""One small mistake per claim of the notebook about idempotence, each noticed by that claim."""

from tests.sabotage.model import Sabotage

SABOTAGES = [
    Sabotage(
        claim="q05.1",
        cell="unique-run",
        find="race(unique_key, copies)",
        replace="race(no_care, copies)",
        why="the handler that runs inserts into the table without a key",
    ),
    Sabotage(
        claim="q05.2",
        cell="upsert-run",
        find="balances.cents + excluded.cents",
        replace="excluded.cents",
        why="the handler that should add sets",
    ),
    Sabotage(
        claim="q05.2",
        cell="upsert-run",
        find="race(handle, 2)",
        replace="race(handle, 1)",
        why="nothing is delivered twice, so adding looks idempotent",
    ),
    Sabotage(
        claim="q05.3",
        cell="check-run",
        find="race(check_then_insert, copies)",
        replace="race(check_then_insert, 1)",
        why="there is one consumer only, and nobody to race with",
    ),
    Sabotage(
        claim="q05.4",
        cell="ids-run",
        find='"first write"',
        replace='"committed"',
        why="the worker dies after both writes, not between them",
    ),
    Sabotage(
        claim="q05.5",
        cell="handlers-status",
        find=" WHERE excluded.version > documents.version",
        replace=" WHERE excluded.version > 0",
        why="the version is compared with nothing",
    ),
    Sabotage(
        claim="q05.5",
        cell="status-run",
        find="late = redeliver_first(set_status, [ACTIVE, CLOSED], status)",
        replace="late = redeliver_first(set_status, [CLOSED, ACTIVE], status)",
        why="the late duplicate is the newer event",
    ),
    Sabotage(
        claim="q05.6",
        cell="ack-run",
        find='"committed"',
        replace='"first write"',
        why="the worker dies before its commit, so the charge is rolled back",
    ),
    Sabotage(
        claim="q05.7",
        cell="keys-run",
        find="properties.correlation_id,",
        replace="properties.message_id,",
        why="the key is new at each publish",
    ),
    Sabotage(
        claim="q05.8",
        cell="flag-run",
        find="handle = check_then_insert if method.redelivered else no_care",
        replace="handle = check_then_insert",
        why="every delivery is checked, flagged or not",
    ),
    Sabotage(
        claim="q05.9",
        cell="grid-run",
        find='"id in transaction": one_transaction',
        replace='"id in transaction": effect_first',
        why="the id is committed after the effect, not with it",
    ),
    Sabotage(
        claim="q05.9",
        cell="grid-run",
        find="race(handle, 2)",
        replace="race(handle, 1)",
        why="one of the faults does not happen",
    ),
]
