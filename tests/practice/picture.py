"""The picture of a terminal in the README: the beginning of an interview, as it is printed.

``python -m tests.practice.picture`` writes it anew.
"""

import builtins
import io
import os
import tempfile
from contextlib import redirect_stdout
from html import escape
from types import SimpleNamespace
from unittest import mock

from helpers import __main__ as command_line
from helpers.machine.paths import ROOT
from practice import terminal

FILE = ROOT / "docs" / "interview.svg"
ARGUMENTS = ("q09", "--level", "junior", "--seed", "4")
ANSWERS = (
    "it limits what one consumer holds unacked", "a crash gives all of that back", "", "80",
    "y", "", "y", "whoever starts later finds the queue empty", "1", "90",
)  # fmt: skip
COLUMNS = 84
LINE, LETTER, EDGE = 19, 8.43, 18  # pixels
HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" \
aria-label="The beginning of an interview in a terminal">
<rect width="100%" height="100%" rx="8" fill="#1d2433"/>
<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="#dfe5f0" \
style="white-space: pre">
"""


def session() -> str:
    """Hold the beginning of an interview with these answers, and return what the terminal shows."""
    answers = iter(ANSWERS)

    def typed(prompt: str) -> str:
        answer = next(answers, None)
        if answer is None:
            raise EOFError
        print(f"{prompt}{answer}")
        return answer

    printed = io.StringIO()
    with (
        tempfile.TemporaryDirectory() as work,
        mock.patch.dict(os.environ, {"RABBIT_LAB_WORK": work, "COLUMNS": str(COLUMNS)}),
        mock.patch.object(builtins, "input", typed),
        mock.patch.object(terminal, "time", SimpleNamespace(monotonic=lambda: 0.0)),
        redirect_stdout(printed),
    ):
        command_line.main(["interview", *ARGUMENTS])
    shown, last, _ = printed.getvalue().partition("Your tick is taken back.")
    return f'$ make interview ARGS="{" ".join(ARGUMENTS)}"\n{shown}{last}\n'


def svg(text: str) -> str:
    """Return a picture of a terminal that shows this text."""
    lines = text.splitlines()
    size = {"width": round(COLUMNS * LETTER + 2 * EDGE), "height": LINE * len(lines) + 2 * EDGE}
    shown = [
        f'<text x="{EDGE}" y="{EDGE + LINE * number - 5}">{escape(line)}</text>\n'
        for number, line in enumerate(lines, 1)
        if line
    ]
    return f"{HEAD.format(**size)}{''.join(shown)}</g>\n</svg>\n"


if __name__ == "__main__":
    FILE.write_text(svg(session()), encoding="utf-8")
