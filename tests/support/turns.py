"""Find where it is the reader's turn in a notebook, and set the reader's value.

A cell with the tag ``your-turn`` has one line that ends with ``# your turn``, which the reader
changes, and calls ``predict.your_turn``. The Markdown cell after it folds a hint and a solution:

    <details><summary>Hint</summary> … </details>
    <details><summary>Solution</summary> … a fence with the changed line … </details>
"""

import re
from dataclasses import dataclass

from nbformat import NotebookNode

from helpers.suite.notebooks.cards import tags

TURN_TAG = "your-turn"
KNOB = re.compile(r"^(?P<name>\w+) = .*  # your turn$", re.MULTILINE)
CALL = re.compile(r"predict\.your_turn\(\s*\"(?P<key>[^\"]+)\"")
HINT = re.compile(r"<details><summary>Hint</summary>\n\n.+?\n</details>", re.DOTALL)
SOLUTION = re.compile(
    r"<details><summary>Solution</summary>\n\n.*?"
    r"```python\n(?P<line>\w+ = [^\n]*)\n```.*?</details>",
    re.DOTALL,
)


@dataclass(frozen=True)
class Turn:
    """One place where it is the reader's turn."""

    cell: NotebookNode
    key: str
    knob: str  # the name that the reader sets
    solution: str  # a line of code

    def variant(self, line: str) -> str:
        """Return the cell's code with this line in place of the knob's."""
        return KNOB.sub(lambda match: line, self.cell.source, count=1)


def turns(nb: NotebookNode) -> tuple[list[Turn], list[str]]:
    """Return the turns of a notebook, and a sentence for each that has another form."""
    found, wrong = [], []
    for cell, after in zip(nb.cells, [*nb.cells[1:], None], strict=True):
        if TURN_TAG not in tags(cell):
            continue
        knobs, call = list(KNOB.finditer(cell.source)), CALL.search(cell.source)
        text = after.source if after is not None and after.cell_type == "markdown" else ""
        solution = SOLUTION.search(text)
        if len(knobs) != 1:
            wrong.append(f"cell {cell.id}: not one line ends with '# your turn', but {len(knobs)}")
        elif call is None:
            wrong.append(f'cell {cell.id}: does not call predict.your_turn("…", …)')
        elif not HINT.search(text) or solution is None:
            wrong.append(f"cell {cell.id}: the next cell folds no hint, or no solution")
        elif not solution["line"].startswith(f"{knobs[0]['name']} = "):
            wrong.append(f"cell {cell.id}: the solution does not set {knobs[0]['name']}")
        else:
            found.append(Turn(cell, call["key"], knobs[0]["name"], solution["line"]))
    return found, wrong
