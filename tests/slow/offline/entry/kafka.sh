#!/bin/sh
# Like the official image's entry point: KAFKA_ variables become properties, then Kafka starts.
set -e
properties=$(mktemp)
chmod 644 "$properties"
# KAFKA_A_B is a.b, KAFKA_A__B is a_b, KAFKA_A___B is a-b; a few are for the start itself.
env | awk -F= '/^KAFKA_/ && !/^KAFKA_(HEAP_OPTS|OPTS|JMX_|LOG4J_|GC_LOG_|VERSION)/ {
    name = tolower(substr($1, 7))
    gsub(/___/, "-", name); gsub(/__/, "\001", name); gsub(/_/, ".", name); gsub(/\001/, "_", name)
    print name "=" substr($0, length($1) + 2)
}' | sort > "$properties"
set -- setpriv --reuid=65534 --regid=65534 --clear-groups java ${KAFKA_HEAP_OPTS:--Xmx1g} \
    -cp '/opt/kafka/libs/*' -Dlog4j2.configurationFile=/opt/kafka/config/log4j2.properties
"$@" kafka.tools.StorageTool format --ignore-formatted \
    --cluster-id "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" --config "$properties"
exec "$@" kafka.Kafka "$properties"
