#!/bin/sh
# Starts RabbitMQ by its image's own entry point, unless the data volume is another generation's:
# the server would then fail with pages of Erlang, again and again.
set -e
note=/var/lib/rabbitmq/rabbit-lab-generation
version=${RABBITMQ_VERSION:-$(rabbitmqctl version)}
here=$(echo "$version" | cut -d. -f1,2)
wrote=$(cat "$note" 2> /dev/null || echo "$here")
if [ "$wrote" != "$here" ]; then
    echo "rabbit-lab: the data volume was written by RabbitMQ $wrote, and this image is $version:" \
        "set RABBITMQ_IMAGE to an image of $wrote to keep the data, or throw them away with" \
        "\`docker compose down --volumes\`" >&2
    exit 1
fi
echo "$here" > "$note"
exec docker-entrypoint.sh rabbitmq-server
