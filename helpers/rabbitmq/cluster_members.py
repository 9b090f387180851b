"""The operations of a cluster's node, and the nodes' views of each other."""

from collections.abc import Sequence
from typing import Any, Protocol

from helpers.errors import BrokerError
from helpers.rabbitmq import management, server
from helpers.rabbitmq.model import Broker, credentials

START_TIMEOUT_S = 120.0
# Asks the nodes themselves: the management API reports partitions some seconds late.
# RabbitMQ 4.3 has no Mnesia, and its node monitor records no partitions.
# The loop runs in the node, since each question from outside costs a `rabbitmqctl`.
IS_WHOLE = """
Says = fun(N, Module, Function, Wanted) -> rpc:call(N, Module, Function, []) =:= Wanted end,
Notes = erlang:function_exported(rabbit_node_monitor, partitions, 0),
IsWhole = fun() ->
    Nodes = [node() | nodes()],
    length(Nodes) =:= {wanted} andalso lists:all(fun(N) ->
        Says(N, rabbit, is_booted, true)
        andalso (not Notes orelse Says(N, rabbit_node_monitor, partitions, []))
    end, Nodes)
end,
Look = fun(Again, LeftMs) ->
    case IsWhole() of
        false when LeftMs > 0 -> timer:sleep(100), Again(Again, LeftMs - 100);
        Answer -> Answer
    end
end,
Look(Look, {patience_ms}).
"""


class Member(Protocol):
    """A node of the cluster, whatever it runs in."""

    @property
    def name(self) -> str:
        """Erlang's name of the node, like "rabbit@rabbitmq-1"."""

    @property
    def broker(self) -> Broker:
        """The node as a broker: URLs and versions."""

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""

    def kill(self) -> None:
        """End it with SIGKILL; its data stay. Raises BrokerError when it is down already."""

    def start(self, *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start it again with the same data. Raises BrokerError when it runs or can't."""

    def ctl(self, *arguments: str, timeout_s: float = server.CTL_TIMEOUT_S) -> str:
        """Run ``rabbitmqctl`` on it and return what it printed. Raises BrokerError."""


def call(node: Member, method: str, path: str, body: Any = None) -> Any:
    """Call the management API of a node once; see `helpers.rabbitmq.management.call`."""
    login = credentials(node.broker.amqp_url)
    return management.call(node.broker.management_url, login, method, path, body)


def sees(node: Member) -> set[str]:
    """Return the names of the running nodes that a node sees; an empty set without an answer."""
    try:
        seen = call(node, "GET", "nodes")
    except BrokerError:
        return set()
    return {other["name"] for other in seen if other.get("running")}


def are_whole(nodes: Sequence[Member], *, patience_s: float = 0.0) -> bool:
    """Return whether every node has started, sees every other one running, and is in no partition.

    A node counts as running before it has booted: a vhost that is made in between is missing there.

    Args:
        nodes: all nodes of the cluster.
        patience_s: how long nodes that all see each other may take to become whole, in seconds.

    Source: RabbitMQ, rabbit_vhost_sup_sup:start_on_all_nodes/1; measured.
    """
    if not all(len(sees(node)) == len(nodes) for node in nodes):
        return False
    look = IS_WHOLE.replace("{wanted}", str(len(nodes)))
    look = look.replace("{patience_ms}", str(round(patience_s * 1000)))
    try:
        answer = nodes[0].ctl("eval", look)
    except BrokerError:
        return False
    return answer.strip() == "true"


def cut_off(node: Member, others: list[Member]) -> None:
    """Cut Erlang's links between a node and the others, and prevent new ones.

    Clients' connections stay. The nodes notice at once, since the sockets are closed.

    Args:
        node: the node to isolate; it gets a wrong cookie for each of the others.
        others: the rest of the cluster.

    Raises:
        BrokerError: ``rabbitmqctl eval`` fails.

    Source: Erlang documentation, "Distributed Erlang", erlang:set_cookie/2.
    """
    _for_each(node, others, "erlang:set_cookie(N, cut_off), erlang:disconnect_node(N)")


def connect_again(node: Member, others: list[Member]) -> None:
    """Undo `cut_off`; the nodes connect by themselves.

    Raises:
        BrokerError: ``rabbitmqctl eval`` fails.
    """
    _for_each(node, others, "erlang:set_cookie(N, erlang:get_cookie()), net_kernel:connect_node(N)")


def _for_each(node: Member, others: list[Member], steps: str) -> None:
    names = ", ".join(f"'{other.name}'" for other in others)
    node.ctl("eval", f"[begin {steps} end || N <- [{names}]].")
