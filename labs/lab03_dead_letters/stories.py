"""The words of lab 3's findings: stories of documents, and what a history shows."""

from labs.judge.trial import Trial

LONG = 12  # steps of a story


def story(trial: Trial, document: str) -> str:
    """Return the story of a document; the middle of a long one is left out."""
    steps = trial.history.story(document).split(" → ")
    if len(steps) > LONG:
        steps[6 : 6 - LONG] = ["…"]
    return " → ".join(steps).replace(" to worker", "")


def many(number: int, singular: str, plural: str) -> str:
    """Return a number and its noun."""
    return f"{number} {singular if number == 1 else plural}"


def returned(trial: Trial, verb: str) -> bool:
    """Return whether a worker has requeued a message by this verb, "nack" or "reject"."""
    return any(
        boundary.at == f"before {verb}" and boundary.details["requeue"]
        for boundary in list(trial.watch.boundaries)
    )


def acks_first(trial: Trial, healthy: str) -> bool:
    """Return whether a worker acked this document before its thumbnail was made."""
    order = [
        boundary.at for boundary in list(trial.watch.boundaries) if healthy in boundary.messages
    ]
    wanted = [order.index(at) for at in ("before ack", "before effect") if at in order]
    return len(wanted) == 2 and wanted[0] < wanted[1]


def auto_acks(trial: Trial) -> bool:
    """Return whether a consumer uses auto_ack."""
    return any(boundary.details.get("auto_ack") for boundary in list(trial.watch.boundaries))


def returned_early(trial: Trial, role: str) -> bool:
    """Return whether a process of this role has returned."""
    return any(actor.returned for actor in trial.actors if actor.role == role)


def why_lost(trial: Trial, document: str, *, confirms: bool) -> str:
    """Return the belief behind a message that is gone.

    Args:
        trial: the trial in which it was lost.
        document: what the message was about.
        confirms: whether the code publishes with confirms.
    """
    if auto_acks(trial):
        return "auto-ack"
    kinds = [event.kind for event in trial.history.events(message=document)]
    after = kinds[kinds.index("fail") + 1 :] if "fail" in kinds else []
    if "ack" not in after:
        # An ack may overtake a publish that nobody waits for: no fault is needed for that loss.
        sent_first = {"publish", "ack"} <= {*kinds} and kinds.index("publish") < kinds.index("ack")
        return "no-confirms" if sent_first and not confirms else "ack-before-work"
    refused = trial.fault is not None and trial.fault.fails_at("before publish")
    return "no-confirms" if refused and not confirms else "error-is-done"


def why_stuck(trial: Trial, role: str) -> str:
    """Return the belief behind a message that nothing works on any more."""
    if trial.history.events("fail"):
        return "error-is-passed-over"
    return "quiet-end" if returned_early(trial, role) else "never-acked"
