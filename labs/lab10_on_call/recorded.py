"""A record of a blocked publisher, for machines that cannot start a separate node.

``python -m labs.lab10_on_call.recorded`` records it again: it carries out each action of the
runbook on a node that blocks its publisher, and stores the readings before and after.
"""

import json
import random
from pathlib import Path
from typing import Any

from helpers.errors import WaitTimeoutError
from helpers.waits import wait_until
from labs.lab10_on_call.incident_system import RUNBOOK
from labs.lab10_on_call.shift import BLOCKED, Night, OwnNode, Reading

FILE = Path(__file__).with_name("recorded.json")
NOTHING = "nothing"
LOOK_S = 2.0


class RecordedNight(Night):
    """A recorded night."""

    @property
    def incident(self) -> str:
        """The true incident."""
        return BLOCKED

    @property
    def left(self) -> set[str]:
        """Empty: all published events had been handled."""
        return set()

    @property
    def stands_still(self) -> bool:
        """Whether no event was published after the action."""
        return self.after[-1]["published"] <= self.after[0]["published"]

    @property
    def over(self) -> bool:
        """Whether the publisher published again."""
        return not self.stands_still

    @property
    def places(self) -> dict[str, int]:
        """Zero everywhere: no event was lost."""
        return {"waiting": 0, "dead": 0, "lost": 0}


def night() -> Night:
    """Return the recorded night, up to the moment of the question."""
    return RecordedNight(None, _record()["before"])  # type: ignore[arg-type]


def recover(past: Night) -> None:
    """Set the readings that were recorded after the actions."""
    after = _record()["after"]
    chosen = [after[action] for action in past.actions if action in after] or [after[NOTHING]]
    past.after = max(chosen, key=lambda readings: readings[-1]["published"])


def _record() -> Any:
    return json.loads(FILE.read_text(encoding="utf-8"))


def make() -> None:
    """Write the record."""
    after: dict[str, list[Reading]] = {}
    with OwnNode(random.Random(1)) as own:
        result = own.result()
        assert result, "there is no RabbitMQ on this machine to record"
        (seen,), reader = result
        for action in [NOTHING, *RUNBOOK]:
            if action != NOTHING:
                seen.system.do(action)
            first, published = reader.read()[0], len(seen.system.state.outbox)
            try:
                more = lambda: len(seen.system.state.outbox) > published  # noqa: B023, E731
                wait_until(more, timeout_s=LOOK_S, what="a publish")
            except WaitTimeoutError:
                pass  # it stays blocked, which is recorded
            after[action] = [first, reader.read()[0]]
    FILE.write_text(json.dumps({"before": seen.before, "after": after}, indent=1) + "\n")


if __name__ == "__main__":
    make()
