"""The plays of lab 3 in which workers die: killed by a document or by the judge, at any point."""

from collections.abc import Iterator

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken, Finding
from labs.judge.trial import Trial
from labs.lab03_dead_letters import cases, stories
from labs.lab03_dead_letters.cases import DEAD, ENOUGH, PATIENCE_S, TRIES, Known
from labs.lab03_dead_letters.sweeps import all_points


def counted(trial: Trial, known: Known) -> Iterator[Finding]:
    """Kill the worker once, between the second and the third try of a corrupt document.

    Tries in a loop have no boundary between them. Such a worker dies at the first boundary after
    its third try, whatever it does there: a count that has only been in the process is lost, and
    the document is tried a fourth time.
    """
    if known.hopeless:
        yield known.unseen("d")
        return
    cases.prepare(trial, known, {"d-1": "corrupt"})
    kills = [1]

    def direct(actor: Actor, boundary: Boundary) -> Order:
        least = TRIES - 1 if boundary.at == "delivery" else TRIES
        if kills and actor.role == "run_worker" and cases.tries(trial, "d-1") >= least:
            kills.clear()
            return "kill"
        return "go"

    trial.direct = direct
    cases.publish(trial, ["d-1"])
    cases.start_worker(trial)
    trial.watch.settle(lambda: over(trial), quiet_s=PATIENCE_S)
    trouble = trial.trouble()
    story = trouble or stories.story(trial, "d-1")
    fate = cases.end(trial, ["d-1"])["d-1"]
    number = cases.tries(trial, "d-1")
    if number > max(TRIES, known.tries):
        known.deadly = "memory-set"
        yield Broken("d", f"{stories.story(trial, 'd-1')}: {number} tries", "memory-set")
    elif not fate.dead:
        yield Broken("d", f"{story}: not in {DEAD}", "raised" if trouble else "not-done")


def deadly(trial: Trial, known: Known) -> Iterator[Broken]:
    """Publish a document that kills each worker that tries it."""
    if known.hopeless:
        return
    cases.prepare(trial, known, {"d-1": "deadly"})
    cases.publish(trial, ["d-1"])
    cases.start_worker(trial)
    trial.watch.settle(lambda: over(trial), quiet_s=PATIENCE_S)
    fate = cases.end(trial, ["d-1"])["d-1"]
    number = cases.tries(trial, "d-1")
    if fate.dead and number <= TRIES:
        return
    where = f"then it is in {DEAD}" if fate.dead else "it is gone" if fate.gone else "and no end"
    story = f"d-1 kills the process that tries it: {stories.many(number, 'try', 'tries')}, {where}"
    if fate.dead and number <= ENOUGH:
        yield Broken("d", story, known.belief or "retries-are-tries")
        return
    why = "death-is-an-exception" if number > ENOUGH else "not-done"
    known.deadly = known.deadly or why
    yield Broken("d", story, known.deadly)


def over(trial: Trial) -> bool:
    """Return whether the document is dead-lettered, or has endless tries."""
    return bool(cases.tries(trial, "d-1") > ENOUGH or cases.ready(trial, DEAD))


def neighbours(trial: Trial, known: Known) -> Iterator[Broken]:
    """Publish healthy documents behind one that kills the worker."""
    good = [f"d-{number}" for number in range(2, 7)]
    cases.prepare(trial, known, {"d-1": "deadly"} | dict.fromkeys(good, "fine"))
    cases.publish(trial, ["d-1", *good])
    cases.start_worker(trial)
    trial.watch.settle(
        lambda: (
            cases.thumbnails(trial).issuperset(good)
            or cases.tries(trial, "d-1") > ENOUGH
            or cases.ready(trial, DEAD) > len(good)
        ),
        quiet_s=PATIENCE_S,
    )
    trouble = trial.trouble()
    fates = cases.end(trial, good)
    missing = [document for document in good if not fates[document].thumbnail]
    if not missing:
        return
    first, number = missing[0], cases.tries(trial, "d-1")
    kills = stories.many(number, "time", "times")
    story = f"d-1 kills the worker {kills}; {first} was behind it, tried"
    story += f" {stories.many(cases.tries(trial, first), 'time', 'times')}"
    if fates[first].dead:
        yield Broken(
            "e", f"{story} and now in {DEAD}, one of {len(missing)}", "neighbours-are-safe"
        )
    elif stories.auto_acks(trial):
        yield Broken("e", f"{story} and now gone", "auto-ack")
    elif number > ENOUGH:
        yield Broken("e", story, known.deadly or known.belief or "death-is-an-exception")
    else:
        yield Broken("e", f"{story}: no thumbnail. {trouble}".rstrip(), known.belief or "not-done")


def anywhere(trial: Trial, known: Known) -> Iterator[Finding]:
    """Let the worker die, be cut off, or fail at each point of two documents."""
    if known.lossy:
        return
    if known.hopeless:
        yield known.unseen("f")
        return

    def done() -> bool:
        worked = trial.watch.count("after ack") and "d-1" in cases.thumbnails(trial)
        return bool(worked and cases.ready(trial, DEAD))

    def play() -> Broken | None:
        cases.prepare(trial, known, {"d-1": "fine", "d-2": "corrupt"})
        cases.publish(trial, ["d-1", "d-2"])
        cases.start_worker(trial)
        trial.watch.settle(done, quiet_s=PATIENCE_S)
        trouble, why = trial.trouble(), stories.why_stuck(trial, "run_worker")
        fates = cases.end(trial, ["d-1", "d-2"])
        for document, fate in fates.items():
            story = stories.story(trial, document)
            if fate.gone:
                why = stories.why_lost(trial, document, confirms=known.confirms)
                return Broken("f", f"{story}: {document} is gone", why)
            if not (fate.thumbnail or fate.dead):
                faults = trial.history.events("crash", "cut", "fail")[:1]
                story = trouble or stories.story(trial, faults[0].message if faults else document)
                story += "; run_worker() returns" if why == "quiet-end" else ""
                return Broken("f", f"{story}: {document} waits for ever", why)
        if fates["d-1"].thumbnail:
            return None
        story = f"{stories.story(trial, 'd-1')}: in {DEAD}, and nothing is wrong with it"
        failed = trial.history.events("fail")
        return Broken("f", story, "once-is-for-ever" if failed else "redelivered-means-failed")

    yield from all_points(trial, known, play, role="run_worker", cuts=3)
