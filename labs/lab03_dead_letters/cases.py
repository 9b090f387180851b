"""What the plays of lab 3 share: PDFs that are fine, locked, corrupt or deadly, and two queues."""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika
from pika.exceptions import AMQPError

from helpers import broker
from labs.judge.model import Broken
from labs.judge.sweep import chosen, crash_points
from labs.judge.trial import Actor, Fault, Trial, go_on

WORK, DEAD = "thumbnails", "thumbnails.dead"
TABLES = (
    "pdfs (document TEXT PRIMARY KEY, pdf TEXT NOT NULL)",
    "thumbnails (document TEXT PRIMARY KEY, thumbnail TEXT NOT NULL)",
)
TRIES = 3
ENOUGH = 8  # tries of one document: there is no end to them
PATIENCE_S = 3.0  # nothing at all happens for so long: then nothing will
RESTARTS = 12
LONG = 12  # steps of a story
MOST_KILLS = 16
TOTALS = "enable_queue_totals=true"  # straight from the broker's tables, not from statistics


def plain_letter() -> Any:
    """Return properties like a dead letter's, for when no real one was seen."""
    death = {
        "queue": WORK,
        "reason": "rejected",
        "count": 1,
        "exchange": "",
        "routing-keys": [WORK],
    }
    return pika.BasicProperties(delivery_mode=2, headers={"x-death": [death]})


@dataclass
class Known:
    """What earlier plays have found out, for the reasons of later ones."""

    tries: int = TRIES  # of a corrupt document
    belief: str = ""  # why corrupt documents do not get to the dead letter queue as they should
    first: str = "a"  # the requirement that has to hold before others can be seen
    hopeless: bool = False  # they never get there: nothing that begins there can be seen
    deadly: str = ""  # why there is no end to a document that kills its worker
    made: dict[str, Any] = field(default_factory=dict)  # what declare() has declared
    letter: Any = field(default_factory=plain_letter)  # properties of a dead letter

    def queue(self, name: str) -> dict[str, Any] | None:
        """Return a queue as the management API describes it, None for a missing one."""
        return next((queue for queue in self.made["queues"] if queue["name"] == name), None)

    def unseen(self, requirement: str) -> Broken:
        """Return a requirement that cannot hold, since no corrupt document gets where it should."""
        return Broken(requirement, f"it cannot be seen before {self.first} holds", self.belief)


@dataclass(frozen=True)
class Fate:
    """Where a document is in the end."""

    thumbnail: bool
    dead: int  # messages about it in the dead letter queue
    waiting: int  # in the work queue

    @property
    def gone(self) -> bool:
        """Whether nothing at all is left of it."""
        return not (self.thumbnail or self.dead or self.waiting)


def prepare(trial: Trial, known: Known, pdfs: Mapping[str, str]) -> None:
    """Start over with these PDFs in the store, and with the queues as the learner declares them.

    The learner's function runs once; from then on what it has made is declared again.
    """
    trial.fresh(*TABLES)
    trial.direct = go_on
    for document, pdf in pdfs.items():
        put_pdf(trial, document, pdf)
    if not known.made:
        actor = trial.start("declare", trial.url)
        trial.watch.settle(lambda: not actor.running, quiet_s=PATIENCE_S)
        actor.kill()
        known.made = {
            kind: broker.api("GET", f"{kind}/{{vhost}}?disable_stats=true&{TOTALS}")
            for kind in ("exchanges", "queues", "bindings")
        }
    else:
        declare_again(trial, known)
    trial.channel.confirm_delivery()


def declare_again(trial: Trial, known: Known) -> None:
    """Declare what the learner has declared, as the management API has listed it."""
    for exchange in known.made["exchanges"]:
        if exchange["name"] and not exchange["name"].startswith("amq."):
            trial.channel.exchange_declare(
                exchange["name"],
                exchange["type"],
                durable=exchange["durable"],
                auto_delete=exchange["auto_delete"],
                internal=exchange.get("internal", False),
                arguments=exchange["arguments"],
            )
    for queue in known.made["queues"]:
        trial.channel.queue_declare(
            queue["name"],
            durable=queue["durable"],
            auto_delete=queue["auto_delete"],
            arguments=queue["arguments"],
        )
    for binding in known.made["bindings"]:
        if binding["source"]:
            to_queue = binding["destination_type"] == "queue"
            bind = trial.channel.queue_bind if to_queue else trial.channel.exchange_bind
            bind(
                binding["destination"],
                binding["source"],
                binding["routing_key"],
                binding["arguments"],
            )


def put_pdf(trial: Trial, document: str, pdf: str) -> None:
    """Upload a PDF, or a repaired one in its place."""
    with closing(sqlite3.connect(trial.store, timeout=10)) as db, db:
        db.execute("INSERT OR REPLACE INTO pdfs VALUES (?, ?)", (document, pdf))


def publish(trial: Trial, documents: Iterable[str]) -> None:
    """Tell of new documents, persistent and confirmed."""
    for document in documents:
        properties = pika.BasicProperties(message_id=document, delivery_mode=2)
        trial.channel.basic_publish("", WORK, body_of(document), properties)


