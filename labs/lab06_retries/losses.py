"""Lab 6, mails that get lost: when a worker dies, when a copy does not arrive, or only later."""

from collections.abc import Iterator
from dataclasses import replace

from helpers import broker
from labs.judge import later
from labs.judge.faults import BROKER, FULL_QUEUE, RETURNS
from labs.judge.findings import Broken
from labs.judge.sweep import crash_points
from labs.lab06_retries.cases import DLQ, WORK, Scene, Settings, left_over, other_queues
from labs.lab06_retries.provider import SENT, TRY_LATER

QUIET_S = 4.0
ROLE = "run_worker"


def killed(scene: Scene) -> Iterator[Broken]:
    """Kill the worker, cut it off, or refuse its copies, at each point of a mail that fails."""
    if scene.reasons.get("h"):
        return
    settings, trial, provider = Settings(base_s=0.02, retries=1), scene.trial, scene.provider
    hopeless = "e" not in scene.reasons

    def answer(comment: str, number: int) -> int:
        return TRY_LATER if hopeless or number == 1 else SENT

    def over() -> bool:
        settled = sum(trial.watch.count(f"after {verb}") for verb in ("ack", "reject", "nack"))
        return bool(settled and (provider.sent("mail-1") or scene.ready(DLQ)))

    def play() -> Broken | None:
        scene.begin(settings, ["mail-1"], answer)
        scene.work(settings)
        trial.watch.settle(over, quiet_s=2.0)
        return missing(scene, "mail-1")

    broken = crash_points(trial, play, role=ROLE, least=3) or crash_points(
        trial, play, actions=("cut",), role=ROLE, most=5
    )
    for at, ways in RETURNS.items():
        for way in ways:
            broken = broken or crash_points(
                trial, play, actions=("fail",), role=ROLE, failures={at: (way,)}, most=2
            )
    if broken:
        yield broken


def missing(scene: Scene, mail: str) -> Broken | None:
    """End the play; return a finding if the mail is lost or no longer worked on."""
    trial = scene.trial
    workers = [actor for actor in trial.actors if actor.role == ROLE]
    returned = any(actor.returned for actor in workers)
    trouble = "" if any(actor.running for actor in workers) else trial.trouble()
    trial.end()
    if scene.provider.sent(mail) or scene.dead()[mail]:
        return None
    story, left = scene.story(mail), left_over(trial)
    if mail not in left:
        return Broken("h", f"{story}: not sent, and in no queue", why_lost(scene, mail))
    if trial.fault is None:
        return None  # without a death it may wait: another requirement judges its wait
    story = f"{story}: in the queue {left[mail][0]}, and no worker takes it {trouble}".rstrip()
    if trial.history.events("fail"):
        return Broken("h", story, "error-is-passed-over")
    if returned:
        return Broken("h", f"{story}; run_worker() returns", "quiet-end")
    return Broken("h", story, "raised" if trouble else "not-done")


def why_lost(scene: Scene, mail: str) -> str:
    """Return the belief behind a loss: an early ack, or a copy that never arrived."""
    trial = scene.trial
    if trial.watch.auto_acks("subscribed"):
        return "auto-ack"
    settled = [event.kind for event in trial.history.events("ack", "publish", message=mail)]
    if settled[-2:] != ["publish", "ack"]:
        return "ack-before-work"
    if not scene.confirms:
        return "no-confirms"
    failed = trial.history.events("fail")
    unroutable = scene.deleted or any(BROKER["return"] in event.detail for event in failed)
    if unroutable and not scene.publishes(mail)[-1].details["mandatory"]:
        return "confirmed-is-queued"
    return "error-is-done" if failed or scene.deleted else where(scene, mail)[1]


