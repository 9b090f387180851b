"""The plays of lab 3 with replay(), which sends dead letters back."""

import threading
from collections.abc import Iterator

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.trial import Trial, go_on
from labs.lab03_dead_letters import cases, keeping, stories
from labs.lab03_dead_letters.cases import DEAD, PATIENCE_S, WORK, Known
from labs.lab03_dead_letters.sweeps import all_points

ROUNDS = 3


def once(trial: Trial, known: Known) -> Iterator[Finding]:
    """Replay two dead letters while a worker runs; one PDF was repaired, the other was not."""
    if known.hopeless or known.belief == "reject-only-removes":
        yield known.unseen("g")
        return
    cases.prepare(trial, known, {"d-1": "corrupt", "d-2": "corrupt"})
    cases.publish(trial, ["d-1", "d-2"])
    cases.start_worker(trial)
    trial.watch.settle(lambda: cases.ready(trial, DEAD) >= 2, timeout_s=20, quiet_s=PATIENCE_S)
    cases.put_pdf(trial, "d-1", "fine")
    before = cases.tries(trial, "d-1")
    tool, sent = replay_slowly(trial)
    done, error = tool.returned, tool.error
    acked = trial.watch.acked("d-1", actor=tool.name)  # then a letter that stays is no finding
    tool.kill()
    trial.watch.settle(
        lambda: "d-1" in cases.thumbnails(trial) and cases.ready(trial, DEAD) >= 1,
        quiet_s=PATIENCE_S,
    )
    trial.watch.calm(0.2)  # a second letter may follow
    told = [stories.story(trial, document) for document in ("d-1", "d-2")]
    repaired, corrupt = cases.end(trial, ["d-1", "d-2"]).values()
    again = cases.tries(trial, "d-1") > before
    if sent > 1:
        story = f"d-2 goes back and is dead again before replay() looks: {sent} times, and no end"
        yield Broken("g", story, "emptied-stays-empty")
    elif not (sent and done):
        story = error or ("it returns" if done else "it does not return")
        sent_back = "both letters are" if sent else "d-2 is never"
        yield Broken("g", f"replay() is called, {sent_back} sent back; {story}", "not-done")
    elif repaired.thumbnail and repaired.dead and not acked:
        story = f"{told[0]}: it has its thumbnail, and a letter is still in {DEAD}"
        yield Broken("g", story, "never-acked")
    elif repaired.dead and not again:
        story = f"d-1 is tried {before} times, dead, repaired and sent back: dead without a try"
        yield Broken("g", story, "counted-for-ever")
    elif not repaired.thumbnail:
        yield Broken("g", f"{told[0]}: it was repaired, and has no thumbnail", "not-done")
    elif corrupt.dead != 1:
        letters = stories.many(corrupt.dead, "letter", "letters")
        story = f"{told[1]}: still corrupt, and {letters} in {DEAD}"
        yield Broken("g", story, known.belief or "not-done")


def replay_slowly(trial: Trial) -> tuple[Actor, int]:
    """Run replay(), and hold it after it has sent d-2 until d-2 is dead-lettered again.

    Returns:
        The actor, and how often it has sent d-2; after three times it is no longer held.
    """
    gates: list[threading.Event] = []

    def direct(actor: Actor, boundary: Boundary) -> Order:
        sends = actor.role == "replay" and boundary.at == "after publish"
        if sends and "d-2" in boundary.message and len(gates) < ROUNDS:
            gates.append(threading.Event())
            return gates[-1]
        return "go"

    def held() -> threading.Event | None:
        return next((gate for gate in gates if not gate.is_set()), None)

    trial.direct = direct
    tool = trial.start("replay", trial.url)
    try:
        for _ in range(ROUNDS):
            trial.watch.settle(lambda: held() or not tool.running, quiet_s=PATIENCE_S)
            if not (gate := held()):
                break
            trial.watch.settle(lambda: cases.ready(trial, DEAD) >= 1, quiet_s=1.0)
            gate.set()
        if len(gates) == 1:  # it has ended, or runs on without a publish
            trial.watch.settle(lambda: not tool.running, quiet_s=PATIENCE_S)
    finally:
        trial.direct = go_on
    return tool, len(gates)


def anywhere(trial: Trial, known: Known) -> Iterator[Finding]:
    """Let replay() die, be cut off, or be refused at each point of two dead letters."""
    if known.drops:
        yield NotSeen("h", f"{known.drops}, as f says")
        return
    letters = ["d-1", "d-2"]

    def back() -> bool:
        if any(actor.returned for actor in trial.actors if actor.role == "replay"):
            return True
        acked = trial.watch.count("after ack") >= len(letters)
        return acked and cases.ready(trial, WORK) >= len(letters)

    def play() -> Broken | None:
        cases.prepare(trial, known, dict.fromkeys(letters, "fine"))
        cases.dead_letter(trial, known, letters)
        trial.start("replay", trial.url, restarts=3)
        trial.watch.settle(back, quiet_s=PATIENCE_S)
        trouble = trial.trouble()
        known.sent = None
        fates = cases.end(trial, letters, known)
        loss = keeping.message_loss(known, (WORK,), known.sent)
        if loss and not keeping.message_loss(known, (WORK,), known.letter):
            return Broken("h", f"what replay() sends back: {loss.sentence}", loss.misconception)
        for document, fate in fates.items():
            story = stories.story(trial, document)
            if fate.gone:
                why = stories.why_lost(trial, document, confirms=known.confirms)
                return Broken("h", f"{story}: {document} is gone, from both queues", why)
            # After a death a letter may stay in the dead letter queue: it can be replayed again.
            if not fate.waiting and trial.fault and not trial.fault.point:
                story = f"replay() is called, and {document} stays in {DEAD}"
                return Broken("h", trouble or story, "raised" if trouble else "not-done")
        return None

    yield from all_points(trial, known, play, role="replay", cuts=2)
