"""Each delivery decision is found in the code, and flipped without touching the rest."""

import ast

import pytest

from tests.slow.mutants.finding import decisions, signatures


def flipped(source: str, *functions: str) -> list[str]:
    """Return the code after each flip."""
    return [edit.apply(source) for edit in decisions(source, signatures([source, *functions]))]


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("channel.basic_get('q', auto_ack=True)", "channel.basic_get('q', auto_ack=False)"),
        ("Consumer('q', auto_ack = False)", "Consumer('q', auto_ack = True)"),
        ("f(requeue=True)", "f(requeue=False)"),
        ("declare('q', durable=True)", "declare('q', durable=False)"),
        ("send(body, mandatory=False)", "send(body, mandatory=True)"),
        ("declare('q', exclusive=True)", "declare('q', exclusive=False)"),
        ("declare('q', auto_delete=False)", "declare('q', auto_delete=True)"),
        ("send(1, confirms=True)", "send(1, confirms=False)"),
        ("how = {'persistent': True}", "how = {'persistent': False}"),
        ("consume('q', auto_ack=ack == 'auto')", "consume('q', auto_ack=not (ack == 'auto'))"),
        ("auto_ack = True", "auto_ack = False"),
        ("worker('q', prefetch_count=1)", "worker('q', prefetch_count=50)"),
        ("worker('q', prefetch_count=0)", "worker('q', prefetch_count=1)"),
        ("limits = {'prefetch_count': 10}", "limits = {'prefetch_count': 1}"),
        ("pika.BasicProperties(delivery_mode=2)", "pika.BasicProperties(delivery_mode=1)"),
        ("mode = pika.DeliveryMode.Persistent", "mode = pika.DeliveryMode.Transient"),
        ("c.exchange_declare('e', 'topic')", 'c.exchange_declare(\'e\', "fanout")'),
        ("c.exchange_declare('e', exchange_type='fanout')",
         "c.exchange_declare('e', exchange_type=\"direct\")"),
        ("ROWS = {'with headers': ('headers', 3)}", "ROWS = {'with headers': (\"fanout\", 3)}"),
        ("QUEUES = {'payments': 'classic'}", "QUEUES = {'payments': \"quorum\"}"),
        ("a = {'x-queue-type': 'quorum'}", "a = {'x-queue-type': \"classic\"}"),
        ("a = {'x-queue-type': kind}", "a = {**({} and {'x-queue-type': kind})}"),
        ("a = {'x-match': 'all', 'n': 1}", "a = {'x-match': \"any\", 'n': 1}"),
        ("a = {'x-max-length': 5, 'n': 1}", "a = {**({} and {'x-max-length': 5}), 'n': 1}"),
        ("channel.basic_ack(tag)", "None and channel.basic_ack(tag)"),
        ("act(lambda: channel.basic_nack(t))", "act(lambda: None and channel.basic_nack(t))"),
        ("partial(channel.basic_ack, 7)", "partial((lambda *_, **__: None), 7)"),
        ("db.commit()", "None and db.commit()"),
        ("channel.tx_commit()", "None and channel.tx_commit()"),
        ("channel.confirm_delivery()", "None and channel.confirm_delivery()"),
        ("c.basic_qos(prefetch_count=most)", "None and c.basic_qos(prefetch_count=most)"),
    ],
)  # fmt: skip
def test_a_decision_is_found_and_flipped(source, after):
    assert flipped(source) == [after]
    ast.parse(after)


@pytest.mark.parametrize(
    "source",
    [
        "channel.basic_reject",
        "f(requeue=requeue, mandatory=settings.mandatory)",  # decided elsewhere
        "predict.commit('q01.3', 'How many?', guess)",
        "headers['x-death'][0]['count'] if 'x-death' in headers else kind == 'fanout'",
        "copies.at['direct', 'topic']",
        "print('durable=True', f'{f(durable=True)}')",
        "# channel.basic_ack(tag)",
        "f(durable='yes', exchange_type='own', prefetch_count='many', delivery_mode=3)",
    ],
)
def test_what_is_no_decision_is_left_alone(source):
    assert flipped(source) == []


def test_arguments_by_position_are_found_by_the_names_of_their_function():
    assert flipped("supervise(1, True)", "def supervise(prefetch_count, /, requeue): ...") == [
        "supervise(50, True)",
        "supervise(1, False)",
    ]
    assert flipped("declare('classic', 1)", "def declare(queue_type): ...") == [
        'declare("quorum", 1)'
    ]


def test_defaults_are_decisions():
    source = "def plan(name, mandatory=True, *, prefetch_count, requeue=False): ..."
    assert flipped(source) == [
        "def plan(name, mandatory=False, *, prefetch_count, requeue=False): ...",
        "def plan(name, mandatory=True, *, prefetch_count, requeue=True): ...",
    ]


def test_rows_of_a_loop_are_decisions():
    source = "for queue, requeue in [('a', False), *[('b', True)] * 4]: use(queue, requeue)"
    assert flipped(source) == [
        source.replace("False", "True"),
        source.replace("True", "False"),
    ]


def test_an_x_argument_in_python_s_spelling_is_left_out_where_it_is_optional():
    call = "fill(max_length=10, overflow='drop-head')"
    assert flipped(call, "def fill(**limit): ...") == [
        "fill(**({} and dict(max_length=10)), overflow='drop-head')",
        "fill(max_length=10, **({} and dict(overflow='drop-head')))",
    ]
    assert flipped(call, "def fill(max_length, overflow): ...") == []


def test_several_decisions_of_a_line_are_flipped_one_at_a_time():
    source = "channel.basic_nack(tag, multiple=True, requeue=False)"
    assert flipped(source) == [
        "None and channel.basic_nack(tag, multiple=True, requeue=False)",
        "channel.basic_nack(tag, multiple=False, requeue=False)",
        "channel.basic_nack(tag, multiple=True, requeue=True)",
    ]


def test_the_rest_of_the_text_stays_as_it_is():
    source = (
        "é = 'ü'; f( durable = True )  # ±10 %\n\n\n"
        "if é:\n\tchannel.basic_ack(  # tabs, and several lines\n\t\ttag,\n\t)\n"
    )
    assert flipped(source) == [
        source.replace("True", "False"),
        source.replace("channel.", "None and channel."),
    ]


def test_a_call_or_an_argument_that_is_left_out_does_nothing():
    for after in flipped("channel.basic_ack(1)"):
        assert eval(after, {"channel": None}) is None
    (after,) = flipped("{'x-max-length': 1 / 0, 'kept': 1}")
    assert eval(after) == {"kept": 1}


def test_a_change_is_told_in_a_few_words():
    source = "c.exchange_declare('e', 'topic', durable=True)\nc.basic_ack(\n    tag\n)"
    assert [edit.change for edit in decisions(source, {})] == [
        "exchange_type='topic' → \"fanout\"",
        "durable=True → False",
        "left out: c.basic_ack( tag )",
    ]
