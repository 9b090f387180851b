"""Private nodes: started once and found again; other processes are left alone."""

import dataclasses
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from helpers.errors import BrokerError, BrokerNotFoundError, BrokerNotReadyError
from helpers.machine import paths, processes
from helpers.machine.plain_paths import plain_path
from helpers.machine.ports import free_ports
from helpers.machine.processes import Identity, identify
from helpers.rabbitmq import health, logs, management, node_files, server
from helpers.rabbitmq.private_node import PrivateNode
from tests.conftest import CHILD_TIMEOUT_S, child_environment, run_python, wait_gone

pytestmark = pytest.mark.skipif(
    server.why_no_server() is not None, reason=f"no private node here: {server.why_no_server()}"
)
OTHER_USER = 12345
KILL_AND_GO_ON = """
from helpers import broker
from helpers.rabbitmq import shared_node
first = broker.open_vhost("killed")
broker.clean_channel().queue_declare("q", durable=True)
assert shared_node._noted().kill()
channel = broker.clean_channel()
channel.queue_declare("q", durable=True)
print(broker.vhost() == first, len(broker.api("GET", "queues/{vhost}?disable_stats=true")))
"""


def noted(home):
    return json.loads((home / "node" / "state.json").read_text())


def command(home, name):
    done = run_python("-m", "helpers", name, environment=child_environment(home=home))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def amqp_port(text):
    return re.search(r"AMQP +127\.0\.0\.1:(\d+)", text)[1]


@pytest.fixture(scope="module")
def started(own_home):
    """Start the node of ``own_home`` twice at once, over what a dead node left behind."""
    stale = own_home / "node" / "mnesia"
    stale.mkdir(parents=True)
    (stale / "schema.DAT").write_bytes(b"garbage")
    (own_home / "node" / "state.json").write_text('{"name": "old"')
    with ThreadPoolExecutor() as pool:
        return list(pool.map(command, [own_home] * 2, ["up"] * 2))


def test_two_processes_at_once_end_with_one_node(started, own_home):
    assert {amqp_port(text) for text in started} == {str(noted(own_home)["ports"]["amqp"])}
    assert sum("Starting a private RabbitMQ node" in text for text in started) == 1
    assert "(private node)" in started[0]


def test_next_process_finds_it(started, own_home):
    before = noted(own_home)
    assert amqp_port(command(own_home, "up")) == amqp_port(started[0])
    assert noted(own_home) == before


