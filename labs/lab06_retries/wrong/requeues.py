"""Gives a mail back to the queue when it fails.

Breaks: b (requeue-is-retry), d (requeue-is-retry), e (requeue-is-retry), g (requeue-is-retry)
Not seen: c
"""

import urllib.error
import urllib.request

import pika

SENT, REFUSED, TRY_LATER = 202, 400, 503


def declare(url, base_s, retries):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("dlq", durable=True)
    to_dlq = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dlq"}
    channel.queue_declare("notify", durable=True, arguments=to_dlq)
    connection.close()


def run_worker(url, provider, base_s, retries, budget):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)

    def on_message(channel, method, properties, body):
        status = send_mail(provider, body)
        if status == SENT:
            channel.basic_ack(method.delivery_tag)
        else:
            channel.basic_reject(method.delivery_tag, requeue=status == TRY_LATER)

    channel.basic_consume("notify", on_message, auto_ack=False)
    channel.start_consuming()


def send_mail(provider, body):
    request = urllib.request.Request(f"{provider}/mails", body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
