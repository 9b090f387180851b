"""Lab 8: judge the order of a document's rows, and find the belief behind a wrong one."""

from labs.judge.actor import Boundary
from labs.judge.findings import Broken
from labs.judge.trial import Trial
from labs.lab08_ordering import plays
from labs.lab08_ordering.plays import event, order

DOCUMENT = "document-0"
VERSIONS = range(1, 11)  # more than a worker usually holds


def judged(trial: Trial, requirement: str, why: str) -> Broken | None:
    """Wait for the effects of all events, and judge; see `verdict`."""
    trial.watch.settle(lambda: set(VERSIONS) <= set(order(trial, DOCUMENT)), timeout_s=plays.LONG_S)
    trial.watch.calm(0.2, timeout_s=1.0)  # a late one may follow
    return verdict(trial, requirement, why, VERSIONS)


def verdict(trial: Trial, requirement: str, why: str, versions: range) -> Broken | None:
    """End all actors; return a finding for a missing event, or for an older one after a newer one.

    Args:
        trial: the trial.
        requirement: the requirement of the finding; what is lost after a fault breaks d.
        why: the belief behind a wrong order, where the history shows no other.
        versions: the published versions.
    """
    trouble, anew, failure = trial.trouble(), chosen_anew(trial), why_after_failure(trial)
    trial.end()
    done = order(trial, DOCUMENT)
    order_text = f"versions 1 to {versions[-1]} of {DOCUMENT} were worked on in this order:"
    order_text = f"{order_text} {' '.join(map(str, done)) or 'none at all'}"
    reason = failure or (why_batch(trial) if requirement == "d" else "")
    if pair := plays.backward(done):
        newer, older = (event(DOCUMENT, version)["id"] for version in pair)
        story = f"{newer} before {older}; {trial.history.story(older)}"
        if not reason and requirement == "b":
            reason = why_overtaken(trial, anew)
        return Broken(requirement, f"{order_text}: {story}", reason or why)
    missing = [event(DOCUMENT, version)["id"] for version in versions if version not in done]
    if not missing:
        return None
    queued = missing[0] in plays.waiting(trial, missing)
    story = trial.history.story(missing[0])
    if queued:
        story = f"{trouble or story}; {missing[0]} stays in a queue"
        stuck = failure if failure == "error-is-passed-over" else "not-done"
        return Broken(requirement, f"{order_text}; {story}", stuck)
    if broken := plays.dropped(trial, missing[0]):
        return broken
    if requirement != "b" and (newer := left_out_for(trial, missing[0])):
        story = f"{newer} before {missing[0]}; {story}, and no row"
        return Broken(requirement, f"{order_text}: {story}", reason or why)
    lost = "b" if requirement == "b" else "d"
    return Broken(lost, f"{order_text}; {story}, and no row", why_lost(trial, lost, missing[0]))


def why_lost(trial: Trial, requirement: str, message: str) -> str:
    """Return the belief behind an event that is in no queue, and was not worked on."""
    if plays.auto_acks(trial):
        return "auto-ack"
    if requirement == "b":
        return "stale-may-be-skipped"
    if trial.history.events("fail"):
        return "error-is-done"
    return "ack-before-work" if trial.history.events("ack", message=message) else "not-done"


def left_out_for(trial: Trial, message: str) -> str:
    """Return a newer event that was worked on before this one was acked without a row, or "".

    A worker that leaves out old events has not lost this one: it came too late.
    """
    happened = trial.history.events("effect", "ack")
    acks = [n for n, item in enumerate(happened) if (item.kind, item.message) == ("ack", message)]
    done = [item.message for item in happened[: acks[-1] if acks else 0] if item.kind == "effect"]
    newer = newer_than(message)
    return next((known for known in done if known in newer), "")


def newer_than(message: str) -> set[str]:
    """Return the ids of all events of the document that come after this one."""
    ids = [event(DOCUMENT, version)["id"] for version in VERSIONS]
    return set(ids[1 + ids.index(message) :] if message in ids else ids)


def why_after_failure(trial: Trial) -> str:
    """Return the belief behind a wrong order after the store has failed, or "" without that.

    Call it before `Trial.end`, which forgets the processes.
    """
    if not (failed := trial.history.events("fail")):
        return ""
    if trial.history.events("nack", "reject"):
        return "requeue-keeps-place"
    return "polite-is-safer" if ended_over(trial, failed[0].message) else "error-is-passed-over"


def ended_over(trial: Trial, message: str) -> bool:
    """Return whether the process whose write failed has ended, and did not go on before.

    That process is the first one that had this event in work.
    """
    workers = [actor for actor in trial.actors if actor.role == "run_worker"]
    began = [
        actor
        for actor in workers
        if any(b.at.startswith("before") and b.message == message for b in actor.boundaries)
    ]
    if not began or began[0].running:
        return False
    newer = newer_than(message)
    on = {"before ack": newer | {message}, "after effect": newer, "after commit": newer}
    return not any(on.get(b.at, set()).intersection(b.messages) for b in began[0].boundaries)


def why_batch(trial: Trial) -> str:
    """Return the belief behind acks of several events at once, or "" without such an ack."""
    several = any(
        boundary.at == "before ack" and len(boundary.messages) > 1
        for boundary in list(trial.watch.boundaries)
    )
    return "batch-of-acks" if several else ""


def why_overtaken(trial: Trial, anew: bool) -> str:
    """Return the belief behind a wrong order of a document while nothing failed.

    Args:
        trial: the trial.
        anew: whether each publisher has chosen a way of its own; see `chosen_anew`.
    """
    pair = plays.backward(order(trial, DOCUMENT))
    if pair is None:
        return "not-done"
    newer, older = (event(DOCUMENT, version)["id"] for version in pair)
    if trial.history.events("nack", "reject", message=older):
        return "requeue-keeps-place"
    sent, taken = firsts(trial, "before publish"), firsts(trial, "delivery")
    if not {newer, older} <= set(sent) & set(taken) or sent[newer][0] < sent[older][0]:
        return "not-done"
    if taken[newer][1].actor == taken[older][1].actor:
        in_order = taken[older][0] < taken[newer][0]
        return "handlers-in-parallel" if in_order else "priority-is-harmless"
    if taken[newer][1].details["queue"] == taken[older][1].details["queue"]:
        return "queue-orders-workers"
    return "every-process-agrees" if anew else "order-across-queues"


def firsts(trial: Trial, at: str) -> dict[str, tuple[int, Boundary]]:
    """Return the first boundary of a kind for each message, with its number."""
    found = reversed(list(enumerate(trial.watch.boundaries)))
    return {b.message: (number, b) for number, b in found if b.at == at}


def chosen_anew(trial: Trial) -> bool:
    """Return whether each publisher sends a document one way, and not all the same way."""
    ways = []
    for actor in trial.actors:
        if actor.role == "publish":
            ways.append({
                (boundary.details["exchange"], boundary.details["routing_key"])
                for boundary in actor.boundaries
                if boundary.at == "before publish" and boundary.message.startswith(f"{DOCUMENT}/")
            })  # fmt: skip
    ways = [way for way in ways if way]
    return all(len(way) == 1 for way in ways) and len(set.union(*ways, set())) > 1
