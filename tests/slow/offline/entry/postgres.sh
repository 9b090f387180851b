#!/bin/sh
# Like the official image's entry point: makes the data folder with one user and one database.
set -e
export PGDATA="${PGDATA:-/var/lib/postgresql/data}" PATH="$(echo /usr/lib/postgresql/*/bin):$PATH"
own() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
mkdir -p "$PGDATA"
chown postgres:postgres "$PGDATA"
chmod 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    passwords=$(mktemp)
    echo "$POSTGRES_PASSWORD" > "$passwords"
    chown postgres "$passwords"
    own initdb --username="${POSTGRES_USER:-postgres}" --pwfile="$passwords" \
        --auth-host=scram-sha-256 --encoding=UTF8 > /dev/null
    rm "$passwords"
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    own pg_ctl --silent --wait start --options="-c listen_addresses=''"
    own createdb --username="${POSTGRES_USER:-postgres}" "${POSTGRES_DB:-$POSTGRES_USER}"
    own pg_ctl --silent --wait stop
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -c listen_addresses='*'
