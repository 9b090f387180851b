"""Lab 6: mails are retried with growing waits, spread out, and a limited number of times.

A wait is judged by how early a mail comes back and by the order of mails: how late depends on load.
"""

from collections.abc import Iterator

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken
from labs.judge.model import Lab
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial, go_on
from labs.lab06_retries.cases import DLQ, Scene, Settings, left_over, other_queues, publish_beside
from labs.lab06_retries.provider import REFUSED, SENT, TRY_LATER, MailProvider
from labs.lab06_retries.waiting import SLOW, SLOWER, crowded, doubling, ending, why_gone

HERD = 12
QUIET_S = 4.0  # longer than the longest wait of any play


def check(trial: Trial) -> Iterator[Broken]:
    """Judge a submission; simple plays come first, since they explain the results of later ones."""
    with MailProvider() as provider:
        scene = Scene(trial, provider)
        for play in (crowd, herd, death, all_fail, killed, no_way):
            for broken in play(scene):
                scene.reasons.setdefault(broken.requirement, broken.misconception)
                yield broken
            if scene.reasons.get("a"):
                return


LAB = Lab(
    number=6,
    title="Retries that help",
    question="q06_retries",
    requirements={
        "a": "a mail that fails for a moment is tried again, and is sent",
        "b": "the wait doubles: before retry n it is at least base_s * 2^(n-1) seconds",
        "c": "mails that failed together are spread out when they come back",
        "d": "a mail that waits holds up no other, neither a new one nor one that waits less",
        "e": "after so many retries a mail is in the queue dlq, also when a worker died meanwhile",
        "f": "a mail that the provider refuses for good is tried once, then it is in the queue dlq",
        "g": "from one sent mail to the next there are no more retries than the budget allows",
        "h": "no mail is lost when the worker dies at any point, or when a copy finds no queue",
    },
    roles=(
        "declare(url, base_s, retries)",
        "run_worker(url, provider, base_s, retries, budget)",
    ),
    check=check,
    modules=("urllib.request", "http.client"),
    beliefs={
        "requeue-is-retry": "to requeue a message is to retry it",
        "same-pause": "a pause that is right before the first retry is right before each",
        "backoff-spreads": "growing waits keep retries from coming back in a crowd",
        "any-order": "a message leaves its queue when its own time is over, wherever it stands",
        "waits-in-handler": "a handler that waits before the next try holds up no other message",
        "retries-are-tries": "three tries are the same as three retries",
        "broker-counts": "the broker counts how often a client has sent a message again",
        "all-may-heal": "anything that failed may work the next time",
        "done-is-gone": "a message that cannot be handled may be acked and forgotten",
        "limit-is-budget": "a limit for each message is a limit for all of them together",
        "spent-for-ever": "a budget that is used up stays used up",
        "no-confirms": "a publish that raises no error has arrived",
        "confirmed-is-queued": "a message that the broker confirms is in a queue",
        "quiet-end": "a program that returns when its connection is lost is started again",
    },
)


def crowd(scene: Scene) -> Iterator[Broken]:
    """Request five mails at once: one fails once, one is refused for good, three are sent."""
    comments = ["slow", "fine-1", "fine-2", "fine-3", "bad"]
    provider = scene.provider

    def answer(comment: str, number: int) -> int:
        if comment == "bad":
            return REFUSED
        return TRY_LATER if comment == "slow" and number == 1 else SENT

    problem = scene.begin(SLOW, comments, answer)
    if not problem:
        scene.work(SLOW)
        scene.trial.watch.settle(
            lambda: all(map(provider.sent, comments[:-1])) and scene.ready(DLQ), quiet_s=QUIET_S
        )
    requeued, again = scene.requeued(), [call for call in provider.calls if call.number == 2]
    trouble = problem or scene.trial.trouble()
    scene.trial.end()
    if not provider.sent("slow"):
        problem = trouble or scene.story("slow")
        yield from (Broken(key, problem, "not-done") for key in LAB.requirements if key != "f")
    # The three are in the queue before the slow one can be back in it.
    first = next((provider.calls.index(call) for call in again if call.comment == "slow"), 0)
    behind = [
        comment
        for comment in comments[1:4]
        if comment not in {c.comment for c in provider.calls[:first]}
    ]
    if behind and provider.sent("slow"):
        why = "requeue-is-retry" if requeued else "waits-in-handler"
        problem = (
            f"{scene.story('slow')}; {behind[0]}, which was in the queue behind it, had to wait"
        )
        yield Broken("d", problem, why)
    tries, dead = len(provider.of("bad")), scene.dead()
    if tries > 1:
        yield Broken("f", f"{scene.story('bad')}: tried {tries} times", "all-may-heal")
    elif dead["bad"] != 1:
        problem = scene.story("bad") if tries else trouble or "it was never tried"
        yield Broken(
            "f", f"{problem}: {dead['bad']} times in the queue {DLQ}", why_gone(scene, tries)
        )


