"""A process and all that came from it: counted, and ended to the last one."""

import psutil

ROUNDS = 100


def members(pid: int) -> list[psutil.Process]:
    """Return everything that came from a process and still lives, itself not among them."""
    try:
        found = psutil.Process(pid).children(recursive=True)
        return [one for one in found if one.status() != psutil.STATUS_ZOMBIE]
    except psutil.Error:
        return []


def end(pid: int) -> None:
    """Kill all that came from a process, and at last the process itself.

    It goes last because it adopts orphans: whoever forks faster than this kills is caught in a
    later round.
    """
    for _ in range(ROUNDS):
        found = members(pid)
        if not found:
            break
        for one in found:
            _kill(one)
        psutil.wait_procs(found, timeout=0.5)
    try:
        _kill(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return
