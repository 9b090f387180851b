"""A notebook that passes every guard; tests change one thing and expect a guard to fail."""

from nbformat import NotebookNode, v4

from helpers.suite.notebooks import CHECK_TAG, EXPERIMENT_TAG, SURPRISE_TAG, normalise
from tests.notebooks.guards import Book
from tests.support.cards import card, shown
from tests.support.turns import TURN_TAG

PNG_BASE64 = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CLAIMS = [f"q02.{number}" for number in range(1, 6)]
WRONG_ANSWERS = "\n".join(f"| wrong {n} | why | {claim} |" for n, claim in enumerate(CLAIMS, 1))
FOLLOW_UPS = "\n".join(
    f"<details><summary>[{level}] Question {number}?</summary>\n\n"
    f"{'An answer. ' * 8}(q02.1)\n</details>"
    for number, level in enumerate(["junior"] * 4 + ["senior"] * 3 + ["staff"], 1)
)
TURN = 'size = 2  # your turn\npredict.your_turn("q02 turn-{}", "How many?", size, right=False)'
FOLDED = """\
<details><summary>Hint</summary>

Count.
</details>

<details><summary>Solution</summary>

```python
size = 3
```
</details>"""
DRILL = f"""## Interview drill

### Two-minute answer

{"Said in two minutes. " * 40}

### Follow-ups

{FOLLOW_UPS}

### Common wrong answers

| they say | in fact | refuted by |
|---|---|---|
{WRONG_ANSWERS}
"""


def _code(
    name: str, source: str, *outputs: NotebookNode, tags: tuple[str, ...] = ()
) -> NotebookNode:
    new = v4.new_code_cell(source, id=name, outputs=list(outputs), execution_count=1)
    new.metadata["tags"] = list(tags)
    return new


def _prose(name: str, source: str) -> NotebookNode:
    return v4.new_markdown_cell(source, id=name)


def _figure(name: str) -> NotebookNode:
    picture = v4.new_output(
        "display_data", data={"image/png": PNG_BASE64, "text/plain": "<Figure>"}
    )
    return _code(name, "plots.draw(frame)", picture)


def example() -> Book:
    """Return a made-up notebook of question 2; it is not meant to be run."""
    checks = [
        cell
        for number, claim in enumerate(CLAIMS, 1)
        for cell in (
            _prose(f"why-{number}", "Why this."),
            _code(
                f"check-{number}",
                f'claims.check("{claim}", "said", case, expect="holds", evidence=told)',
                shown(card(claim)),
                tags=(CHECK_TAG, SURPRISE_TAG) if number == 1 else (CHECK_TAG,),
            ),
        )
    ]
    turns = [
        cell
        for number in range(1, 4)
        for cell in (
            _code(f"turn-{number}", TURN.format(number), tags=(TURN_TAG,)),
            _prose(f"solution-{number}", FOLDED),
        )
    ]
    table = v4.new_output("execute_result", data={"text/plain": " ".join(CLAIMS)})
    steps = [_code("step-1", "x = 1"), _code("step-2", "x = 1")]
    for number in range(3, 12):
        steps += [_code(f"step-{number}", "x = 1"), _prose(f"between-{number}", "Then this.")]
    cells = [
        _prose("title", "# Q2 · Message queue vs pub/sub vs event bus?"),
        _prose("short-answer", "## Short answer\n\nIt depends on the queues."),
        _prose("setup", "## Setup"),
        _prose("model", "## Model"),
        _prose("predict", "## Predict"),
        _prose("experiments", "## Experiments\n\n### One"),
        *steps,
        _code("experiment", "run_it()", tags=(EXPERIMENT_TAG,)),
        _prose("prose", "A word to read. " * 400),
        *checks,
        *turns,
        _figure("figure-1"),
        _figure("figure-2"),
        _prose("break-it", "## Break it"),
        _code("long-step", "x = 1\n" * 21),
        _prose("trade-offs", "## Trade-offs"),
        _prose("drill", DRILL),
        _prose("clean-up", "## Clean-up and sources"),
        _code("table", "claims.table()", table),
    ]
    nb = normalise(v4.new_notebook(cells=cells))
    return Book(nb, "q02_example.ipynb", 100_000)


def cell(nb: NotebookNode, name: str) -> NotebookNode:
    """Return the cell with this id."""
    return next(cell for cell in nb.cells if cell.id == name)
