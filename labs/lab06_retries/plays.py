"""Lab 6, the plays in which nothing gets lost: a crowd, a herd, a death, a spent budget."""

from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken, Finding
from labs.judge.trial import go_on
from labs.lab06_retries.cases import DLQ, Scene, Settings, left_over, publish_beside
from labs.lab06_retries.losses import expired, kept, where, why_lost
from labs.lab06_retries.provider import REFUSED, SENT, TRY_LATER
from labs.lab06_retries.waiting import (
    SLOW,
    SLOWER,
    SLOWEST,
    bounded,
    crowded,
    doubling,
    ending,
    why_gone,
)

HERD = 12
QUIET_S = 4.0  # longer than the longest wait of any play
LONG_S = 60.0  # for many mails with a slow worker
LOAD = {"any-order", "backoff-spreads", "longer-is-safer"}  # beliefs that load can feign
NOT_ENDLESS = {"retries-are-tries", "body-may-change"}  # beliefs of mails that do come to an end
PACE_S = 0.3  # a worker that takes longer for a mail gets colleagues and longer waits


def crowd(scene: Scene) -> Iterator[Finding]:
    """Request five mails at once: one fails once, one is refused for good, three are sent."""
    comments = ["slow", "fine-1", "fine-2", "fine-3", "bad"]
    provider = scene.provider

    def answer(comment: str, number: int) -> int:
        if comment == "bad":
            return REFUSED
        return TRY_LATER if comment == "slow" and number == 1 else SENT

    def over() -> bool:
        if scene.trial.watch.count("after publish") > len(looks):
            looks.append(scene.look())
        return all(map(provider.sent, comments[:-1])) and bool(scene.ready(DLQ))

    looks: list[None] = []
    problem = scene.begin(SLOW, comments, answer)
    if not problem:
        scene.work(SLOW)
        scene.trial.watch.settle(over, quiet_s=QUIET_S)
    requeued, calls = scene.requeued(), list(provider.calls)
    scene.slow = median([b.t_s - a.t_s for a, b in pairwise(calls[:5])] or [0.0]) > PACE_S
    trouble = problem or scene.trial.trouble()
    scene.trial.end()
    lost = bool(expired(scene, "slow"))  # a worker that dies of it gets the mail again
    if lost or not provider.sent("slow"):
        place, why = where(scene, "slow")
        story = f"{scene.story('slow')}; {place}"
        if why == "not-done" and trouble:
            story, why = trouble, "raised"
        yield Broken("a", problem or story, why)
        yield from (scene.unseen(key, "a") for key in "bcdegh")
    # What fails must not be back before one of the three that were in the queue behind it.
    first, *again = [index for index, call in enumerate(calls) if call.comment == "slow"] or [0]
    between = [call.comment for call in calls[first + 1 : again[0]]] if again else comments
    if provider.sent("slow") and not lost and not set(between) & set(comments[1:4]):
        why = "requeue-is-retry" if requeued else "waits-in-handler"
        story = f"{scene.story('slow')}; fine-1, which was in the queue behind it, had to wait"
        yield Broken("d", story, why)
    tries, dead = len(provider.of("bad")), scene.dead()
    if tries > 1:
        yield Broken("f", f"{scene.story('bad')}: tried {tries} times", "all-may-heal")
    elif dead["bad"] != 1:
        problem = scene.story("bad") if tries else trouble or "it was never tried"
        yield Broken(
            "f", f"{problem}: {dead['bad']} times in the queue {DLQ}", why_gone(scene, tries)
        )


def herd(scene: Scene) -> Iterator[Finding]:
    """Let many mails fail together; repeat with longer waits what load can explain."""
    findings: list[Finding] = []
    for settings in (SLOWEST,) if scene.slow else (SLOW, SLOWER, SLOWEST):
        findings = list(fail_together(scene, settings))
        beliefs = {finding.misconception for finding in findings if isinstance(finding, Broken)}
        if not beliefs & LOAD or (settings is SLOWER and quick(scene, settings)):
            break
    yield from findings


def quick(scene: Scene, settings: Settings) -> bool:
    """Return whether all mails were tried once before the first of them had to be back."""
    first = scene.provider.calls[:HERD]
    return bool(first) and first[-1].t_s - first[0].t_s < settings.base_s


