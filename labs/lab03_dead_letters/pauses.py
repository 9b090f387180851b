"""Lab 3: whether healthy documents have to wait for pauses that belong to corrupt ones."""

from collections.abc import Collection, Iterator

from labs.judge.findings import Broken, Finding
from labs.judge.trial import Trial
from labs.lab03_dead_letters import cases, stories
from labs.lab03_dead_letters.cases import TRIES, Known

TIMEOUT_S = 60.0
PAUSE_S = 0.5  # together with three times what a healthy document takes


def crowded(trial: Trial, known: Known) -> Iterator[Finding]:
    """Publish healthy documents behind corrupt ones, for two workers."""
    if known.belief == "nack-counts":
        yield known.unseen("c")
        return
    bad, good = ["d-1", "d-2", "d-3"], ["d-4", "d-5", "d-6"]
    cases.prepare(trial, known, dict.fromkeys(bad, "corrupt") | dict.fromkeys(good, "fine"))
    cases.publish(trial, [*bad, *good])
    for name in ("worker", "worker 2"):
        cases.start_worker(trial, name=name, restarts=40)

    def over() -> bool:
        done = cases.thumbnails(trial).issuperset(good)
        return done or cases.tries(trial, *bad) > 100

    trial.watch.settle(over, timeout_s=TIMEOUT_S, quiet_s=6)
    done, number = len(cases.thumbnails(trial) & set(good)), cases.tries(trial, *bad)
    trouble, paused = trial.trouble(), pauses(trial, bad, good)
    trial.end()
    if done == len(good) and not paused:
        return
    failed = stories.many(number, "failed try", "failed tries")
    story = f"3 corrupt documents, then 3 healthy: {done} thumbnails after {failed}"
    stands = paused or 0 < number <= len(bad) * TRIES
    if not known.belief and stands:
        known.belief, known.first, known.hopeless = "waits-in-handler", "c", True
        yield Broken("c", f"{story}, and the worker stands still after each", known.belief)
    elif known.belief:
        yield Broken("c", story, known.belief)
    else:
        yield Broken("c", f"{story}; {trouble}", "raised" if trouble else "not-done")


def pauses(trial: Trial, bad: Collection[str], good: Collection[str]) -> bool:
    """Return whether each failed try takes much longer than a healthy document does.

    A slow handler is slow with both, and so is a busy machine. The time from a delivery to the next
    one counts, unless the worker died in between.
    """
    took: dict[str, list[float]] = {}
    last: dict[str, tuple[str, float]] = {}  # worker → the document that it was given last, when
    for boundary in list(trial.watch.boundaries):
        if boundary.at == "loaded":
            last.pop(boundary.actor, None)
        elif boundary.at == "delivery":
            if boundary.actor in last:
                document, began_s = last[boundary.actor]
                took.setdefault(document, []).append(boundary.t_s - began_s)
            last[boundary.actor] = boundary.message, boundary.t_s
    failed = [took_s for document in bad for took_s in took.get(document, ())]
    worked = [took_s for document in good for took_s in took.get(document, ())]
    return bool(failed) and min(failed) > PAUSE_S + 3 * min(worked, default=0.0)
