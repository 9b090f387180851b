"""Make ``.venv`` and install the locked packages into it; needs only the standard library.

The Makefile runs this file by its path, with the Python that the user has.
"""

import ast
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMP = VENV / ".ready"  # written last: without it, an installation was interrupted
PYTHON = VENV / "bin" / "python"
INPUTS = ("requirements.lock", "requirements.txt", "pyproject.toml")
# First all packages, then the package of this checkout; both pip and uv take these arguments. The
# lock file is complete, and with dependencies pip 23.0 (Debian 12) fails: it overlooks the pin of a
# package that another one asks for with an extra.
STEPS = (
    ("--no-deps", "--require-hashes", "--requirement", "requirements.lock"),
    ("--no-deps", "--no-build-isolation", "--editable", "."),
)
# uv does not read pip's configuration: the variable that has the meaning of each option of pip.
UV_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
}


def main() -> int:
    """Bring ``.venv`` in step with the lock file.

    Returns:
        0 when it is, else 1 after one sentence about what is missing.
    """
    wanted = _fingerprint()
    if _works() and STAMP.exists() and STAMP.read_text() == wanted:
        STAMP.touch()  # the input files have a newer date and the same content
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
    if not (_install_with_uv() or _install_with_pip()):
        print(
            "error: installing the requirements failed; the reason stands above (is there a"
            " network, or a proxy to set?)",
            file=sys.stderr,
        )
        return 1
    STAMP.write_text(wanted)
    return 0


def pip_options() -> str:
    """Return the output of ``pip config list``: options of files and variables."""
    command = [str(PYTHON), "-m", "pip", "config", "list"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def uv_environment(listed: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which uv downloads from the same places as pip.

    Args:
        listed: what ``pip config list`` prints: lines such as ``global.timeout='60'``.
        environment: of this process; its variables for uv are kept.

    Returns:
        A copy of the environment with the variables of ``UV_VARIABLES`` and the proxy.

    Source:
        pip's user guide, "Configuration"; uv's reference, "Environment variables".
    """
    options: dict[str, str] = {}
    for section in ("global", "install", ":env:"):  # pip lets a later one of these win
        for name, value in re.findall(rf"^{section}\.([\w-]+)=(.*)$", listed, re.MULTILINE):
            options[name] = str(ast.literal_eval(value))
    # As pip does: trust the certificates of this machine, and search all indexes.
    chosen = {"UV_SYSTEM_CERTS": "true", "UV_INDEX_STRATEGY": "unsafe-best-match"}
    for name, variable in UV_VARIABLES.items():
        if value := options.get(name, "").split():
            chosen[variable] = ("," if variable == "UV_FIND_LINKS" else " ").join(value)
    if proxy := options.get("proxy"):
        chosen |= {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy}
    kept = {name: value for name, value in environment.items() if name.startswith("UV_")}
    return {**environment, **chosen, **kept}


def no_cache() -> dict[str, str]:
    """Return the variables for pip and uv where this user has no folder for their cache."""
    with suppress(OSError, RuntimeError):  # RuntimeError: of a user who has no home at all
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        cache.mkdir(parents=True, exist_ok=True)
        if os.access(cache, os.W_OK | os.X_OK):
            return {}
    return {"UV_NO_CACHE": "1", "PIP_NO_CACHE_DIR": "1"}


def _fingerprint() -> str:
    # With the path of the checkout: an editable installation is invalid after a move.
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


def _install_with_uv() -> bool:
    """Install with the locked uv; False when there is none for this machine, or it fails."""
    # The lock's paragraph of uv: its pin and hashes.
    locked = re.search(r"^uv==.*(?:\n +--hash=.*)*", (ROOT / "requirements.lock").read_text(), re.M)
    if locked is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        uv_alone = Path(folder) / "uv.lock"
        uv_alone.write_text(locked[0] + "\n")
        options = ("--only-binary=:all:", "--retries=1", "--require-hashes", "--requirement")
        if _run([*_pip(), *options, str(uv_alone)]):
            print("uv cannot be installed, so pip installs everything …", flush=True)
            return False
    environment = uv_environment(pip_options(), os.environ)
    uv = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(PYTHON)]
    if any(_run([*uv, *step], environment) for step in STEPS):
        print("uv cannot install the requirements, so pip tries …", flush=True)
        return False
    return True


def _install_with_pip() -> bool:
    return not any(_run([*_pip(), *step]) for step in STEPS)


def _pip() -> list[str]:
    return [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> int:
    variables = os.environ if environment is None else environment
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**variables, **no_cache()},
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as trouble:  # such as a full disk
        sys.exit(f"error: making .venv failed: {trouble}")
