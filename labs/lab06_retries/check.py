"""Lab 6: mails are retried with growing waits, spread out, and a limited number of times.

A wait is judged by how early a mail comes back and by the order of mails: how late depends on load.
"""

from collections.abc import Iterator

from labs.judge.findings import Broken, Finding
from labs.judge.model import Lab
from labs.judge.trial import Trial
from labs.lab06_retries import losses, plays
from labs.lab06_retries.cases import Scene, comment_of
from labs.lab06_retries.provider import MailProvider

PLAYS = (plays.crowd, plays.herd, plays.death, plays.all_fail, losses.killed, losses.no_way)


def check(trial: Trial) -> Iterator[Finding]:
    """Judge a submission; simple plays come first, since they explain the results of later ones."""
    trial.name_of = comment_of
    with MailProvider() as provider:
        scene = Scene(trial, provider)
        for play in PLAYS:
            for finding in play(scene):
                if isinstance(finding, Broken):
                    scene.reasons.setdefault(finding.requirement, finding.misconception)
                yield finding
            if scene.reasons.get("a"):
                return


LAB = Lab(
    number=6,
    title="Retries that help",
    question="q06_retries",
    requirements={
        "a": "a mail that fails for a moment is tried again, and is sent",
        "b": "before retry n a mail waits at least base_s * 2^(n-1) seconds, at most twice that",
        "c": "mails that failed together are spread out when they come back",
        "d": "a mail that waits holds up no other, neither a new one nor one that waits less",
        "e": "after so many retries a mail is in the queue dlq, also when a worker died meanwhile",
        "f": "a mail that the provider refuses for good is tried once, then it is in the queue dlq",
        "g": "from one sent mail to the next there are as many retries as the budget allows",
        "h": "no mail is lost: a worker dies, a copy is refused or has no queue, a broker restarts",
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
        "drop-is-kept": "a message that the broker gives up on is kept somewhere",
        "longer-is-safer": "a wait that is longer than it should be does no harm",
        "expired-is-passed-on": "a queue that expires passes on what it holds",
        "body-may-change": "what waits may get another body",
        "pays-for-one": "a mail that was sent pays for one more retry, not for a whole budget",
        "refused-refills": "a mail that is refused fills a budget up again, as a sent one does",
        "time-heals": "a budget fills up again as time goes by",
        "spent-for-ever": "a budget that is used up stays used up",
        "no-confirms": "a publish that raises no error has arrived",
        "confirmed-is-queued": "a message that the broker confirms is in a queue",
        "quiet-end": "a program that returns when its connection is lost is started again",
    },
)
