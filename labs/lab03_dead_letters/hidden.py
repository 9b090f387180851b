"""Lab 3, hidden case: a busy day."""

import random
from collections.abc import Iterator

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken
from labs.judge.trial import Trial
from labs.lab03_dead_letters import cases, stories
from labs.lab03_dead_letters.cases import DEAD, Known

SEED = 3
# Both workers die several times, and each start takes seconds on a loaded machine.
WHOLE_S, SILENT_S = 120.0, 15.0


def check(trial: Trial) -> Iterator[Broken]:
    """Judge a busy day: two workers, many documents of all kinds, and two deaths."""
    known = Known()
    chance = random.Random(SEED)
    kinds = ["fine"] * 14 + ["corrupt"] * 4 + ["locked"] * 2 + ["deadly"]
    chance.shuffle(kinds)
    pdfs = {f"d-{number}": pdf for number, pdf in enumerate(kinds)}
    cases.prepare(trial, known, pdfs)
    cases.publish(trial, pdfs)
    moments, seen = set(chance.sample(range(5, 60), 2)), [0]

    def direct(actor: Actor, boundary: Boundary) -> Order:
        if not boundary.message:
            return "go"
        seen[0] += 1
        return "kill" if seen[0] in moments else "go"

    trial.direct = direct
    for number in (1, 2):
        cases.start_worker(trial, name=f"worker {number}", restarts=30)
    good = {document for document, pdf in pdfs.items() if pdf in ("fine", "locked")}
    trial.watch.settle(
        lambda: (
            cases.thumbnails(trial) >= good and cases.ready(trial, DEAD) >= len(pdfs) - len(good)
        ),
        timeout_s=WHOLE_S,
        quiet_s=SILENT_S,
    )
    for document, fate in cases.end(trial, pdfs).items():
        # Two deaths can use up two tries of one document, but a healthy one needs only one.
        wrong = (
            not fate.thumbnail if pdfs[document] == "fine" else not (fate.dead or fate.thumbnail)
        )
        if wrong:
            story = f"{len(pdfs)} documents, two workers that die: {stories.story(trial, document)}"
            where = f"is in {DEAD}" if fate.dead else "is gone" if fate.gone else "waits for ever"
            why = "neighbours-are-safe" if fate.dead else "not-done"
            yield Broken("f", f"{story}: {document} ({pdfs[document]}) {where}", why)
            return
