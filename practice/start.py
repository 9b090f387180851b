"""The page on which JupyterLab opens: what a learner has done, and what comes next, with links."""

import os
from datetime import datetime
from pathlib import Path

from helpers.machine import files
from helpers.machine.paths import ROOT, notebooks
from labs.judge.model import folder_of, numbers
from practice import deck, material, progress, state
from practice.progress import Look, Row, Step

PAGE = ROOT / "notebooks" / "start.md"
FURTHER = """\
In a terminal (File → New → Terminal): `make practice` asks for ten minutes what is due today, and
`make check LAB=05` judges your code of a lab. [All verdicts](../docs/verdicts.md);
[what changed with RabbitMQ 4](../docs/rabbitmq-4.md)."""


def write() -> Path:
    """Write the page as of now, and return its path.

    Raises:
        NotWrittenError: the disk is full, or the user may not write there.
        UsageError: a rubric or a drill has another form.
    """
    now = state.now()
    look = progress.look(deck.every_card(), state.history(), now.date())
    files.write(PAGE, page(look, now))
    return PAGE


def page(look: Look, now: datetime) -> str:
    """Return the page as Markdown; its links are relative to the notebooks' folder.

    Args:
        look: what the learner has done.
        now: the time that the page names.
    """
    rows = [
        "| question | guessed | your turns | lab | cards | due |", "|---|--:|--:|---|--:|--:|",
        *(_row(row) for row in look.rows),
    ]  # fmt: skip
    parts = [
        "# Rabbit Lab",
        "## Next\n\n" + "\n".join(f"- {_step(step)}" for step in look.steps),
        "## So far\n\n" + "\n".join(rows),
        f"{look.interviews} [Hold one]({_link(progress.INTERVIEW)}).",
        *([look.history.remark] if look.history.remark else []),
        FURTHER,
        f"*As of {now:%A}, {now:%Y-%m-%d %H:%M}, when JupyterLab started; `make progress` shows it"
        " as of now.*",
    ]
    return "\n\n".join(parts) + "\n"


def _row(row: Row) -> str:
    title = material.drill_of(row.question).title
    lab = row.lab or "-"
    if row.number in numbers():
        lab = f"[{row.lab or 'not tried'}]({_link(folder_of(row.number) / 'brief.ipynb')})"
    cells = (
        f"{row.question.upper()} · [{title}]({_link(notebooks()[row.number])})",
        f"{row.predicted} of {row.predictions}", f"{row.turns_right} of {row.turns}", lab,
        f"{row.seen} of {row.cards}", str(row.due or "-"),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _step(step: Step) -> str:
    if step.path is None:
        return f"{step.says}: `{step.command}`"
    return f"[{step.says}]({_link(step.path)})"


def _link(path: Path) -> str:
    return Path(os.path.relpath(path, PAGE.parent)).as_posix()