def fail_together(scene: Scene, settings: Settings) -> Iterator[Finding]:
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
    scene.work(settings, number=len(mails) if scene.slow else 1)
    longest_s = settings.base_s * 2**settings.retries
    # Waits that are twice too long have to end, too, so that their story can be told.
    scene.trial.watch.settle(over, timeout_s=LONG_S, quiet_s=2 * longest_s + 2)
    requeued, trouble = scene.requeued(), scene.trial.trouble()
    scene.confirms = scene.trial.watch.count("before confirm") > 0
    scene.look()
    lossy = list(kept(scene))
    scene.trial.end()
    dead = scene.dead()
    ended = list(ending(scene, settings, mails, dead, requeued=requeued, trouble=trouble))
    yield from ended
    endless = min({finding.misconception for finding in ended} - NOT_ENDLESS, default="")
    doubled = list(doubling(scene, settings, mails, endless))
    yield from doubled
    if not (ended or doubled):
        yield from bounded(scene, settings, mails, measured=quick(scene, settings))
    yield from lossy
    if why_held:
        yield scene.unseen("c", "d")
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
        why = "raised" if trouble else "not-done"
        if "mail-1" not in left_over(trial):
            why = why_lost(scene, "mail-1")
        yield Broken("e", f"{story}: not in the queue {DLQ} {trouble}".rstrip(), why)


def why_more(scene: Scene, settings: Settings, mails: list[str]) -> str:
    """Return the belief behind more retries than the budget has, once all mails have ended."""
    provider, each = scene.provider, 1 + settings.retries
    scene.trial.watch.settle(
        lambda: scene.ready(DLQ) == len(mails) or len(provider.calls) >= len(mails) * each,
        timeout_s=LONG_S,
        quiet_s=QUIET_S,
    )
    if all(len(provider.of(mail)) >= each for mail in mails):
        return "limit-is-budget"
    # On a busy machine a budget that time fills up does so while the mails fail.
    return "time-heals" if healed(scene) else "not-done"


def healed(scene: Scene) -> bool:
    """Return whether a mail is retried after a second in which no mail was sent."""
    scene.trial.watch.calm(1.0)
    return tries_to_end(scene, "later") > 1


def refilled(scene: Scene) -> bool:
    """Return whether a mail is retried after one that was refused for good; it builds on f."""
    if scene.reasons.get("f") or tries_to_end(scene, "bad") != 1:
        return False
    return tries_to_end(scene, "after-bad") > 1


def tries_to_end(scene: Scene, comment: str) -> int:
    """Request a mail that is never sent, wait until it is given up, and return its tries."""
    before = scene.ready(DLQ)
    scene.ask(comment)
    scene.trial.watch.settle(lambda: scene.ready(DLQ) > before, quiet_s=QUIET_S)
    return len(scene.provider.of(comment))


def all_fail(scene: Scene) -> Iterator[Finding]:
    """Let ten mails fail, restore the provider, and let other mails fail once."""
    settings, down = Settings(base_s=0.05, retries=3, budget=4), [True]
    trial, provider = scene.trial, scene.provider
    mails = [f"mail-{number}" for number in range(1, 11)]
    again = [f"again-{number}" for number in range(1, 1 + settings.budget)]
    most = len(mails) + settings.budget

    def answer(comment: str, number: int) -> int:
        if comment == "bad":
            return REFUSED
        return TRY_LATER if down[0] or (comment in again and number == 1) else SENT

    scene.begin(settings, mails, answer)
    scene.work(settings)
    trial.watch.settle(
        lambda: scene.ready(DLQ) == len(mails) or len(provider.calls) > most,
        timeout_s=LONG_S,
        quiet_s=QUIET_S,
    )
    requeued, tries, gone = scene.requeued(), len(provider.calls), scene.ready(DLQ)
    story = f"{len(mails)} mails fail, the budget is {settings.budget} retries: "
    story += f"{tries - len(mails)} retries, {gone} mails in the queue {DLQ}"
    if tries > most and not requeued:
        yield Broken("g", story, why_more(scene, settings, mails))
        return
    if tries > most or gone != len(mails):
        why = "requeue-is-retry" if requeued else scene.reasons.get("e", "not-done")
        yield Broken("g", story, why)
        return
    if tries < most:
        yield Broken("g", story, "not-done")
        return
    if healed(scene):
        story = "the budget was used up → no mail was sent, a second went by → "
        yield Broken("g", f"{story}{scene.story('later')}: a retry", "time-heals")
        return
    if refilled(scene):
        story = "the budget was used up → 'bad' was refused for good → "
        yield Broken("g", f"{story}{scene.story('after-bad')}: a retry", "refused-refills")
        return
    down[0], gone = False, scene.ready(DLQ)
    for comment in ("fine", *again):
        scene.ask(comment)
    trial.watch.settle(
        lambda: all(map(provider.sent, again)) or scene.ready(DLQ) != gone,
        timeout_s=LONG_S,
        quiet_s=QUIET_S,
    )
    unsent = [comment for comment in again if not provider.sent(comment)]
    if unsent:
        # A comment without a retry is in the DLQ at once; the retry of another one takes longer.
        retried = trial.watch.settle(
            lambda: [comment for comment in again if len(provider.of(comment)) > 1],
            timeout_s=LONG_S,
            quiet_s=QUIET_S,
        )
        story = f"the budget was used up → 'fine' was sent → {scene.story(unsent[0])}: no retry"
        yield Broken("g", story, "pays-for-one" if retried else "spent-for-ever")
