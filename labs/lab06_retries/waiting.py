"""Lab 6, mails that always fail: judge their waits, their order, and their end."""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

from helpers import broker
from labs.judge.actor import Boundary
from labs.judge.findings import Broken
from labs.lab06_retries.cases import (
    DLQ,
    Scene,
    Settings,
    left_over,
    other_queues,
    overtaken,
    waits,
    width,
)

SLOW = Settings(base_s=0.1, retries=4)
SLOWER = Settings(base_s=0.25, retries=4)  # for a second run, if load can explain the first one
SLOWEST = Settings(base_s=1.0, retries=4)  # for a worker that takes long for each mail
BROKERS = ("x-death", "x-first-death", "x-last-death", "x-delivery-count")  # headers
EARLY = 0.9  # a worker may round its waits, and a broker counts in milliseconds
LATE = 2.25  # times the shortest wait; 2 is the most, and a busy machine adds to it
LATE_SHARE = 0.25  # of the mails, before the longest waits count as too long
LEAST_OVERTAKEN = 0.05
LEAST_WIDTH = 0.3


def why_gone(scene: Scene, tries: int) -> str:
    """Return the belief behind a mail without further retries that is not in the DLQ."""
    return "done-is-gone" if tries and scene.trial.watch.count("after ack") else "not-done"


def ending(
    scene: Scene,
    settings: Settings,
    mails: list[str],
    dead: Counter[str],
    *,
    requeued: bool,
    trouble: str,
) -> Iterator[Broken]:
    """Judge the end of mails that always fail, and their number of tries."""
    wanted = 1 + settings.retries
    counts = {mail: len(scene.provider.of(mail)) for mail in mails}
    # Most tries first: an endless mail can have the right number of tries when the play ends.
    for mail in sorted(mails, key=lambda mail: -counts[mail]):
        tries = counts[mail]
        if tries == wanted and dead[mail] == 1:
            continue
        story = f"{scene.story(mail)}: {tries} tries, {dead[mail]} times in the queue {DLQ}; "
        story += f"{settings.retries} retries were asked for"
        if requeued:
            why = "requeue-is-retry"
        elif dead[mail]:
            why = "retries-are-tries"
        elif tries < wanted:
            story, why = trouble or story, "raised" if trouble else "not-done"
        elif tries == wanted:
            why = why_gone(scene, tries)
        else:
            _, headers = left_over(scene.trial).get(mail, ("", {}))
            own = any(not name.startswith(BROKERS) for name in headers)
            why = "not-done" if own else "broker-counts"
        yield Broken("e", story, why)
        return
    if scene.changed:
        story = f"a mail in the queue {DLQ} says {scene.changed}, not what was published"
        yield Broken("e", story, "body-may-change")


def doubling(scene: Scene, settings: Settings, mails: list[str], endless: str) -> Iterator[Broken]:
    """Judge the waits before the retries of the same mails."""
    for mail in mails:
        waits_s = waits(scene.provider.of(mail))[: settings.retries]
        for number, wait_s in enumerate(waits_s):
            least_s = settings.base_s * 2**number
            if wait_s < EARLY * least_s:
                story = f"base_s is {settings.base_s:g}, {mail} failed {number + 1} times, and its "
                story += f"next try came after {wait_s:.2f} s: it should not before {least_s:.2f} s"
                yield Broken("b", story, endless or "same-pause")
                return
        if not waits_s:
            yield Broken("b", f"{mail} was not tried again", endless or "not-done")
            return


def queue_of(copy: Boundary) -> str:
    """Return the queue that a copy was published to, by its exchange's binding with this key."""
    exchange, key = copy.details["exchange"], copy.details["routing_key"]
    if not exchange:
        return str(key)
    bound = broker.api("GET", f"exchanges/{{vhost}}/{quote(exchange, safe='')}/bindings/source")
    return next((str(entry["destination"]) for entry in bound if entry["routing_key"] == key), "")


def bounded(
    scene: Scene, settings: Settings, mails: list[str], *, measured: bool
) -> Iterator[Broken]:
    """Judge the longest waits: by what queues and copies say of them.

    Waits of which they say nothing are measured, if the machine is not too busy for that.
    """
    late, known, longest_s = [], True, settings.base_s * 2 ** (settings.retries - 1)
    for mail in mails:
        copies = scene.publishes(mail)[: settings.retries]
        known = known and len(copies) == settings.retries
        for number, copy in enumerate(copies):
            said = [scene.made.get(queue_of(copy), {}).get("x-message-ttl"),
                    copy.details["expiration"]]  # fmt: skip
            wait_s = min((int(ms) / 1000 for ms in said if ms is not None), default=0.0)
            least_s = settings.base_s * 2**number
            known = known and wait_s > 0
            if known and wait_s > 2.01 * least_s + 0.001:
                story = f"base_s is {settings.base_s:g}, {mail} failed {number + 1} times, and has "
                story += f"to wait {wait_s:g} s: it should not longer than {2 * least_s:g} s"
                yield Broken("b", story, "longer-is-safer")
                return
        waits_s = waits(scene.provider.of(mail))
        late += [wait_s for wait_s in waits_s[-1:] if wait_s > LATE * longest_s]
    if measured and not known and len(late) > LATE_SHARE * len(mails):
        story = f"before the last retry mails should wait {2 * longest_s:g} s at most, and "
        story += f"{len(late)} of {len(mails)} wait more than {min(late):.1f} s"
        yield Broken("b", story, "longer-is-safer")


def crowded(
    scene: Scene,
    settings: Settings,
    mails: list[str],
    endless: str,
    first: list[str],
    *,
    grow: bool,
) -> Iterator[Broken]:
    """Judge the order and the spread of returning mails; the late one must overtake all."""
    calls = {mail: scene.provider.of(mail) for mail in mails}
    late = scene.provider.of("late")
    overtakes = bool(late[1:]) and bool(first) and all(
        call.t_s > late[1].t_s for call in calls[first[0]][settings.retries :]
    )  # fmt: skip
    own_times = any("x-message-ttl" not in had for had in other_queues().values())
    if first and grow and not overtakes:  # with equal waits no mail has to overtake another
        story = f"{first[0]} failed {settings.retries} times and waits; then 'late' fails for "
        story += "the first time, has to wait a fraction of that, and comes back after it"
        yield Broken("d", story, endless or "any-order")
    shares, wide = [], 1.0
    for number in range(1, settings.retries):
        tried = [tries for tries in calls.values() if len(tries) > number + 1]
        times = [[tries[n].t_s for tries in tried] for n in (number, number + 1)]
        shares.append(overtaken(*times))
        if number + 1 == settings.retries and len(tried) == len(mails) and grow:
            slept = [
                waits(tries)[number] for tries in tried
            ]  # the longest waits, on which load has the least effect
            wide = width(slept) / min(slept)
    if sum(shares) / len(shares) < LEAST_OVERTAKEN:
        story = f"{len(mails)} mails fail together, and come back in the order in which they failed"
        yield Broken("c", story, endless or ("any-order" if own_times else "backoff-spreads"))
    elif wide < LEAST_WIDTH:
        story = f"{len(mails)} mails fail together, and most of their longest waits differ by less "
        story += f"than {100 * wide:.0f} %: they come back as a crowd"
        yield Broken("c", story, endless or "backoff-spreads")