def herd(scene: Scene) -> Iterator[Broken]:
    """Let many mails fail together; repeat with longer waits what load can explain."""
    findings = list(fail_together(scene, SLOW))
    if {finding.misconception for finding in findings} & {"any-order", "backoff-spreads"}:
        findings = list(fail_together(scene, SLOWER))
    yield from findings


def fail_together(scene: Scene, settings: Settings) -> Iterator[Broken]:
    """Let twelve mails fail at each try, and a late one once, with a short wait."""
    provider, why_held = scene.provider, scene.reasons.get("d")
    mails = [f"mail-{number}" for number in range(1, 2 if why_held else 1 + HERD)]
    first: list[str] = []  # the mail that began the longest wait first
    enough = len(mails) * (settings.retries + 2)

    def answer(comment: str, number: int) -> int:
        if number == settings.retries and not (first or why_held):
            first.append(comment)
            publish_beside("late")  # before the worker gets the answer for this mail
        return SENT if comment == "late" and number == 2 else TRY_LATER

    def over() -> bool:
        if len(provider.calls) > enough + 2:
            return True
        return scene.ready(DLQ) == len(mails) and (not first or provider.sent("late"))

    scene.begin(settings, mails, answer)
    scene.work(settings)
    longest_s = settings.base_s * 2**settings.retries
    scene.trial.watch.settle(over, timeout_s=20, quiet_s=longest_s + 2)
    requeued, trouble = scene.requeued(), scene.trial.trouble()
    scene.trial.end()
    dead = scene.dead()
    ended = list(ending(scene, settings, mails, dead, requeued=requeued, trouble=trouble))
    yield from ended
    endless = min({finding.misconception for finding in ended} - {"retries-are-tries"}, default="")
    doubled = list(doubling(scene, settings, mails, endless))
    yield from doubled
    if why_held:
        story = "a mail that fails holds up all behind it, so they fail one after the other"
        yield Broken("c", story, why_held)
    else:
        yield from crowded(scene, settings, mails, endless, first, grow=not doubled)


def death(scene: Scene) -> Iterator[Broken]:
    """Kill the worker when it gets a mail for the third try."""
    if scene.reasons.get("e"):
        return
    settings, trial = Settings(base_s=0.1, retries=3), scene.trial

    def third(actor: Actor, boundary: Boundary) -> Order:
        return "kill" if boundary.at == "delivery" and trial.watch.count("delivery") == 3 else "go"

    scene.begin(settings, ["mail-1"], lambda comment, number: TRY_LATER)
    trial.direct = third
    try:
        worker = scene.work(settings)
        trial.watch.settle(
            lambda: not worker.running or len(scene.provider.calls) > 2, quiet_s=QUIET_S
        )
    finally:
        trial.direct = go_on
    before = len(scene.provider.calls)
    if worker.running:  # it holds the mail between its tries
        worker.kill()
        trial.history.record("crash", "mail-1", actor="worker")
    most = settings.retries + 2  # the try in which it was killed can be an additional one
    trial.watch.settle(
        lambda: scene.ready(DLQ) or len(scene.provider.calls) > most, quiet_s=QUIET_S
    )
    story, tries, trouble = scene.story("mail-1"), len(scene.provider.calls), trial.trouble()
    trial.end()
    if tries > most:
        story = f"mail-1 was tried {before} times → the worker is killed → tried {tries - before} "
        story += f"times more; {settings.retries} retries were asked for"
        yield Broken("e", story, "memory-set")
    elif not scene.dead()["mail-1"]:
        why = "not-done" if trouble or "mail-1" in left_over(trial) else why_lost(scene, "mail-1")
        yield Broken("e", f"{story}: not in the queue {DLQ} {trouble}".rstrip(), why)


