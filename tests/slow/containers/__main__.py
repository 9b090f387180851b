"""Test the Compose stack on a Docker engine: ``python -m tests.slow.containers [up inside …]``.

Without names all scenarios run, in order. Without an engine it prints the reason and passes.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

from pika.exceptions import AMQPError

from helpers.errors import RabbitLabError
from helpers.rabbitmq.generations import GENERATIONS
from tests.slow.containers import classroom, scenarios
from tests.slow.containers.stack import Stack, copy, images
from tests.slow.offline import engine, standins
from tests.support import command

IMAGES = (f"rabbitmq-{GENERATIONS[-1]}", "python", "postgres", "prometheus", "kafka")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make test-containers", description=__doc__)
    known = scenarios.EVERY | scenarios.BY_NAME
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--images", action="store_true", help="only build the stand-ins")
    parser.add_argument("--learners", type=int, default=classroom.LEARNERS, help="in the classroom")
    options = parser.parse_args()
    if unknown := ", ".join(name for name in options.names if name not in known):
        parser.error(f"there is no {unknown}; there are {', '.join(known)}")
    known["classroom"] = partial(classroom.run, learners=options.learners)
    try:
        with engine.running() as description:
            print(f"Containers run on {description}.", flush=True)
            if reason := standins.why_not():
                print(f"NOT RUN: no stand-ins for the images: {reason}.")
                return 0
            named = images(IMAGES)
            if options.images:
                print("\n".join(f"{name}={image}" for name, image in named.items()))
                return 0
            # The stack is always brought up first and taken down last.
            wanted = {"up", *options.names, "down"} if options.names else set(scenarios.EVERY)
            names = [name for name in known if name in wanted]
            with copy(named) as stack:
                return _run(stack, {name: known[name] for name in names})
    except engine.NoEngineError as error:
        print(f"NOT RUN: {error}.")
        return 0


def _run(stack: Stack, chosen: dict[str, Callable[[Stack], str]]) -> int:
    failed = []
    for name, scenario in chosen.items():
        if "up" in failed:
            break  # the other scenarios need a running stack
        began_s = time.monotonic()
        try:
            result, observation = "passed", scenario(stack)
        except (RabbitLabError, AMQPError, OSError) as error:
            result, observation = "FAILED", str(error) or repr(error)
            failed.append(name)
        print(f"{name:<20} {result} {time.monotonic() - began_s:6.1f} s  {observation}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    command.run(main)
