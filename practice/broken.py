"""Make cards from code with one mistake of which it is proven which claim it breaks."""

import difflib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from helpers.machine.paths import ROOT
from helpers.suite.commands import module
from helpers.suite.notebooks import find
from helpers.suite.notebooks.running import read
from practice import material
from practice.cards import Card, choice

FOLDER = ROOT / "tests" / "slow" / "sabotage"  # the students' copy has no tests
LONGEST = 30  # lines that one can read in a terminal within a minute


def cards(question: str) -> Iterator[Card]:
    """Yield a card for each sabotage of a question's notebook whose cell is short.

    Args:
        question: such as "q09".
    """
    if not (FOLDER / f"{question}.py").exists():
        return
    sabotages = module(f"tests.slow.sabotage.{question}").SABOTAGES
    cells = {cell.id: cell.source for cell in read(find([question])[0]).cells}
    sentences = [material.sentence(name) for name in material.claims() if name[:3] == question]
    seen: Counter[str] = Counter()
    for sabotage in sabotages:
        name = f"{sabotage.claim}.code.{sabotage.cell}"
        seen[name] += 1
        card_id = name if seen[name] == 1 else f"{name}.{seen[name]}"
        source = cells.get(sabotage.cell, "")
        if 0 < source.count("\n") < LONGEST:
            yield _card(card_id, sabotage, source, sentences)


def _card(card_id: str, sabotage: Any, source: str, sentences: list[str]) -> Card:
    wrong = source.replace(sabotage.find, sabotage.replace)
    lines = difflib.unified_diff(wrong.splitlines(), source.splitlines(), n=0, lineterm="")
    change = "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
    return Card(
        card_id, "broken code", "",
        "One thing was changed in this cell. Which sentence does its experiment no longer show?"
        f"\n\n```python\n{wrong}\n```",
        choice(material.sentence(sabotage.claim), sentences, seed=card_id),
        f"{sabotage.why[:1].upper()}{sabotage.why[1:]}. Right is:\n\n```diff\n{change}\n```",
        (sabotage.claim,),
    )  # fmt: skip
