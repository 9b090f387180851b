#!/bin/sh
# Like the official image's entry point: the server as its own user, its log on the console.
set -e
export HOME=/var/lib/rabbitmq RABBITMQ_LOGS="${RABBITMQ_LOGS:--}"
chown rabbitmq:rabbitmq /var/lib/rabbitmq
if [ "$1" = rabbitmq-server ]; then
    shift
    set -- /usr/lib/rabbitmq/bin/rabbitmq-server "$@"
fi
exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups "$@"
