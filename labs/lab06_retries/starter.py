"""Lab 6: retries that help. `declare` and `failed` are yours; the rest as far as you need."""

import urllib.error
import urllib.request

import pika

SENT, REFUSED, TRY_LATER = 202, 400, 503


def declare(url, base_s, retries):
    """Make all queues; more than one process may call it."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("dlq", durable=True)
    to_dlq = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dlq"}
    channel.queue_declare("notify", durable=True, arguments=to_dlq)
    connection.close()


def run_worker(url, provider, base_s, retries, budget):
    """Work on the queue "notify" until somebody ends this process."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)

    def on_message(channel, method, properties, body):
        status = send_mail(provider, body)
        if status == SENT:
            channel.basic_ack(method.delivery_tag)
        else:
            failed(channel, method, properties, body)

    channel.basic_consume("notify", on_message, auto_ack=False)
    channel.start_consuming()


def failed(channel, method, properties, body):
    """Let a mail that was not sent be tried again later, or give it up."""
    channel.basic_reject(method.delivery_tag, requeue=False)  # to the queue "dlq", at once


def send_mail(provider, body):
    """Ask the provider to send a mail, and return its answer: SENT, REFUSED or TRY_LATER."""
    request = urllib.request.Request(f"{provider}/mails", body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
