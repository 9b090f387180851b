"""Programs made from a function's source: what they say, how they end, how they are killed."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from helpers import metrics, processes, publish
from helpers.errors import RabbitLabError, UsageError, WaitTimeoutError
from helpers.waits import wait_until


def add(one, other):
    import os

    print(f"sum {one + other}, pid {os.getpid()}")


def fail():
    raise SystemExit("the printer is on fire")


def raise_an_error():
    import os

    print("colours:", os.environ["PYTHON_COLORS"])
    raise ValueError("corrupt document")


def say_and_stay(text):
    import time

    print(text)
    time.sleep(60)


def take_two_and_stay():
    import os

    import pika

    connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=2)
    channel.basic_consume("q", lambda ch, method, properties, body: print("took", body.decode()))
    channel.start_consuming()


def half(number):
    return number / 2


def print_half(number):
    print(f"half {half(number)}")


def end_when_asked():
    import signal
    import sys

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    print("asks")
    signal.pause()


def is_running(pid):
    """Return whether a process is there, and no zombie."""
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def test_functions_that_it_uses_go_along():
    with processes.in_process(print_half, 9, uses=[half]) as program:
        program.wait_for_line("half 4.5", timeout_s=15)


def test_terminate_asks_and_the_program_decides():
    with processes.in_process(end_when_asked) as program:
        program.wait_for_line("asks", timeout_s=15)
        program.terminate()
        assert program.wait(timeout_s=15) == 7
    with processes.in_process(say_and_stay, "here") as program:
        program.wait_for_line("here", timeout_s=15)
        program.terminate()
        assert program.wait(timeout_s=15) == -signal.SIGTERM


def test_a_function_runs_as_a_program_of_its_own():
    with processes.in_process(add, 2, 3) as program:
        line = program.wait_for_line("sum", timeout_s=15)
        assert program.wait(timeout_s=15) == 0
    assert line.startswith("sum 5, pid ")
    assert int(line.rpartition(" ")[2]) != os.getpid()
    assert program.lines == [line]
    assert repr(program) == "Process(ended with 0, 1 lines)"


def test_a_traceback_has_no_colours_in_a_kernel_either(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with processes.in_process(raise_an_error) as program:
        assert program.wait(timeout_s=15) == 1
    assert "colours: 0" in program.lines
    assert program.lines[-1] == "ValueError: corrupt document"


def test_a_function_defined_inside_another_runs_too():
    def inner():
        print("from inside")

    with processes.in_process(inner) as program:
        program.wait_for_line("from inside", timeout_s=15)


def test_kill_is_sigkill_and_leaves_unacked_messages_to_others(channel):
    channel.queue_declare("q", durable=True)
    publish.publish_batch(
        channel, 5, exchange="", routing_key="q", persistent=False, mandatory=False, confirms=True
    )
    with processes.in_process(take_two_and_stay) as program:
        program.wait_for_line("took 1", timeout_s=15)
        assert "running" in repr(program)
        assert metrics.ready(channel, "q") == 3
        program.kill()
        assert program.returncode == -signal.SIGKILL
        metrics.wait_for_ready(channel, "q", 5, timeout_s=10)
    flags = [channel.basic_get("q", auto_ack=True)[0].redelivered for _ in range(5)]
    assert flags == [True, True, False, False, False]


def test_error_of_a_program_that_ends_early_has_its_last_lines():
    with (
        processes.in_process(fail) as program,
        pytest.raises(RabbitLabError, match=r"ended with 1(?s:.*)the printer is on fire"),
    ):
        program.wait_for_line("ready", timeout_s=15)


def test_a_line_that_never_comes_is_an_error_at_the_deadline():
    with processes.in_process(say_and_stay, "hello") as program:
        program.wait_for_line("hello", timeout_s=15)
        with pytest.raises(WaitTimeoutError, match="to print 'ready'"):
            program.wait_for_line("ready", timeout_s=0.1)
        with pytest.raises(WaitTimeoutError, match="still runs after"):
            program.wait(timeout_s=0.1)
    assert program.returncode == -signal.SIGKILL


def test_leaving_the_block_by_an_error_ends_the_program():
    with (
        pytest.raises(KeyboardInterrupt),
        processes.in_process(say_and_stay, "hello") as program,
    ):
        raise KeyboardInterrupt
    assert program.returncode == -signal.SIGKILL


PARENT = """
import sys, time
sys.path.insert(0, {root!r})
from helpers import processes
from tests.helpers.test_processes import say_and_stay

program = processes.in_process(say_and_stay, "hello")
program.wait_for_line("hello", timeout_s=15)
print(program._process.pid, flush=True)
time.sleep(60)
"""


def test_a_program_ends_with_the_process_that_started_it(pytestconfig):
    code = PARENT.format(root=str(pytestconfig.rootpath))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout
        child = int(it.stdout.readline())
        assert is_running(child)
        it.kill()
        wait_until(lambda: not is_running(child), timeout_s=10, what="the program to end as well")


def test_function_without_source_is_refused():
    with pytest.raises(UsageError, match="plain arguments"):
        processes.in_process(add, object(), 1)
    with pytest.raises(UsageError, match="a function defined in a file"):
        processes.in_process(time.sleep, 1)
