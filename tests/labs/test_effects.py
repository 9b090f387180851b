"""A commit counts as an effect when its transaction has changed a row."""

from pathlib import Path

from labs.judge.actor import Actor, Boundary


def reach(actor: Actor, at: str, **details: object) -> bool:
    actor.boundaries.append(Boundary("worker", at, "m-1", details, 0.0))
    return actor.changed_rows


def test_a_commit_of_nothing_is_no_effect():
    actor = Actor(
        "run", [], name="worker", key="1-run", host=0, output=Path("out"), send=lambda command: None
    )
    reach(actor, "delivery")
    assert not reach(actor, "after effect", committed=False, rows=0)
    assert not reach(actor, "after commit", committed=True)
    reach(actor, "after effect", committed=False, rows=0)
    reach(actor, "after effect", committed=False, rows=1)
    assert reach(actor, "after commit", committed=True)
    assert not reach(actor, "after commit", committed=True)
    assert reach(actor, "after effect", committed=True)  # executemany does not say how many