def bury(trial: Trial, known: Known, documents: Iterable[str]) -> None:
    """Put dead letters into the dead letter queue, made after one that got there by itself."""
    for document in documents:
        known.letter.message_id = document
        trial.channel.basic_publish("", DEAD, body_of(document), known.letter)


def body_of(document: str) -> bytes:
    """Return the body of a message about a document."""
    return json.dumps({"document": document, "type": "document.created"}).encode()


def start_worker(trial: Trial, *, name: str = "worker", restarts: int = RESTARTS) -> Actor:
    """Start the learner's worker under a supervisor."""
    return trial.start("run_worker", trial.url, trial.store, name=name, restarts=restarts)


def tries(trial: Trial, *documents: str) -> int:
    """Return how often these documents were tried, as their library noted it."""
    file = Path(f"{trial.store}.tries")
    noted = Counter(file.read_text(encoding="utf-8").split()) if file.exists() else Counter()
    return sum(noted[document] for document in documents)


def thumbnails(trial: Trial) -> set[str]:
    """Return the documents that have a thumbnail."""
    return {str(document) for (document,) in trial.rows("SELECT document FROM thumbnails")}


def ready(trial: Trial, queue: str) -> int:
    """Return how many messages lie ready in a queue; a missing one has none."""
    try:
        return int(trial.channel.queue_declare(queue, passive=True).method.message_count)
    except AMQPError:
        trial.channel = broker.connect().channel()
        trial.channel.confirm_delivery()
        return 0


def end(trial: Trial, documents: Iterable[str], known: Known | None = None) -> dict[str, Fate]:
    """Kill everybody, empty both queues, and tell where each document is.

    What a dead worker held comes back a little later; so this looks until every document was
    found somewhere, or for two seconds.
    """
    trial.end()
    done, deadline = thumbnails(trial), time.monotonic() + 2.0
    contents = {WORK: Counter[str](), DEAD: Counter[str]()}
    while True:
        for queue, documents_in in contents.items():
            for properties, body in take(trial, queue):
                documents_in[document_of(body)] += 1
                if known and queue == DEAD:
                    known.letter = properties
        missing = [
            document
            for document in documents
            if document not in done | {*contents[WORK], *contents[DEAD]}
        ]
        if not missing or time.monotonic() >= deadline:
            break
        time.sleep(0.02)
    return {
        document: Fate(document in done, contents[DEAD][document], contents[WORK][document])
        for document in documents
    }


def take(trial: Trial, queue: str) -> Iterator[tuple[Any, bytes]]:
    """Empty a queue on the judge's channel; that spares two connections in each play."""
    if ready(trial, queue):  # or the queue is missing
        while (letter := trial.channel.basic_get(queue, auto_ack=True))[0] is not None:
            yield letter[1], letter[2]


def all_points(
    trial: Trial, play: Callable[[], Broken | None], *, role: str, cuts: int
) -> Iterator[Broken]:
    """Play with a kill at each point, then with a cut at some; most points are the same in both."""
    points = []

    def counted() -> Broken | None:
        broken = play()
        points.append(trial.points)
        return broken

    broken = crash_points(trial, counted, actions=("kill",), role=role, least=6, most=MOST_KILLS)
    try:
        for point in chosen(points[0], cuts):
            if not broken:
                trial.fault = Fault(point, "cut", role)
                broken = play()
    finally:
        trial.fault = None
    if broken:
        yield broken


def document_of(body: bytes) -> str:
    """Return which document a message is about, or "" for none."""
    with suppress(ValueError, TypeError, KeyError):
        return str(json.loads(body)["document"])
    return ""


def story(trial: Trial, document: str) -> str:
    """Tell what happened to a document; what repeats itself in a long story is left out."""
    steps = trial.history.story(document).split(" → ")
    if len(steps) > LONG:
        steps[6 : 6 - LONG] = ["…"]
    return " → ".join(steps).replace(" to worker", "")


def many(number: int, singular: str, more: str) -> str:
    """Return a number and its noun."""
    return f"{number} {singular if number == 1 else more}"


def returned(trial: Trial, verb: str) -> bool:
    """Tell whether a worker has put a message back into the queue by "nack" or "reject"."""
    return any(
        boundary.at == f"before {verb}" and boundary.details["requeue"]
        for boundary in list(trial.watch.boundaries)
    )


def acks_first(trial: Trial, healthy: str) -> bool:
    """Tell whether a worker acked this document before its thumbnail was made."""
    order = [
        boundary.at for boundary in list(trial.watch.boundaries) if boundary.message == healthy
    ]
    wanted = [order.index(at) for at in ("before ack", "before effect") if at in order]
    return len(wanted) == 2 and wanted[0] < wanted[1]


def auto_acks(trial: Trial) -> bool:
    """Tell whether somebody lets the broker forget a message when it is sent."""
    return any(boundary.details.get("auto_ack") for boundary in list(trial.watch.boundaries))
