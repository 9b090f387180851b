"""A node that an experiment may kill; it is removed, too, when its owner is killed."""

import json
import os
import re
import signal
import subprocess
import sys

import pika
import psutil
import pytest

from helpers import broker
from helpers.errors import BrokerError, BrokerNotFoundError, BrokerNotReadyError, UsageError
from helpers.machine.paths import home
from helpers.rabbitmq import disposable_node, server
from tests.conftest import CHILD_TIMEOUT_S, wait_gone

needs_server = pytest.mark.skipif(
    server.why_no_server() is not None, reason=f"no private node here: {server.why_no_server()}"
)
# inet_hosts is Erlang's own table: with it asked first, no name server is asked for what it has.
LOOK_UP = """
from helpers import broker
with broker.disposable() as node:
    print(node.ctl("eval", '''
        [First | _] = proplists:get_value(lookup, inet:get_rc()),
        Address = fun(Name) ->
            {ok, Found} = inet_hosts:gethostbyname(Name), hd(element(6, Found))
        end,
        [First | [Address(Name) || Name <- ["nobody.knows", "nobody", "localhost"]]].
    '''), end="")
"""
START_AND_WAIT = """
from helpers import broker
with broker.disposable() as node:
    print(node.pid, flush=True)
    input()
"""


@needs_server
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a machine another name")
@pytest.mark.slow
def test_knows_its_machine_by_name_without_asking_a_name_server():
    # RabbitMQ looks the name up whenever a connection is opened: it must not take seconds.
    rename = ["unshare", "--uts", "sh", "-c", 'hostname nobody.knows && exec "$@"', "sh"]
    done = subprocess.run(
        [*rename, sys.executable, "-c", LOOK_UP],
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT_S,
        check=False,
    )
    expected = f"[file,{','.join(['{127,0,0,1}'] * 3)}]"
    assert "".join(done.stdout.split()) == expected, done.stdout + done.stderr


@needs_server
@pytest.mark.slow
def test_kill_and_start_again_with_the_same_data():
    config = "channel_max = 7"
    advanced = "[{rabbit, [{frame_max, 8192}]}]."
    with broker.disposable(config=config, advanced=advanced) as node:
        assert node.broker.source == "disposable node"
        folder = next(home().glob(f"disposable-{os.getpid()}-*/state.json")).parent
        with node.connect() as connection:
            assert connection._impl.params.channel_max == 7
            assert connection._impl.params.frame_max == 8192
            channel = connection.channel()
            channel.confirm_delivery()
            channel.queue_declare("kept", durable=True)
            channel.basic_publish("", "kept", b"1", pika.BasicProperties(delivery_mode=2))
            connection.process_data_events(time_limit=2.5)  # see DisposableNode.kill
        assert "kept" in node.ctl("list_queues", "name").split()
        with pytest.raises(BrokerError, match="rabbitmqctl no_such_command` failed"):
            node.ctl("no_such_command")
        pid, port = node.pid, node.broker.port
        assert "running" in repr(node)
        with pytest.raises(BrokerError, match="running already"):
            node.start()

        node.kill()
        assert node.pid is None
        assert "down" in repr(node)
        wait_gone(pid)
        with pytest.raises(BrokerError, match="down already"):
            node.kill()
        with pytest.raises(BrokerNotReadyError, match="nothing listens"):
            node.connect()

        node.start()
        assert node.broker.port == port
        with pytest.raises(UsageError):
            node.connect(no_such_keyword=1)
        with node.connect() as connection:
            kept = connection.channel().queue_declare("kept", passive=True)
            assert kept.method.message_count == 1
        pid = node.pid
    wait_gone(pid)
    assert not folder.exists()
    assert not folder.with_suffix(".lock").exists()


@needs_server
def test_node_of_a_killed_process_is_swept_and_one_in_use_is_not(start_python):
    owner = start_python(START_AND_WAIT)
    pid = int(owner.stdout.readline())
    folder = home() / f"disposable-{owner.pid}-1"
    epmd = json.loads((folder / "state.json").read_text())["epmd"]["pid"]
    assert folder not in disposable_node.sweep()
    assert psutil.pid_exists(pid)

    owner.send_signal(signal.SIGKILL)
    owner.wait(10)
    assert folder in disposable_node.sweep()
    wait_gone(pid)
    wait_gone(epmd)
    assert not folder.exists()


@needs_server
@pytest.mark.slow
def test_watches_what_comes_before_each_confirm():
    with broker.disposable() as node, node.connect() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("quorum", durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_declare("memory", exclusive=True)
        channel.basic_publish("", "quorum", b"before")
        node.watch_disk()
        with pytest.raises(BrokerError, match="rabbitmqctl eval"):
            node.watch_disk()
        channel.basic_publish("", "quorum", b"1")
        channel.basic_publish("", "memory", b"2")
        first, second = node.calls_before_confirms()
        assert first.index("ra_log_wal write") < first.index("ra_log_wal fsync")
        assert [call for call in second if call.startswith("rabbit_")] == []
        channel.basic_publish("", "quorum", b"3")
        assert len(node.calls_before_confirms()) == 1


def test_without_a_server_it_says_so(monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_SERVER", "/nowhere/rabbitmq-server")
    expected = re.escape("cannot start a private RabbitMQ node: RABBIT_LAB_SERVER names")
    with pytest.raises(BrokerNotFoundError, match=expected), broker.disposable():
        pass
    assert not list(home().glob(f"disposable-{os.getpid()}-*.lock"))
