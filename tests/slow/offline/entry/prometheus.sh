#!/bin/sh
# Like the official image's entry point: the arguments are Prometheus's own.
set -e
mkdir -p /prometheus
exec prometheus "$@"