def all_fail(scene: Scene) -> Iterator[Broken]:
    """Let ten mails fail, restore the provider, and let another mail fail once."""
    settings, down = Settings(base_s=0.05, retries=3, budget=4), [True]
    trial, provider = scene.trial, scene.provider
    mails = [f"mail-{number}" for number in range(1, 11)]
    most = len(mails) + settings.budget

    def answer(comment: str, number: int) -> int:
        return TRY_LATER if down[0] or (comment == "again" and number == 1) else SENT

    scene.begin(settings, mails, answer)
    scene.work(settings)
    trial.watch.settle(
        lambda: scene.ready(DLQ) == len(mails) or len(provider.calls) > most, quiet_s=QUIET_S
    )
    requeued, tries = scene.requeued(), len(provider.calls)
    if tries > most or scene.ready(DLQ) != len(mails):
        story = f"{len(mails)} mails fail, the budget is {settings.budget} retries: "
        story += f"{tries - len(mails)} retries, {scene.ready(DLQ)} mails in the queue {DLQ}"
        why = "limit-is-budget" if tries > most else scene.reasons.get("e", "not-done")
        yield Broken("g", story, "requeue-is-retry" if requeued else why)
        return
    down[0] = False
    for comment in ("fine", "again"):
        scene.ask(comment)
    trial.watch.settle(lambda: provider.sent("again"), quiet_s=QUIET_S)
    if not provider.sent("again"):
        story = f"the budget was used up → 'fine' was sent → {scene.story('again')}: no retry"
        yield Broken("g", story, "spent-for-ever")
    elif tries == len(mails):
        yield Broken("g", "the budget allows 4 retries, and none was made", "not-done")


def killed(scene: Scene) -> Iterator[Broken]:
    """Kill the worker, or cut its connection, at each point of a mail that fails twice."""
    settings, trial, provider = Settings(base_s=0.02, retries=1), scene.trial, scene.provider
    hopeless = "e" not in scene.reasons

    def answer(comment: str, number: int) -> int:
        return TRY_LATER if hopeless or number == 1 else SENT

    def over() -> bool:
        settled = trial.watch.count("after ack") + trial.watch.count("after reject")
        return bool(settled and (provider.sent("mail-1") or scene.ready(DLQ)))

    def play() -> Broken | None:
        scene.begin(settings, ["mail-1"], answer)
        scene.work(settings)
        trial.watch.settle(over, quiet_s=2.0)
        return missing(scene, "mail-1")

    role = "run_worker"
    broken = crash_points(trial, play, role=role, least=3) or crash_points(
        trial, play, actions=("cut",), role=role, most=5
    )
    if broken:
        yield broken


def missing(scene: Scene, mail: str) -> Broken | None:
    """End the play; return a finding if the mail is lost or no longer worked on."""
    trial, returned = scene.trial, any(actor.returned for actor in scene.trial.actors)
    trouble = trial.trouble()
    trial.end()
    if scene.provider.sent(mail) or scene.dead()[mail]:
        return None
    story, left = scene.story(mail), left_over(trial)
    if mail not in left:
        return Broken("h", f"{story}: not sent, and in no queue", why_lost(scene, mail))
    if trial.fault is None:
        return None  # without a death it may wait: another requirement judges its wait
    story = f"{story}: in the queue {left[mail][0]}, and no worker takes it {trouble}".rstrip()
    return Broken("h", story, "quiet-end" if returned else "not-done")


def why_lost(scene: Scene, mail: str) -> str:
    """Return the belief behind a loss: an early ack, or a copy that never arrived."""
    trial = scene.trial
    if trial.watch.auto_acks("subscribed"):
        return "auto-ack"
    settled = [event.kind for event in trial.history.events("ack", "publish", message=mail)]
    if settled[-2:] != ["publish", "ack"]:
        return "ack-before-work"
    return "confirmed-is-queued" if trial.watch.count("before confirm", mail) else "no-confirms"


def no_way(scene: Scene) -> Iterator[Broken]:
    """Delete the queues in which mails wait, and let a mail fail once."""
    if scene.reasons.get("h"):
        return
    settings, trial = Settings(base_s=0.05, retries=1), scene.trial
    scene.begin(settings, [], lambda comment, number: TRY_LATER if number == 1 else SENT)
    worker = scene.work(settings)
    trial.watch.settle(lambda: worker.subscribed, quiet_s=QUIET_S)
    for queue in other_queues():
        trial.channel.queue_delete(queue)
    scene.ask("mail-1")
    trial.watch.settle(lambda: scene.provider.sent("mail-1") or scene.ready(DLQ), quiet_s=1.0)
    if broken := missing(scene, "mail-1"):
        yield broken
