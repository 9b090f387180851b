"""Make ``.venv`` and install the pinned requirements; needs nothing but the standard library.

The Makefile runs this file by its path, with the Python that the user has.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMP = VENV / ".ready"  # written last: without it, an installation was interrupted
PYTHON = VENV / "bin" / "python"
INPUTS = ("requirements.txt", "pyproject.toml")


def main() -> int:
    """Bring ``.venv`` in step with the requirements.

    Returns:
        0 when it is, else 1 after one sentence about what is missing.
    """
    wanted = _fingerprint()
    if _works() and STAMP.exists() and STAMP.read_text() == wanted:
        STAMP.touch()  # the files are newer, yet say the same
        return 0
    if reason := _why_no_venv():
        print(f"error: {reason}", file=sys.stderr)
        return 1
    STAMP.unlink(missing_ok=True)
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"Installing the pinned requirements into .venv (Python {version}) …", flush=True)
    if not _works():
        shutil.rmtree(VENV, ignore_errors=True)
        if _run([sys.executable, "-m", "venv", str(VENV)]):
            print("error: making .venv failed; the reason stands above", file=sys.stderr)
            return 1
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if _run([*pip, "--requirement", str(ROOT / "requirements.txt")]):
        print(
            "error: installing the requirements failed; the reason stands above (is there a"
            " network, or a proxy to set?)",
            file=sys.stderr,
        )
        return 1
    STAMP.write_text(wanted)
    return 0


def _fingerprint() -> str:
    # The place belongs to it: an editable installation points to where the checkout was.
    content = b"".join((ROOT / name).read_bytes() for name in INPUTS)
    return hashlib.sha256(content + os.fsencode(ROOT)).hexdigest()


def _works() -> bool:
    """Return whether ``.venv`` has a Python that starts and is new enough, and pip."""
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        done = subprocess.run([PYTHON, "-c", check], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _why_no_venv() -> str | None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        version = "{}.{}".format(*sys.version_info[:2])
        return (
            f"Python {version} lacks its module {missing[0]}: on Debian or Ubuntu,"
            f" `apt-get install python{version}-venv`"
        )
    return None


def _run(command: list[str]) -> int:
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
