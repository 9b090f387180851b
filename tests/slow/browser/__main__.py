"""Run notebooks in JupyterLab in a headless Chromium: ``python -m tests.slow.browser [q02 …]``."""

import argparse
import time
from pathlib import Path

from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from helpers.suite.notebooks import find
from helpers.suite.notebooks.running import read
from tests.slow.browser import bad, briefs, drive, prepare
from tests.slow.browser.judge import judge, stored_figures
from tests.support import command

FOLDER = ROOT / "work" / "browser"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make test-browser", description=__doc__)
    parser.add_argument("names", nargs="*", help="q09, or a path; all and the briefs when none")
    parser.add_argument(
        "--timeout", type=float, default=180.0, metavar="S", help="time limit of a notebook [s]"
    )
    options = parser.parse_args()
    says = {path.resolve(): "" for path in find(options.names)}
    if not options.names:
        says |= briefs.runs(FOLDER / "briefs")
    if strangers := [path.name for path in says if not path.is_relative_to(ROOT)]:
        raise UsageError(f"{', '.join(strangers)} is not in this checkout, which is what is served")
    prepare.library()
    executable = prepare.browser()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    failed = []
    with drive.lab(FOLDER / "learner") as lab, drive.browser(executable, lab) as browser:
        print("Notebooks in which something is wrong, for the check to notice:", flush=True)
        for name, path in bad.write_all(FOLDER / "bad").items():
            _, figures, complaint = bad.CASES[name]
            wrong = _look(browser, path, figures, options.timeout)
            print(f"{name:<24} {'; '.join(wrong) or 'nothing wrong'}", flush=True)
            noticed = [text.startswith(complaint) for text in wrong] if complaint else [not wrong]
            if not any(noticed):
                failed.append(f"the check itself, on its bad notebook {name}: {wrong}")
        print("The notebooks:", flush=True)
        for path, text in says.items():
            began_s = time.monotonic()
            figures = stored_figures(read(path))
            wrong = _look(browser, path, figures, options.timeout, says=text)
            took_s = time.monotonic() - began_s
            outcome = "FAILED" if wrong else "passed"
            print(f"{drive.shot_name(path):<24} {outcome} {took_s:6.1f} s", flush=True)
            failed += [f"{drive.shot_name(path)}: {complaint}" for complaint in wrong]
    for text in failed:
        print(f"  {text}")
    print(f"screenshots are in {FOLDER.relative_to(ROOT)}/")
    return 1 if failed else 0


def _look(
    browser: drive.Browser, path: Path, figures: int, timeout_s: float, *, says: str = ""
) -> list[str]:
    from playwright.sync_api import Error

    try:
        seen = browser.run(path, FOLDER, timeout_s=timeout_s)
    except (Error, AssertionError) as error:
        return [f"JupyterLab did not do what was asked: {str(error).splitlines()[0]}"]
    return judge(seen, figures=figures, says=says)


if __name__ == "__main__":
    command.run(main)
