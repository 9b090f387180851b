"""Test the Compose stack on a Docker engine: ``make test-containers``.

Without an engine it prints the reason and passes.
"""

import signal
import time
from collections.abc import Callable, Sequence
from functools import partial

import click
from pika.exceptions import AMQPError

from helpers.errors import RabbitLabError, UsageError
from helpers.rabbitmq.generations import GENERATIONS
from helpers.suite.commands import NAMES
from helpers.suite.exits import like_ctrl_c
from tests.slow.containers import classroom, scenarios
from tests.slow.containers.stack import Stack, copy, images
from tests.slow.offline import engine, standins

IMAGES = (f"rabbitmq-{GENERATIONS[-1]}", "python", "postgres", "prometheus", "kafka")


KNOWN = scenarios.EVERY | scenarios.BY_NAME


@click.command(epilog=f"NAME is one of {', '.join(KNOWN)}; none: all, in order.")
@NAMES
@click.option("--images", "only_images", is_flag=True, help="Only build the stand-ins.")
@click.option(
    "--learners", type=int, default=classroom.LEARNERS, help="In the classroom.", show_default=True
)
@like_ctrl_c(signal.SIGTERM)
def command(names: Sequence[str], only_images: bool, learners: int) -> int:
    if unknown := ", ".join(name for name in names if name not in KNOWN):
        raise UsageError(f"there is no {unknown}; there are {', '.join(KNOWN)}")
    known = KNOWN | {"classroom": partial(classroom.run, learners=learners)}
    try:
        with engine.running() as description:
            print(f"Containers run on {description}.", flush=True)
            if reason := standins.why_not():
                print(f"NOT RUN: no stand-ins for the images: {reason}.")
                return 0
            named = images(IMAGES)
            if only_images:
                print("\n".join(f"{name}={image}" for name, image in named.items()))
                return 0
            # The stack is always brought up first and taken down last.
            wanted = {"up", *names, "down"} if names else set(scenarios.EVERY)
            chosen = [name for name in known if name in wanted]
            with copy(named) as stack:
                return _run(stack, {name: known[name] for name in chosen})
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
