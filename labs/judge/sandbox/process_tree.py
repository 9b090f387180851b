"""Count all descendants of a process, and end them."""

import threading
from collections.abc import Sequence

import psutil

ROUNDS = 100
COUNT_S = 0.3  # between two counts


def members(pid: int) -> list[psutil.Process]:
    """Return the living descendants of a process, without the process itself."""
    try:
        descendants = psutil.Process(pid).children(recursive=True)
        return [process for process in descendants if process.status() != psutil.STATUS_ZOMBIE]
    except psutil.Error:
        return []


def grow_beyond(pids: Sequence[int], most: int, stop: threading.Event) -> bool:
    """Wait until processes have more than ``most`` descendants; False when ``stop`` comes first."""
    while not stop.wait(COUNT_S):
        if sum(len(members(pid)) for pid in pids) > most:
            return True
    return False


def end(pid: int) -> None:
    """Kill all descendants of a process, then the process itself.

    The process adopts orphans, so it is killed last: descendants that fork faster than one round
    kills are killed in a later round.
    """
    for _ in range(ROUNDS):
        processes = members(pid)
        if not processes:
            break
        for process in processes:
            _kill(process)
        psutil.wait_procs(processes, timeout=0.5)
    try:
        _kill(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return
