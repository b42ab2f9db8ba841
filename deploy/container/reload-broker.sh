#!/usr/bin/env bash
# After an identity was approved, revoked or replaced: writes Mosquitto's permissions again and has it read them.
# reload-broker.sh FOLDER (of prepare.sh)
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
compose() { docker compose --env-file "${home:?}/.env" -f "$here/compose.yaml" "$@"; }
home=${1:?usage: reload-broker.sh FOLDER}
compose run --rm broker-config
compose kill -s HUP mosquitto
