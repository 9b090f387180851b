"""Turns: a limited number of cells at once, in the order of asking; none is kept for ever."""

import os
import threading

import pytest
from IPython.core.interactiveshell import InteractiveShell

from helpers.classroom import turns
from helpers.waits import wait_until

HOLD = """
import os, sys
from pathlib import Path
from helpers.classroom.turns import Turns
ours = Turns(Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["RABBIT_LAB_TURNS"]))
ours.take()
print("taken", flush=True)
input()
"""


@pytest.fixture
def folder(tmp_path):
    turns.make(tmp_path / "turns", 2)
    return tmp_path / "turns"


def take_in_thread(mine):
    thread = threading.Thread(target=mine.take, daemon=True)
    thread.start()
    return thread


def test_third_waits_until_one_is_given_back(folder, capsys):
    first, second, third = (turns.Turns(folder) for _ in range(3))
    first.take()
    second.take()
    assert capsys.readouterr().err == ""
    waiting = take_in_thread(third)
    waiting.join(0.3)
    assert waiting.is_alive()
    first.give_back()
    waiting.join(5)
    assert not waiting.is_alive()
    assert capsys.readouterr().err.count("wait for their turn") == 1


def test_they_come_in_the_order_of_asking(folder):
    holders = [turns.Turns(folder) for _ in range(2)]
    for holder in holders:
        holder.take()
    order, threads = [], []
    for number in range(5):
        mine = turns.Turns(folder)

        def go(number=number, mine=mine):
            mine.take()
            order.append(number)
            mine.give_back()

        thread = threading.Thread(target=go, daemon=True)
        thread.start()
        threads.append(thread)
        wait_until(lambda mine=mine: mine._notified, timeout_s=5, what="it to be in line")
        thread.join(0.05)  # told just before it joins the line
    holders[0].give_back()
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3, 4]


def test_cell_that_never_ends_gives_its_turn_back(folder, monkeypatch):
    monkeypatch.setattr(turns, "LONGEST_S", 0.2)
    endless = [turns.Turns(folder) for _ in range(2)]
    for one in endless:
        one.take()
    waiting = take_in_thread(turns.Turns(folder))
    waiting.join(5)
    assert not waiting.is_alive()


def test_killed_kernel_keeps_no_turn(folder, start_python):
    environment = {**os.environ, turns.VARIABLE: str(folder)}
    kernels = [start_python(HOLD, environment) for _ in range(2)]
    for kernel in kernels:
        assert kernel.stdout.readline() == "taken\n"
    waiting = take_in_thread(turns.Turns(folder))
    waiting.join(0.3)
    assert waiting.is_alive()
    kernels[0].kill()
    waiting.join(5)
    assert not waiting.is_alive()


def test_extension_holds_a_turn_while_a_cell_runs(folder, monkeypatch):
    monkeypatch.setenv(turns.VARIABLE, str(folder))
    shell = InteractiveShell(user_ns={"mine": turns.Turns(folder), "free": turns._try})
    turns.load_ipython_extension(shell)
    assert shell.run_cell("held = [not free(file) for file in mine._files]").success
    assert sorted(shell.user_ns["held"]) == [False, True]
    waiting = take_in_thread(turns.Turns(folder))  # the cell's own turn is free again
    waiting.join(5)
    assert not waiting.is_alive()
