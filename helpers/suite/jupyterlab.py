"""Run JupyterLab on the notebooks with a live broker, without access to the internet."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path

import requests

from helpers import broker
from helpers.errors import RabbitLabError, UsageError, WaitTimeoutError
from helpers.machine.http import loopback_session
from helpers.machine.paths import ROOT, for_figures, home, shown
from helpers.machine.ports import is_free
from helpers.suite.doctor import describe
from helpers.suite.exits import like_ctrl_c
from helpers.waits import wait_until

SETTINGS = Path(__file__).resolve().parent / "jupyter"
PORTS = range(8888, 8988)
FOLDER = "notebooks"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0


def run(
    *, ip: str, port: int | None, browser: bool, first: Callable[[], Path],
    published: int | None = None,
) -> int:  # fmt: skip
    """Find or start a broker, start JupyterLab, and block until Ctrl-C.

    Args:
        ip: address to listen on.
        port: port to listen on; None takes 8888 or the next free port.
        browser: whether to open a browser, if there is a display.
        first: writes the page that is opened, a file below the root of the checkout; where it
            cannot, the folder of the notebooks is opened.
        published: port on the host that leads to JupyterLab in a container; None for ``port``.

    Returns:
        0 after Ctrl-C; else the exit code of JupyterLab.

    Raises:
        RabbitLabError: no broker, or JupyterLab does not start.
    """
    # SIGHUP: the terminal was closed. SIGINT: a script starts background jobs with it ignored.
    with like_ctrl_c(signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        try:
            return _run(ip, port, published, browser, first)
        except KeyboardInterrupt:
            print("\nJupyterLab has stopped; the broker is still up: `make down` stops it.")
            return 0


def _run(
    ip: str, port: int | None, published: int | None, browser: bool, first: Callable[[], Path]
) -> int:  # fmt: skip
    found = broker.find()
    port = _choose_port(ip, port)
    token = secrets.token_hex(16)
    log = home() / "jupyterlab.log"
    server = _start(ip, port, token, log)
    try:
        address = "127.0.0.1" if ip in ("0.0.0.0", "::") else ip
        base = f"http://{address}:{port}"
        opened = _written(first)
        _wait_for(server, f"{base}/api/status?token={token}", log)
        page = f"http://{address}:{published or port}/lab/tree/{opened}?token={token}"
        print(describe(found))
        print(f"JupyterLab is up (log: {shown(log)}); Ctrl-C stops it\n  {page}", flush=True)
        if browser and _has_display():
            # In a thread: for some browsers the call blocks until they are closed.
            threading.Thread(target=webbrowser.open, args=(page,), daemon=True).start()
        return server.wait()
    finally:
        _stop(server)


def _written(first: Callable[[], Path]) -> str:
    """Write the page that is opened, and return where it is below the root."""
    try:
        return first().relative_to(ROOT).as_posix()
    except RabbitLabError as error:
        print(f"JupyterLab opens on the notebooks' folder: {error}")
        return FOLDER


def _choose_port(ip: str, port: int | None) -> int:
    if port is not None:
        if not is_free(port, ip):
            raise UsageError(f"port {port} is taken: leave --port out to have a free one chosen")
        return port
    for candidate in PORTS:
        if is_free(candidate, ip):
            return candidate
    raise RabbitLabError(f"the ports {PORTS.start} to {PORTS.stop - 1} are all taken")


def _start(ip: str, port: int, token: str, log: Path) -> subprocess.Popen[bytes]:
    own = home() / "jupyter"
    styles = own / "config" / "custom"  # JupyterLab reads custom.css only there
    styles.mkdir(parents=True, exist_ok=True)
    shutil.copy(SETTINGS / "custom.css", styles)
    # Separate folders: JupyterLab neither reads nor changes settings and workspaces of the user.
    environment = {
        **os.environ,
        **for_figures(),
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_TOKEN": token,  # a command line is readable by every user of the machine
        "IPYTHONDIR": str(own / "ipython"),
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser"),
        f"--config={SETTINGS / 'jupyter_lab_config.json'}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        f"--ServerApp.ip={ip}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={ROOT}",
        f"--LabApp.default_url=/lab/tree/{FOLDER}",
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C must not reach JupyterLab: `_stop` ends it
        )


def _wait_for(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    session = loopback_session()

    def answers() -> bool:
        if server.poll() is not None:
            reason = f"JupyterLab ended with code {server.returncode}"
            raise RabbitLabError(_with_end_of_log(reason, log))
        try:
            return session.get(url, timeout=5).ok
        except requests.RequestException:
            return False

    try:
        wait_until(answers, timeout_s=START_TIMEOUT_S, what="JupyterLab", every_s=0.1)
    except WaitTimeoutError:
        reason = f"JupyterLab did not answer within {START_TIMEOUT_S:g} s"
        raise RabbitLabError(_with_end_of_log(reason, log)) from None


def _with_end_of_log(reason: str, log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    ending = "".join(f"\n  | {line[:160]}" for line in lines[-4:])
    return f"{reason}; its log is {shown(log)}{ending}"


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.terminate()  # on SIGTERM it stops its kernels, which remove their vhosts
        try:
            server.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(STOP_TIMEOUT_S)


def _has_display() -> bool:
    if os.environ.get("CI") or os.environ.get("RABBIT_LAB_NO_BROWSER"):
        return False
    return sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