def where(scene: Scene, mail: str) -> tuple[str, str]:
    """Return where a mail is after the workers ended, in words, and the belief behind a loss."""
    if queue := expired(scene, mail):
        return f"gone: queue {queue} expired and took it along", "expired-is-passed-on"
    left, there = left_over(scene.trial), other_queues()
    if mail in left:
        return f"it waits in the queue {left[mail][0]}", "not-done"
    queue = target(scene, mail)
    if not queue or queue == DLQ:
        return f"given up, or in no queue but {DLQ}", "not-done"
    if queue in there:
        kept_on = "x-dead-letter-exchange" in there[queue]
        belief = "not-done" if kept_on else "drop-is-kept"
        return f"gone: it was in the queue {queue}, which passed it on to no queue", belief
    return f"gone: there is no queue {queue}", "not-done"


def target(scene: Scene, mail: str) -> str:
    """Return the queue to which the last copy of a mail was published, or "" for none."""
    copies = [copy for copy in scene.publishes(mail) if not copy.details["exchange"]]
    return str(copies[-1].details["routing_key"]) if copies else ""


def expired(scene: Scene, mail: str) -> str:
    """Return the queue that expired before a mail could leave it, or "" for none."""
    early = [
        name
        for name, had in scene.made.items()
        if "x-expires" in had and had["x-expires"] <= had.get("x-message-ttl", had["x-expires"])
    ]
    queue = target(scene, mail)
    gone = queue not in ("", WORK, DLQ) and queue not in other_queues()
    return queue if gone and (queue in early or (early and queue not in scene.made)) else ""


def kept(scene: Scene) -> Iterator[Broken]:
    """Read from the queues, the exchanges and the copies what gets lost later."""
    for exchange in broker.api("GET", "exchanges/{vhost}?disable_stats=true"):
        if not exchange["durable"]:
            story = f"exchange {exchange['name']} is not durable: gone when the broker restarts"
            yield Broken("h", story, "transient-exchange")
    quorum = True
    consumed = {*other_queues()} - {*other_queues(consumed=False)} | {WORK, DLQ}
    for queue in later.queues():
        arguments = dict(queue.arguments)
        quorum = quorum and arguments.get("x-queue-type") == "quorum"
        if queue.name in (WORK, DLQ):  # a dead letter exchange does not keep mails *there*
            arguments.pop("x-dead-letter-exchange", None)
        if queue.name == DLQ:  # a dead letter that is refused is dropped
            arguments.pop("x-overflow", None)
        if queue.name not in (WORK, DLQ):
            arguments.pop("x-expires", None)  # well, if it is declared anew when needed: no_way
        known = replace(
            queue, arguments=arguments, auto_delete=queue.auto_delete and queue.name in consumed
        )
        for loss in later.losses(known) if queue.name != FULL_QUEUE else ():
            yield Broken("h", loss.sentence, loss.misconception)
    copies = [b for b in list(scene.trial.watch.boundaries) if b.at == "before publish"]
    if not quorum and any(not copy.details["persistent"] for copy in copies):
        story = "a copy is published without delivery_mode 2: gone when the broker restarts"
        yield Broken("h", story, "transient-message")


def no_way(scene: Scene) -> Iterator[Broken]:
    """Delete the queues in which mails wait, and let a mail fail once."""
    if scene.reasons.get("h"):
        return
    settings, trial, provider = Settings(base_s=0.05, retries=1), scene.trial, scene.provider
    scene.begin(settings, [], lambda comment, number: TRY_LATER if number == 1 else SENT)
    worker = scene.work(settings)
    trial.watch.settle(lambda: worker.subscribed, quiet_s=QUIET_S)
    for queue in other_queues(consumed=False):
        trial.channel.queue_delete(queue)
    scene.deleted = True
    scene.ask("mail-1")
    trial.watch.settle(
        lambda: provider.sent("mail-1") or scene.ready(DLQ) or len(provider.calls) > 3, quiet_s=1.0
    )
    there = other_queues()
    if broken := missing(scene, "mail-1"):
        yield broken
        return
    for name, had in scene.made.items():
        if name not in there and had.get("x-expires", later.DAY_S * 1000) < later.DAY_S * 1000:
            story = f"queue {name} is declared once, and gone after {had['x-expires'] / 1000:g} s"
            yield Broken("h", f"{story}, with the mails that wait in it then", "queue-stays")
            return
