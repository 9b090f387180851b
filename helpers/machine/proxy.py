"""Run a TCP proxy on loopback that adds delay and breaks on command.

Run it with ``python -m helpers.machine.proxy``.

It is a separate process, so that its timing does not depend on the threads of the notebook. Each
direction has two threads: a reader stamps data with the time at which it is due, a writer sleeps
until then. The commands ``cut``, ``swallow``, ``mute``, ``refuse``, ``pass`` and ``count`` come on
standard input; the answer to ``count`` is the number of round trips so far. The proxy ends with its
input, so it never outlives the process that started it.
"""

import queue
import socket
import sys
import threading
import time
from contextlib import suppress

CHUNK_BYTES = 65536
Parcel = tuple[float, bytes]


class Link:
    """A client's connection and the connection to the broker that belongs to it."""

    def __init__(self, client: socket.socket, server: socket.socket, delay_s: float) -> None:
        self.sockets = (client, server)
        self.delay_s = delay_s
        self.swallowing = threading.Event()
        self.muted = threading.Event()
        self.asked = False  # the client has sent something, and got no answer yet
        self.round_trips = 0
        for end in self.sockets:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def open(self) -> None:
        """Begin to carry data in both directions."""
        client, server = self.sockets
        self._pump(client, server, drops=self.swallowing)
        self._pump(server, client, drops=self.muted)

    def _pump(self, source: socket.socket, sink: socket.socket, *, drops: threading.Event) -> None:
        parcels: queue.SimpleQueue[Parcel] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(source, parcels, drops), daemon=True).start()
        threading.Thread(target=self._write, args=(sink, parcels), daemon=True).start()

    def _read(
        self, source: socket.socket, parcels: "queue.SimpleQueue[Parcel]", drops: threading.Event
    ) -> None:
        data = b"first"
        while data:
            try:
                data = source.recv(CHUNK_BYTES)
            except OSError:
                data = b""
            if data and drops.is_set():
                continue
            if data:
                self._count(answer=source is self.sockets[1])
            parcels.put((time.perf_counter() + self.delay_s, data))

    def _count(self, *, answer: bool) -> None:
        """Count a round trip at the first bytes of an answer to what the client has sent."""
        self.round_trips += answer and self.asked
        self.asked = not answer

    def _write(self, sink: socket.socket, parcels: "queue.SimpleQueue[Parcel]") -> None:
        with suppress(OSError):
            while True:
                due, data = parcels.get()
                # the pause is the simulated distance, not a wait for something to happen
                time.sleep(max(0.0, due - time.perf_counter()))
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)

    def cut(self) -> None:
        """Close both ends at once, with a reset."""
        for end in self.sockets:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def main(argv: list[str]) -> int:
    """Serve until standard input ends: ``proxy TARGET_HOST TARGET_PORT ONE_WAY_MS``."""
    target = (argv[0], int(argv[1]))
    delay_s = float(argv[2]) / 1000
    links: list[Link] = []
    gone = 0  # round trips of links that were cut
    refusing = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept() -> None:
        while True:
            client, _ = listener.accept()
            try:
                server = socket.create_connection(target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            link = Link(client, server, delay_s)
            links.append(link)  # before it opens, so that `cut` reaches every open client
            link.open()
            if refusing.is_set():
                link.cut()

    threading.Thread(target=accept, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    for line in sys.stdin:
        command = line.strip()
        if command in ("refuse", "pass"):
            (refusing.set if command == "refuse" else refusing.clear)()
        present = list(links)  # a client that is cut may come back before the last one is cut
        for link in present:
            if command in ("cut", "refuse"):
                link.cut()
            elif command == "swallow":
                link.swallowing.set()
            elif command == "mute":
                link.muted.set()
            elif command == "pass":
                link.swallowing.clear()
                link.muted.clear()
        if command in ("cut", "refuse"):
            gone += sum(link.round_trips for link in present)
            del links[: len(present)]
        count = gone + sum(link.round_trips for link in links)
        print(count if command == "count" else command, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
