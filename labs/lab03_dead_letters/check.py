"""Lab 3: documents that cannot be rendered end in a dead letter queue, and only these.

The store has the thumbnails, render() notes each try, and the queues have the messages; all are
read after the workers were killed.
"""

from collections.abc import Iterator

from helpers import broker
from labs.judge.findings import Broken, Finding
from labs.judge.model import Lab
from labs.judge.trial import Trial
from labs.lab03_dead_letters import cases, deaths, keeping, pauses, replays, stories
from labs.lab03_dead_letters.cases import DEAD, ENOUGH, PATIENCE_S, TRIES, WORK, Fate, Known


def check(trial: Trial) -> Iterator[Finding]:
    """Judge a submission; simple plays come first, since they explain the results of later ones."""
    known = Known()
    trial.name_of = cases.document_of
    yield from corrupt(trial, known)
    if not (known.queue(WORK) and known.queue(DEAD)):
        yield from (known.unseen(requirement) for requirement in "bcdefgh")
        return
    parts = (pauses.crowded, locked, deaths.counted, deaths.deadly, deaths.neighbours,
             keeping.kept, deaths.anywhere, replays.once, replays.anywhere)  # fmt: skip
    for part in parts:
        yield from part(trial, known)


LAB = Lab(
    number=3,
    title="Poison",
    question="q03_dead_letters",
    requirements={
        "a": "a corrupt document is tried three times, then it is in `thumbnails.dead`, once",
        "b": "a document that only the third try can read gets its thumbnail",
        "c": "healthy documents behind corrupt ones get their thumbnails, and wait for no pause",
        "d": "a document has three tries at most, also when it or another process kills the worker",
        "e": "healthy documents behind a deadly one get their thumbnails",
        "f": "whatever dies, is cut off or fails, no document is lost, and no healthy one given up",
        "g": "replay() sends each dead letter back once, to be tried anew, and returns",
        "h": "killed, cut off or refused at any point, replay() loses no dead letter",
    },
    roles=("declare(url)", "run_worker(url, store)", "replay(url)"),
    check=check,
    modules=("multiprocessing",),
    beliefs={
        "retries-are-built-in": "after a few tries the broker gives up by itself",
        "retries-are-tries": "three tries are the same as three retries",
        "once-is-for-ever": "what failed once will always fail",
        "nack-counts": "a nack with requeue counts as a failed try, like a reject",
        "drop-is-kept": "a message that the broker gives up on is kept somewhere",
        "dlx-is-enough": "what is sent to a dead letter exchange arrives in the dead letter queue",
        "logged-is-handled": "an error that was caught and logged is dealt with",
        "reject-only-removes": "a reject without requeue only takes the message out of the queue",
        "waits-in-handler": "a handler that waits before the next try holds up no other message",
        "death-is-an-exception": "every failure raises an error that can be caught",
        "neighbours-are-safe": "a crash costs only the message that was being worked on",
        "redelivered-means-failed": "the flag `redelivered` says that a message has failed before",
        "quiet-end": "a program that returns when its connection is lost is started again",
        "emptied-stays-empty": "a queue that is being emptied gets nothing new",
        "letter-is-a-note": "a dead letter is a note about a message, not the message itself",
        "no-confirms": "a publish that raises no error has arrived",
        "counted-for-ever": "what has used up its tries has used them up for ever",
    },
)


def corrupt(trial: Trial, known: Known) -> Iterator[Broken]:
    """Publish a corrupt document and a healthy one; nothing else fails."""
    cases.prepare(trial, known, {"d-1": "corrupt", "d-2": "fine"})
    missing = [queue for queue in (WORK, DEAD) if not known.queue(queue)]
    if missing:
        problem = trial.trouble() or f"after declare() there is no queue {missing[0]}"
        known.belief, known.hopeless = "not-done", True
        yield Broken("a", problem, "not-done")
        return
    named = dict((known.queue(WORK) or {}).get("arguments") or {})
    cases.publish(trial, ["d-1", "d-2"])
    cases.start_worker(trial)

    def over() -> bool:
        dead = cases.ready(trial, DEAD) and "d-2" in cases.thumbnails(trial)
        return bool(dead or cases.tries(trial, "d-1") > ENOUGH)

    trial.watch.settle(lambda: over() or "d-2" in cases.thumbnails(trial), timeout_s=25, quiet_s=6)
    trial.watch.settle(over, timeout_s=25, quiet_s=PATIENCE_S)
    trial.watch.calm(0.2, timeout_s=1)  # a second letter may follow
    trouble, story = trial.trouble(), stories.story(trial, "d-1")
    fate = cases.end(trial, ["d-1", "d-2"], known)["d-1"]
    number = known.tries = cases.tries(trial, "d-1")
    if number > ENOUGH:
        story = "d-1 is tried again and again"
    if fate.dead != 1:
        known.belief = why_not_dead(trial, fate, number, named)
        known.hopeless = fate.dead == 0
    elif stories.returned(trial, "nack") and (spins := nack_spins(trial, known, named)):
        known.belief, story, known.hopeless = "nack-counts", spins, True
    elif number != TRIES:
        known.belief = "once-is-for-ever" if number == 1 else "retries-are-tries"
        requeued = stories.returned(trial, "reject") or stories.returned(trial, "nack")
        if number > TRIES and requeued and "x-delivery-limit" not in named:
            known.belief = "retries-are-built-in"
        known.hopeless = number > ENOUGH
    if not known.belief and known.changed:
        known.belief = "letter-is-a-note"
        story += f": the letter in {DEAD} says {known.changed}, not what was published"
        yield Broken("a", story, known.belief)
    elif known.belief:
        where = "gone" if fate.gone else f"{stories.many(fate.dead, 'letter', 'letters')} in {DEAD}"
        if number > ENOUGH or known.belief == "nack-counts":
            where = f"not in {DEAD}"
        if known.belief == "not-done" and trouble:
            story = trouble
        if number <= ENOUGH and known.belief == "nack-counts":
            problem = story  # about another queue, so without a place
        else:
            problem = f"{story}: {where} after {stories.many(number, 'try', 'tries')}"
        yield Broken("a", problem, known.belief)


