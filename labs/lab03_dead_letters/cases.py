"""Shared by the plays of lab 3: PDFs that are fine, locked, corrupt or deadly, and two queues."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika
from pika.exceptions import AMQPError

from helpers import broker
from labs.judge.actor import Actor
from labs.judge.connecting import confirmed_channel
from labs.judge.findings import NotSeen
from labs.judge.trial import Trial, go_on

WORK, DEAD = "thumbnails", "thumbnails.dead"
TABLES = (
    "pdfs (document TEXT PRIMARY KEY, pdf TEXT NOT NULL)",
    "thumbnails (document TEXT PRIMARY KEY, thumbnail TEXT NOT NULL)",
)
TRIES = 3
ENOUGH = 8  # more tries of one document count as endless
PATIENCE_S = 3.0  # without a boundary for so long, no further one is expected
RESTARTS = 12
LONG_BYTES = 80  # of a body in a story
TOTALS = "enable_queue_totals=true"  # from the broker's tables, not from its statistics


def plain_letter() -> Any:
    """Return properties like those of a dead letter, for the case that none was seen."""
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
    """Results of earlier plays, which explain those of later ones."""

    tries: int = TRIES  # of a corrupt document
    belief: str = ""  # why corrupt documents miss the dead letter queue
    first: str = "a"  # the requirement that others depend on
    hopeless: bool = False  # none gets there, so replays cannot be judged
    lossy: bool = False  # something gets lost without any fault, only later
    drops: str = ""  # why a queue drops what comes back
    deadly: str = ""  # why a document that kills its worker is tried endlessly
    made: dict[str, Any] = field(default_factory=dict)  # declared by declare()
    letter: Any = field(default_factory=plain_letter)  # properties of a dead letter
    sent: Any = None  # properties of a letter that replay() has sent back
    changed: str = ""  # a dead letter with another body
    confirms: bool = False  # whether the function of the last sweep publishes with confirms

    def queue(self, name: str) -> dict[str, Any] | None:
        """Return a queue as the management API describes it, or None."""
        return next((queue for queue in self.made["queues"] if queue["name"] == name), None)

    def unseen(self, requirement: str) -> NotSeen:
        """Return a finding for a requirement that depends on `first`, which is broken."""
        return NotSeen(requirement, f"it builds on {self.first}, which does not hold yet")


@dataclass(frozen=True)
class Fate:
    """The places of a document at the end of a play."""

    thumbnail: bool
    dead: int  # messages about it in the dead letter queue
    waiting: int  # in the work queue

    @property
    def gone(self) -> bool:
        """Whether it is lost: no thumbnail, and in no queue."""
        return not (self.thumbnail or self.dead or self.waiting)


def prepare(trial: Trial, known: Known, pdfs: Mapping[str, str]) -> None:
    """Start over with these PDFs in the store, and with the learner's queues.

    The learner's declare() runs once; later plays repeat its declarations.
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
    """Repeat the learner's declarations, as the management API has listed them."""
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
    """Write a PDF into the store, in place of an older one."""
    with trial.writing() as db:
        db.execute("INSERT OR REPLACE INTO pdfs VALUES (?, ?)", (document, pdf))


def publish(trial: Trial, documents: Iterable[str]) -> None:
    """Publish an event for each new document, persistent and confirmed."""
    for document in documents:
        properties = pika.BasicProperties(message_id=document, delivery_mode=2)
        trial.channel.basic_publish("", WORK, body_of(document), properties)


def dead_letter(trial: Trial, known: Known, documents: Iterable[str]) -> None:
    """Publish dead letters to the dead letter queue, with the properties of a real one."""
    for document in documents:
        known.letter.message_id = document
        trial.channel.basic_publish("", DEAD, body_of(document), known.letter)


def body_of(document: str) -> bytes:
    """Return the body of a message about a document."""
    return json.dumps({"document": document, "type": "document.created"}).encode()


def same_event(body: bytes, document: str) -> bool:
    """Return whether a body says what the published one says, in whatever form."""
    try:
        return bool(json.loads(body) == json.loads(body_of(document)))
    except ValueError:
        return False


def document_of(body: bytes | str) -> str:
    """Return the document that a message, or the beginning of one, is about; "" for none."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    found = re.search(r'"document":\s*"([^"]*)"', text)
    return found[1] if found else ""


def start_worker(trial: Trial, *, name: str = "worker", restarts: int = RESTARTS) -> Actor:
    """Start the learner's worker under a supervisor."""
    return trial.start("run_worker", trial.url, trial.store, name=name, restarts=restarts)


def tries(trial: Trial, *documents: str) -> int:
    """Return the number of tries of these documents, as noted by render()."""
    file = Path(f"{trial.store}.tries")
    noted = Counter(file.read_text(encoding="utf-8").split()) if file.exists() else Counter()
    return sum(noted[document] for document in documents)


def thumbnails(trial: Trial) -> set[str]:
    """Return the documents that have a thumbnail."""
    return {str(document) for (document,) in trial.rows("SELECT document FROM thumbnails")}


def ready(trial: Trial, queue: str) -> int:
    """Return the number of ready messages in a queue; 0 for a missing queue."""
    try:
        return int(trial.channel.queue_declare(queue, passive=True).method.message_count)
    except AMQPError:
        trial.channel = confirmed_channel()
        return 0


def end(trial: Trial, documents: Iterable[str], known: Known | None = None) -> dict[str, Fate]:
    """Kill all actors, drain both queues, and return where each document is.

    The broker requeues what a worker held a little after its death, so this repeats until every
    document was seen somewhere, or for two seconds.
    """
    trial.end()
    done, deadline = thumbnails(trial), time.monotonic() + 2.0
    contents = {WORK: Counter[str](), DEAD: Counter[str]()}
    while True:
        for queue, documents_in in contents.items():
            for properties, body in take(trial, queue):
                document = document_of(body)
                documents_in[document] += 1
                if known and queue == WORK:
                    known.sent = properties
                if known and queue == DEAD:
                    known.letter = properties
                    if not same_event(body, document):
                        known.changed = body[:LONG_BYTES].decode(errors="replace")
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
    """Drain a queue on the judge's channel, which saves two connections in each play."""
    if ready(trial, queue):  # 0 for a missing queue, too
        while (letter := trial.channel.basic_get(queue, auto_ack=True))[0] is not None:
            yield letter[1], letter[2]
