"""What a learner of the simulated class runs in a kernel besides notebooks."""

SECRET = "secret"
LEAVE = f"""
import os, pika
own = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
own.channel().queue_declare("{SECRET}", durable=True)
own.channel().basic_publish("", "{SECRET}", b"kept", pika.BasicProperties(delivery_mode=2))
own.close()
"""
# What a learner can try from inside: the count of what was refused, and the vhosts seen.
TRY = """
import json, os, pathlib, pika
from helpers import broker
from helpers.rabbitmq import model, management
from helpers.errors import RabbitLabError
mine = os.environ["AMQP_URL"]
user, password = model.credentials(mine)
refused = got_in = 0
for other in {others}:
    for vhost in other, other + ".1":
        for name in user, user + ".1":
            wanted = pika.URLParameters(mine)
            wanted.virtual_host = vhost
            wanted.credentials = pika.PlainCredentials(name, password)
            try:
                pika.BlockingConnection(wanted).close()
                got_in += 1
            except pika.exceptions.ProbableAccessDeniedError:
                refused += 1
        for path in f"queues/{{vhost}}", f"queues/{{vhost}}/secret", f"exchanges/{{vhost}}":
            try:
                broker.api("GET", path)
                got_in += 1
            except RabbitLabError:
                refused += 1
    try:
        list(pathlib.Path("/home", other.removeprefix("class-")).iterdir())
        got_in += 1
    except PermissionError:
        refused += 1
for path in "/proc/1/environ", "/srv/jupyterhub/jupyterhub.sqlite", "/srv/jupyterhub/cookie_secret":
    try:
        pathlib.Path(path).read_bytes()
        got_in += 1
    except PermissionError:
        refused += 1
for kept in "correct", "wrong", "hidden.py", "guide.md":
    got_in += len([*pathlib.Path("/lab/labs").glob("lab*/" + kept)])
base = os.environ["MANAGEMENT_URL"]
seen = set()
for path in "vhosts", "queues", "exchanges", "connections", "consumers":
    for row in management.call(base, (user, password), "GET", path):
        seen.add(row["name"] if path == "vhosts" else row.get("vhost") or row["queue"]["vhost"])
print(json.dumps([refused, got_in, sorted(seen)]))
"""
TRIED_PER_LEARNER, TRIED_ONCE = 2 * (2 + 3) + 1, 3
KEPT = "import pathlib; pathlib.Path('kept.txt').write_text('mine')"
STILL = (
    "import os, pathlib, pika; print(pathlib.Path('kept.txt').read_text(),"
    " pika.BlockingConnection(pika.URLParameters(os.environ['AMQP_URL'])).channel()"
    f".queue_declare('{SECRET}', passive=True).method.message_count)"
)
