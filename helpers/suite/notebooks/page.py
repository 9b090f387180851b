"""Write ``docs/verdicts.md``: every claim, its verdict and the generations that it ran on."""

from pathlib import Path

from helpers.machine import files
from helpers.machine.paths import ROOT, notebooks
from helpers.suite.notebooks import changes, records
from helpers.suite.notebooks.readme import title, write_readme_table
from helpers.suite.notebooks.running import read
from helpers.suite.notebooks.table import Row, as_sentence, escape, rows

FILE = Path("docs") / "verdicts.md"
INTRODUCTION = """\
# Verdicts

Every claim of the notebooks. `make verdicts` writes this page from them; edits here are lost. A ✓
under a generation of RabbitMQ means that this claim's card, exactly as it is stored in the
notebook, was measured there. A · means that it was not, or not since the card changed. The
[runs](#runs) are listed at the end; [verdicts.json](verdicts.json) has the whole cards. Claims
that kill a node kill one of the RabbitMQ that is installed on the machine, and count for its
generation; in `make test-versions` it is the same as the broker's. [What changed with RabbitMQ
4](rabbitmq-4.md) has the claims whose outcome depends on the generation.

An id links to its notebook. GitHub opens a notebook at its top; the last column names the section
to look for. In JupyterLab (right click, *Show Markdown Preview*) the first click opens the
notebook; once it is open, a click goes to the cell."""


def page(root: Path = ROOT) -> str:
    """Return the page as Markdown, from the stored notebooks and the recorded runs.

    Args:
        root: the checkout.

    Raises:
        UsageError: a notebook or the record of runs has another form.
    """
    recorded = records.load(root)
    parts = [INTRODUCTION]
    if note := records.note(recorded):
        parts.append(note)
    for number, path in notebooks(root).items():
        nb = read(path)
        parts.append(f"## Q{number} · {title(nb)}")
        parts.append(_claims(path, rows(nb), recorded))
    parts += ["## Runs", _runs(recorded)]
    return "\n\n".join(parts) + "\n"


def write_tables(root: Path = ROOT) -> list[Path]:
    """Update the README's table and the pages from the notebooks and the recorded runs.

    Args:
        root: the checkout.

    Returns:
        The files that changed.

    Raises:
        UsageError: a notebook, the README or the record of runs has another form.
    """
    changed = [root / "README.md"] if write_readme_table(root) else []
    pages = [(FILE, page)]
    if (root / changes.WORDS).exists():
        pages.append((changes.FILE, changes.page))
    for name, make in pages:
        file, new = root / name, make(root)
        if not file.exists() or file.read_text(encoding="utf-8") != new:
            file.parent.mkdir(exist_ok=True)
            files.write(file, new)
            changed.append(file)
    return changed


def _claims(path: Path, table: list[Row], recorded: records.Records) -> str:
    generations = records.columns(recorded)
    lines = [
        f"| claim | sentence | verdict | evidence | {' | '.join(generations)} | section |",
        "|---|---|---|---|" + ":-:|" * len(generations) + "---|",
    ]
    for row in table:
        seen = [_mark(row, recorded.get(generation, {})) for generation in generations]
        link = f"[{row.claim.id}](../notebooks/{path.name}#cell-id={row.cell})"
        texts = (as_sentence(row.sentence), row.claim.verdict, row.claim.evidence)
        cells = [link, *map(escape, texts), *seen, row.heading.replace("|", r"\|")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _mark(row: Row, entries: dict[str, records.Record]) -> str:
    record = entries.get(row.claim.id.partition(".")[0])
    return "✓" if record is not None and row.claim.text in record.claims else "·"


def _runs(recorded: records.Records) -> str:
    together: dict[records.Session, list[str]] = {}
    for generation in records.columns(recorded):
        for question, record in sorted(recorded.get(generation, {}).items()):
            together.setdefault(record.session, []).append(question)
    lines = [
        "| RabbitMQ | Erlang | pika | Python | date | notebooks |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {run.rabbitmq} | {run.erlang} | {run.pika} | {run.python} | {run.date}"
        f" | {', '.join(questions)} |"
        for run, questions in together.items()
    ]
    return "\n".join(lines) if together else "None has been recorded yet."