def why_not_dead(trial: Trial, fate: Fate, number: int, named: dict[str, object]) -> str:
    """Return the belief behind a corrupt document that is not once in the dead letter queue."""
    belief = "not-done"
    acked = trial.watch.count("after ack", "d-1")
    if fate.dead:
        belief = "reject-only-removes"
    elif fate.thumbnail or not number:
        pass
    elif stories.auto_acks(trial):
        belief = "auto-ack"
    elif number > ENOUGH and stories.returned(trial, "nack") and "x-delivery-limit" in named:
        belief = "nack-counts"
    elif number > ENOUGH and (stories.returned(trial, "nack") or stories.returned(trial, "reject")):
        belief = "retries-are-built-in"
    elif fate.waiting and number < ENOUGH and not trial.trouble():
        belief = "never-acked"
    elif fate.gone and acked:
        early = stories.acks_first(trial, "d-2")
        sent = trial.watch.count("before publish")
        belief = "ack-before-work" if early else "not-done" if sent else "logged-is-handled"
    elif fate.gone:
        belief = "dlx-is-enough" if "x-dead-letter-exchange" in named else "drop-is-kept"
    return belief


def nack_spins(trial: Trial, known: Known, named: dict[str, object]) -> str:
    """Return the story of a worker that relies on counted nacks, or "" if it does not.

    It runs on a classic queue, which counts no nack in any version; since 4.3 no queue does.
    """
    if "x-delivery-limit" not in named:
        return ""
    routes = ("x-dead-letter-exchange", "x-dead-letter-routing-key")
    cases.prepare(trial, known, {"d-1": "corrupt"})
    trial.channel.queue_delete(WORK)
    arguments = {name: named[name] for name in routes if name in named}
    trial.channel.queue_declare(WORK, durable=True, arguments=arguments)
    cases.publish(trial, ["d-1"])
    cases.start_worker(trial)
    trial.watch.settle(
        lambda: cases.tries(trial, "d-1") > ENOUGH or cases.ready(trial, DEAD), quiet_s=PATIENCE_S
    )
    trial.end()
    if 0 < cases.tries(trial, "d-1") <= ENOUGH:
        return ""
    version = broker.find().version
    return (
        f"RabbitMQ {version} counts a nack against the limit, and since 4.3 none does; where it "
        "is not counted, d-1 is tried again and again"
    )


def locked(trial: Trial, known: Known) -> Iterator[Finding]:
    """Publish a document that another program has open: only the third try can read it."""
    if known.belief == "waits-in-handler":
        yield known.unseen("b")
        return
    cases.prepare(trial, known, {"d-1": "locked"})
    cases.publish(trial, ["d-1"])
    cases.start_worker(trial)

    def over() -> bool:
        made, number = "d-1" in cases.thumbnails(trial), cases.tries(trial, "d-1")
        return made or bool(number > ENOUGH or cases.ready(trial, DEAD))

    trial.watch.settle(over, quiet_s=PATIENCE_S)
    trouble, story = trial.trouble(), stories.story(trial, "d-1")
    fate = cases.end(trial, ["d-1"])["d-1"]
    if fate.thumbnail:
        return
    where = f"in {DEAD}" if fate.dead else "gone" if fate.gone else trouble or "it waits"
    number = stories.many(cases.tries(trial, "d-1"), "try", "tries")
    problem = f"{story}: {where} after {number}, the third would have worked"
    yield Broken("b", problem, known.belief or "not-done")