def test_it_listens_on_loopback_only_and_has_an_epmd_of_its_own(started, own_home):
    state = noted(own_home)
    vm, epmd = (psutil.Process(state[name]["pid"]) for name in ("vm", "epmd"))
    listening = {
        connection.laddr
        for process in (vm, epmd)
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {address.ip for address in listening} <= {"127.0.0.1", "::1"}
    assert {address.port for address in listening} == set(state["ports"].values())


def test_its_cookie_is_its_own(started, own_home):
    cookie = own_home / "node" / "home" / ".erlang.cookie"
    assert cookie.stat().st_mode & 0o777 == 0o400


def test_its_administrator_has_a_random_password_and_guest_does_not_exist(started, own_home):
    state = noted(own_home)
    told = command(own_home, "status")
    page = f"http://127.0.0.1:{state['ports']['management']}"
    assert f"management page  {page} (user admin, password {state['password']})" in told
    assert len(state["password"]) >= 20
    for name in ("state.json", "rabbitmq.conf"):
        assert (own_home / "node" / name).stat().st_mode & 0o777 == 0o600
    login = ("admin", state["password"])
    users = management.call(page, login, "GET", "users")
    assert [user["name"] for user in users] == ["admin"]
    with pytest.raises(management.ManagementApiError, match="refused user 'guest'"):
        management.call(page, ("guest", "guest"), "GET", "overview")


def test_doctor_names_a_cookie_with_the_wrong_mode(started, own_home):
    cookie = own_home / "node" / "home" / ".erlang.cookie"
    cookie.chmod(0o644)
    try:
        done = run_python("-m", "helpers", "doctor", environment=child_environment(home=own_home))
    finally:
        cookie.chmod(0o400)
    assert done.returncode == 1
    assert re.search(r"LOOK .*\.erlang\.cookie has mode 644", done.stdout)


def test_killed_from_outside_it_is_started_again(started, own_home):
    before = noted(own_home)["vm"]["pid"]
    done = run_python("-c", KILL_AND_GO_ON, environment=child_environment(home=own_home))
    assert done.stdout.splitlines()[-1] == "True 1", done.stderr
    wait_gone(before)
    assert noted(own_home)["vm"]["pid"] != before


@pytest.fixture
def foreign_checkout():
    """Copy the package to where another user may run it."""
    # pytest's own folders are closed to other users.
    place = Path(tempfile.gettempdir(), f"rabbit-lab-{os.getpid()} of another user")
    place.mkdir(mode=0o755)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(paths.ROOT / "helpers", place / "helpers", ignore=ignore)
    shutil.copy(paths.ROOT / "docker-compose.yml", place)
    os.chown(place, OTHER_USER, OTHER_USER)
    yield place
    shutil.rmtree(place)


def test_a_blank_and_an_umlaut_in_its_path_leave_its_metrics_readable(tmp_path):
    folder = tmp_path / "a b" / "ü"
    node = PrivateNode(folder, source="test")
    try:
        found = node.start_fresh(timeout_s=90)
        text = requests.get(f"{found.prometheus_url}/metrics", timeout=30).text
        (free,) = re.findall(r"^rabbitmq_disk_space_available_bytes (\S+)$", text, re.MULTILINE)
        assert float(free) > 0
        assert health.why_unreadable(f"{found.prometheus_url}/metrics") == ""
        assert list((folder / "mnesia").iterdir()), "its data are in its folder"
        place = plain_path(folder)
        assert place.samefile(folder)
    finally:
        node.remove()
    assert not folder.exists()
    assert not place.is_symlink()


@pytest.mark.parametrize("password", ["-_ab-cdef_-", "____", "0123456789"])
@pytest.mark.slow
def test_every_password_that_may_come_is_accepted(tmp_path, monkeypatch, password):
    monkeypatch.setattr(node_files, "new_password", lambda: password)
    node = PrivateNode(tmp_path / "node", source="test")
    try:
        assert node.start_fresh(timeout_s=90).amqp_url.startswith(f"amqp://admin:{password}@")
    finally:
        node.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.slow
def test_another_user_with_a_host_name_that_does_not_resolve(started, own_home, foreign_checkout):
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": packages,
        "PYTHONDONTWRITEBYTECODE": "1",
        "RABBIT_LAB_DOCKER": "off",
    }
    become = ["setpriv", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups"]

    def theirs(name):
        call = ["unshare", "--uts", "sh", "-c", 'hostname nosuchhost && exec "$@"', "sh", *become]
        return subprocess.run(
            [*call, _python_for_all(), "-m", "helpers", name],
            env=environment,
            cwd=foreign_checkout,
            capture_output=True,
            text=True,
            timeout=CHILD_TIMEOUT_S,
            check=False,
        )

    up = theirs("up")
    assert up.returncode == 0, up.stderr
    state = noted(foreign_checkout / ".broker")
    assert amqp_port(up.stdout) != amqp_port(started[0])
    assert psutil.Process(state["vm"]["pid"]).uids().real == OTHER_USER
    down = theirs("down")
    assert down.returncode == 0, down.stderr
    assert "Stopped: private node." in down.stdout
    for name in ("vm", "epmd"):
        wait_gone(state[name]["pid"])
    # The node of the other checkout still runs.
    assert "(private node)" in command(own_home, "status")


def _python_for_all():
    # A Python below root's home cannot be started by others; the system's own can.
    version = "{}.{}".format(*sys.version_info[:2])
    for candidate in (Path(sys.base_prefix, "bin", "python3"), Path(f"/usr/bin/python{version}")):
        test = ["setpriv", f"--reuid={OTHER_USER}", "--clear-groups", candidate, "-c", ""]
        if subprocess.run(test, capture_output=True, check=False).returncode == 0:
            return str(candidate)
    pytest.skip(f"no Python {version} that another user may run")


def test_down_ends_node_and_epmd(started, own_home):
    state = noted(own_home)
    assert command(own_home, "down") == "Stopped: private node.\n"
    for name in ("vm", "epmd"):
        wait_gone(state[name]["pid"])
    assert not (own_home / "node").exists()
    assert command(own_home, "down") == "Nothing was running.\n"


def test_a_process_of_another_owner_is_never_ended(tmp_path, start_python):
    bystander = start_python("input()")
    created_s = psutil.Process(bystander.pid).create_time()
    for identity in (
        Identity(bystander.pid, created_s, "rabbit-lab-mark"),
        Identity(bystander.pid, created_s - 3600, "input()"),
    ):
        node = PrivateNode(tmp_path / "node", source="test")
        node.folder.mkdir(exist_ok=True)
        process = dataclasses.asdict(identity)
        state = {"name": "x@localhost", "vm": process, "epmd": process}
        state["ports"] = dataclasses.asdict(free_ports())
        (node.folder / "state.json").write_text(json.dumps(state))
        assert node.load()
        assert node.stop() is False
    assert bystander.poll() is None
    right = identify(bystander.pid, "input()")
    assert right is not None
    assert right.kill()
    wait_gone(bystander.pid)


@pytest.mark.slow
def test_taken_ports_are_given_up(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        good = free_ports()
        offers = [
            dataclasses.replace(good, epmd=port),
            dataclasses.replace(good, distribution=port),
            good,
        ]
        monkeypatch.setattr(node_files, "free_ports", lambda: offers.pop(0))
        node = PrivateNode(tmp_path / "node", source="test")
        try:
            found = node.start_fresh(timeout_s=60)
            assert (found.port, offers) == (good.amqp, [])
        finally:
            node.remove()
    assert not node.folder.exists()


def test_epmd_that_is_met_on_its_way_through_exec_is_still_known(tmp_path, monkeypatch):
    # While a process replaces itself, as a script that ends in exec does, it has no command line.
    # Without a second look it would count as ended, and would stay when the node is removed.
    looks = []

    def at_first_nothing(pid, mark):
        looks.append(pid)
        return identify(pid, mark) if len(looks) > 1 else None

    monkeypatch.setattr(processes, "identify", at_first_nothing)
    node = PrivateNode(tmp_path / "node", source="test")
    node.lay_out()
    try:
        node.start_epmd()
        assert node.epmd.pid == looks[0]
    finally:
        node.remove()
    wait_gone(looks[0])


@pytest.mark.slow
def test_node_that_does_not_start_tells_why(tmp_path):
    node = PrivateNode(tmp_path / "node", source="test", config="no.such.setting = 1")
    with pytest.raises(BrokerNotReadyError, match="no setting with that name") as caught:
        node.start_fresh(timeout_s=60)
    assert str(node.folder / "out") in str(caught.value)
    assert not node.is_running
    assert node.epmd.process() is None
    with pytest.raises(BrokerError, match="not been started"):
        assert PrivateNode(tmp_path / "other", source="test").amqp_url


def test_node_that_takes_too_long_is_ended(tmp_path):
    node = PrivateNode(tmp_path / "node", source="test")
    with pytest.raises(BrokerNotReadyError, match=r"not ready within 0\.5 s"):
        node.start_fresh(timeout_s=0.5)
    assert not node.is_running


def test_log_tells_the_first_error_and_where_it_stands(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    folder = tmp_path / ".broker" / "node"
    (folder / "log").mkdir(parents=True)
    (folder / "out").write_text("a banner\n")
    sentence = logs.explain(folder, "why")
    assert sentence.endswith("why; its log is .broker/node/out\n  | a banner")
    stamp = "2026-01-01 00:00:00.000000+00:00"
    lines = [f"{stamp} [info] <0.1.0> fine", f"{stamp} [error] <0.2.0> eaddrinuse"]
    (folder / "log" / "n.log").write_text("\n".join(lines))
    assert logs.explain(folder, "why").endswith("its log is .broker/node/log/n.log\n  | eaddrinuse")
    assert logs.tells_of_taken_port(folder)


def test_folder_of_another_user_is_explained(tmp_path, monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: OTHER_USER)
    (tmp_path / "node.lock").touch()
    with pytest.raises(BrokerError, match="sudo chown -R"):
        paths.home()


def test_folder_that_cannot_be_made_is_explained(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(BrokerError, match="cannot make the folder"):
        paths.home()


def test_server_that_is_named_but_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("RABBIT_LAB_SERVER", str(tmp_path / "rabbitmq-server"))
    assert "RABBIT_LAB_SERVER" in server.why_no_server()
    with pytest.raises(BrokerNotFoundError, match="cannot be executed"):
        PrivateNode(tmp_path / "node", source="test").start_fresh(timeout_s=1)


def test_wrapper_that_only_root_may_use_is_passed_over(monkeypatch, tmp_path):
    wrapper = tmp_path / "rabbitmq-server"
    wrapper.write_text('#!/bin/sh\nsu rabbitmq -s /bin/sh -c "$0"\n')
    wrapper.chmod(0o755)
    monkeypatch.setattr(server, "PLACES", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert server.why_no_server() == "no rabbitmq-server is installed"
    wrapper.write_text("#!/bin/sh\nexec erl\n")
    assert server.server_script() == wrapper
