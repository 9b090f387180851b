"""Lab 2, hidden cases: more events of the same kinds."""

from collections.abc import Iterator

from labs.judge.findings import Finding
from labs.judge.trial import Trial
from labs.lab02_topology import check as lab
from labs.lab02_topology.cases import ANY, NO_KEY, Case
from labs.lab02_topology.declaring import declared

CASES = (
    Case("document.a.b.c.d", "asia", ("index",)),
    Case("document.page.page", "", ("index", "thumbnails")),
    Case("document.page.shared", "", ("index", "notify")),
    Case("comment", "", ("notify",)),
    Case("comment.reply.page.edited", "eu", ("notify",), NO_KEY),
    Case("payment.refund.requested", "eu", ("bill_eu",), ANY),
    Case("payment", "us", ("bill_us",), ANY),
    Case("payments.captured", "eu", (), NO_KEY),
    Case("login", "us", (), NO_KEY),
    Case("folder.document.page"),
)


def check(trial: Trial) -> Iterator[Finding]:
    """Judge where these events arrive."""
    trial.fresh()
    made, problem = declared(trial)
    if not problem:
        yield from lab.routed(trial, made, CASES, {})
