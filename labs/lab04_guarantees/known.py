"""Results of earlier plays of lab 4, which explain those of later ones."""

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labs.judge import later
from labs.judge.actor import Boundary
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.later import Loss
from labs.judge.trial import Trial
from labs.lab04_guarantees.plays import QUEUE

BY_ITSELF = "the queue loses payments by itself, as g says"


class Known:
    """What the first plays have shown of a submission, and the beliefs that follow from it."""

    def __init__(self, submission: Path) -> None:
        """Look at the code of a submission: it names beliefs, and decides no verdict.

        Args:
            submission: the learner's file.
        """
        tree = ast.parse(submission.read_text(encoding="utf-8"))
        self.transactions = bool(calls(tree, "tx_select"))
        alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        self.asks_publish = any(id(call) not in alone for call in calls(tree, "basic_publish"))
        self.confirms = False  # confirms arrive at the publisher
        self.persistent = False  # its messages have delivery mode 2
        self.queue: dict[str, Any] = {}  # as the management API describes it
        self.loss: Loss | None = None  # how the queue loses messages while nothing dies
        self.early = False  # it marks a payment as sent before it sends it
        self.minds_refusals = True  # what the broker refuses or returns is not taken for sent
        self.consumer_fails = ""  # why the consumer is not tried with faults, or ""

    def read_losses(self, properties: Any) -> None:
        """Read from the declared queue, and a message in it, what loses payments later."""
        losses = [loss for queue in later.queues([QUEUE]) for loss in later.losses(queue)]
        if properties is not None and (loss := later.message_loss(properties)):
            losses.append(loss)
        dies = ("transient-queue", "transient-message")  # the death of a broker shows these
        self.loss = next((loss for loss in losses if loss.misconception not in dies), None)

    def gone(self, trial: Trial, requirement: str, message: str, story: str) -> Finding:
        """Return the finding about a payment that was sent and is in no queue."""
        if self.loss and trial.history.events("confirm", message=message):
            return NotSeen(requirement, BY_ITSELF)
        return Broken(requirement, story, self.why_unsent(trial.watch.boundaries, message))

    def why_unsent(self, boundaries: Sequence[Boundary], message: str) -> str:
        """Return the belief behind a payment that never arrived.

        Args:
            boundaries: of the play in which it was sent.
            message: the payment's id.
        """
        if self.early or noted_before(boundaries, message):
            return "marked-too-early"
        if self.transactions:
            return "commit-is-queued"
        return "error-passed-over" if self.confirms else "no-confirms"

    def why_gone(self) -> str:
        """Return the belief behind a queue that is empty after the broker's death, or ""."""
        if not self.queue.get("durable"):
            return "transient-queue"
        stored = self.persistent or self.queue.get("type") == "quorum"
        return "" if stored else "transient-message"


def calls(tree: ast.AST, method: str) -> list[ast.Call]:
    """Return all calls of a method of this name."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == method
    ]


def noted_before(boundaries: Sequence[Boundary], message: str) -> bool:
    """Return whether the last publisher of a payment wrote to its store before that only."""
    life: list[Boundary] = []  # of one publisher, from its start on
    last: list[Boundary] = []  # of the last one that published the payment
    for boundary in boundaries:
        if boundary.actor == "publisher":
            life = [] if boundary.at == "loaded" else life
            life.append(boundary)
            if boundary.at == "before publish" and boundary.message == message:
                last, published = life, len(life)
    if not last:
        return False
    effects = [index for index, boundary in enumerate(last) if boundary.at == "before effect"]
    return bool(effects) and max(effects) < published
