"""The generations of RabbitMQ: their order, and a broker of another generation."""

import pytest

from helpers.rabbitmq import generations
from helpers.rabbitmq.generations import GENERATIONS, age, compared_with, not_recorded
from helpers.rabbitmq.model import Broker
from helpers.suite import doctor


def test_generations_are_in_order_and_part_of_a_sentence(monkeypatch):
    assert sorted(GENERATIONS, key=age) == list(GENERATIONS)
    monkeypatch.setattr(generations, "GENERATIONS", ("1.9", "1.10", "2.0"))
    assert generations.listed() == "1.9, 1.10 and 2.0"


@pytest.mark.parametrize(
    ("generation", "other"),
    [("3.9", "3.10"), ("3.10", "3.10"), ("3.13", "3.10"), ("4.2", "4.0"), ("4.4", "4.3")],
)
def test_a_generation_is_compared_with_the_newest_recorded_one_before_it(generation, other):
    recorded = ["4.3", "3.10", "4.0"]
    note = f"{generation}: not recorded, compared with {other}"
    assert compared_with(generation, recorded) == other
    assert not_recorded(generation, recorded) == ("" if generation in recorded else note)


def test_the_description_of_a_broker_names_a_generation_that_is_not_recorded():
    def described(version: str) -> str:
        broker = Broker(
            "amqp://127.0.0.1:1/", "http://127.0.0.1:1", None, "here", version=version, erlang="27"
        )
        return doctor.describe(broker).splitlines()[0]

    newest = GENERATIONS[-1]
    assert described(f"{newest}.1") == f"RabbitMQ {newest}.1 on Erlang 27 is up (here)"
    assert described("99.4.1").endswith(f"; 99.4: not recorded, compared with {newest}")
