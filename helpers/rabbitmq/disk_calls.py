"""Note in which order a node writes, calls fsync and sends confirms, by Erlang's own tracing.

``prim_file`` is the one way from Erlang to a file, and ``rabbit_writer:send_command/2`` that from a
channel to its client. Timestamps within a node are strictly ordered.

Source: Erlang documentation, ``erlang:trace/3``, ``erlang:trace_pattern/3``.
"""

import re
from collections.abc import Callable

from helpers.errors import BrokerError

Ctl = Callable[..., str]  # of a node, such as DisposableNode.ctl
CALLS = {"write": "write", "pwrite": "write", "sync": "fsync", "datasync": "fsync"}
CONFIRM = "confirm"
TIMEOUT_S = 60.0
WATCH = """
undefined = whereis(lab_watcher),
register(lab_watcher, spawn(fun() -> (fun Loop(Seen) -> receive
    {trace_ts, By, return_from, {prim_file, Call, _}, _, At} -> Loop([{At, By, Call} | Seen]);
    {trace_ts, By, call, {rabbit_writer, _, _}, At} -> Loop([{At, By, confirm} | Seen]);
    {tell, To} -> To ! {seen, lists:sort(Seen)}, Loop([]);
    _ -> Loop(Seen)
end end)([]) end)),
Ends = [{'_', [], [{return_trace}]}], Confirms = [{['_', {'basic.ack', '_', '_'}], [], []}],
Calls = [{write, 2}, {pwrite, 2}, {pwrite, 3}, {sync, 1}, {datasync, 1}],
[1 = erlang:trace_pattern({prim_file, Call, Arity}, Ends, [local]) || {Call, Arity} <- Calls],
1 = erlang:trace_pattern({rabbit_writer, send_command, 2}, Confirms, [local]),
Flags = [call, arity, strict_monotonic_timestamp, {tracer, whereis(lab_watcher)}],
erlang:trace(all, true, Flags) > 0.
"""
TELL = """
All = erlang:trace_delivered(all), receive {trace_delivered, all, All} -> ok end,
lab_watcher ! {tell, self()}, receive {seen, Seen} -> ok end,
Module = fun(By) -> element(1, proc_lib:translate_initial_call(By)) end,
[{Module(By), Call} || {_, By, Call} <- Seen].
"""


def watch(ctl: Ctl) -> None:
    """Note every write, fsync and confirm of a node from now on; once for each start of it.

    Raises:
        BrokerError: ``rabbitmqctl eval`` fails, or the node is watched already.
    """
    answer = ctl("eval", WATCH, timeout_s=TIMEOUT_S)
    if answer.strip() != "true":
        raise BrokerError(f"cannot watch the node's calls: {answer.strip()[:200]}")


def before_confirms(ctl: Ctl) -> list[list[str]]:
    """Return the calls that ended before each confirm was sent, and after the one before it.

    What has been told is not told again.

    Args:
        ctl: that of a node that `watch` has been called for.

    Returns:
        A list for each confirm, in their order: "ra_log_wal write", "ra_log_wal fsync". The first
        word is the module of the process that called; "fsync" is fdatasync(2), too.

    Raises:
        BrokerError: ``rabbitmqctl eval`` fails, or nobody watches.
    """
    answer = ctl("eval", TELL, timeout_s=TIMEOUT_S)
    calls: list[list[str]] = [[]]
    for module, call in re.findall(r"\{(\w+),\s*(\w+)\}", answer):
        if call == CONFIRM:
            calls.append([])
        else:
            calls[-1].append(f"{module} {CALLS[call]}")
    return calls[:-1]
