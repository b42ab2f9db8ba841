#!/usr/bin/env bash
# Starts what compose.yaml starts, with the programs themselves and the same files; Ctrl-C ends them.
#   without-containers.sh FOLDER [--demo GATES]
# FOLDER is one of prepare.sh (ONE_ACCOUNT=1 prepare.sh …), or is made with an example. The programs: bin/gatehouse
# (GATEHOUSE=…), mosquitto, prometheus, and influxd 2 (INFLUXD=…; deploy/influx2.sh builds it). Grafana is started if it
# is installed. --demo lets simulated gates of bin/simulator deliver, by a listener without passwords on loopback.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) repository=$(cd "$(dirname "$0")/../.." && pwd)
home=${1:?usage: without-containers.sh FOLDER [--demo GATES]} demo=
[ "${2:-}" = --demo ] && demo=${3:?--demo GATES}
gatehouse=${GATEHOUSE:-$repository/bin/gatehouse} simulator=${SIMULATOR:-$repository/bin/simulator}
PATH=$PATH:/usr/sbin
for p in "$gatehouse" mosquitto prometheus curl; do
	command -v "$p" >/dev/null || { echo "missing: $p (make build; make tools)" >&2; exit 1; }
done
if ! [ -e "$home/.env" ]; then
	sites=()
	if [ -n "$demo" ]; then # the county of the simulated gates
		world=$(mktemp -d)
		"$simulator" history --dir "$world" --days 1 --people 1 >/dev/null
		sites=("$world/sites.yaml")
	fi
	ONE_ACCOUNT=1 "$here/prepare.sh" "$home" localhost "${sites[@]}" >/dev/null
	[ -z "${world:-}" ] || rm -rf "$world"
fi
home=$(cd "$home" && pwd)
set -a
. "$home/.env"
set +a
at=$home/gatehouse run=$home/run
mkdir -p "$run"
pids=()
stop() {
	trap - EXIT
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill "${pids[i]}" 2>/dev/null || true; done
	wait
}
trap stop EXIT
trap 'exit 0' INT TERM
# start NAME COMMAND... runs a program until the end; its log is run/NAME.log.
start() {
	local name=$1
	shift
	(cd "$at" && exec "$@") >"$run/$name.log" 2>&1 &
	pids+=($!)
}
# await WHAT COMMAND... waits until a command succeeds, and ends everything if a program has ended or 90 s are over.
await() {
	local what=$1 n
	shift
	for ((n = 0; n < 450; n++)); do
		"$@" >/dev/null 2>&1 && return
		for p in "${pids[@]}"; do
			kill -0 "$p" 2>/dev/null || { echo "a program has ended while waiting for $what: see $run" >&2; exit 1; }
		done
		sleep 0.2
	done
	echo "$what is not ready after 90 s: see $run" >&2
	exit 1
}

if [ "$COMPOSE_PROFILES" = influx ]; then
	influxd=${INFLUXD:-$("$repository/deploy/influx2.sh")}
	start influxdb "$influxd" --http-bind-address "127.0.0.1:$INFLUX" --bolt-path "$run/influxd.bolt" \
		--sqlite-path "$run/influxd.sqlite" --engine-path "$run/engine" --reporting-disabled --log-level error
	(cd "$at" && "$gatehouse" influx setup --url "http://127.0.0.1:$INFLUX" --retention "${RETENTION:-0}" \
		--admin-token secrets/influx-admin.token --admin-password secrets/influx-admin.password \
		--collector-token made/influx.token --grafana-token made/grafana.token)
fi
start collector "$gatehouse" collect --config collect.yaml
await "the collector" "$gatehouse" ready --alive --config "$at/collect.yaml"
(cd "$at" && "$gatehouse" broker config mosquitto --config collect.yaml --out broker --cert broker-tls/broker.crt \
	--key broker-tls/broker.key --port "$BROKER" --inside "$INSIDE") >"$run/broker-config.log"
{
	[ "$(id -u)" != 0 ] || echo "user root" # the files belong to root here
	cat "$at/broker/mosquitto.conf"
	[ -z "$demo" ] || printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "${DEMO:-18830}"
} >"$run/mosquitto.conf"
start mosquitto mosquitto -c "$run/mosquitto.conf"
await "the county" "$gatehouse" ready --config "$at/collect.yaml"
start prometheus prometheus --config.file="$home/prometheus/prometheus.yml" --storage.tsdb.path="$run/prometheus" \
	--storage.tsdb.retention.time=90d --web.listen-address="127.0.0.1:$PROMETHEUS" --log.level=warn
await Prometheus curl -sf "http://127.0.0.1:$PROMETHEUS/-/ready"
if command -v grafana >/dev/null && [ -d /usr/share/grafana ]; then
	GF_SECURITY_ADMIN_PASSWORD__FILE=$home/grafana/secrets/admin.password GF_SERVER_HTTP_ADDR=127.0.0.1 \
		GF_PATHS_DATA=$run/grafana GF_PATHS_PROVISIONING=$home/grafana/provisioning \
		start grafana grafana server --homepath /usr/share/grafana
else
	echo "Grafana is not installed: its dashboards are in $home/grafana"
fi
if [ -n "$demo" ]; then
	start gates "$simulator" county --gates "$demo" --dir "$run/gates" --broker "tcp://127.0.0.1:${DEMO:-18830}" \
		--collector-key "$at/data/county/collector.pub" --site-key "$at/data/county/site.key" --speed 60
fi
echo "ready: the desk is https://127.0.0.1:$DESK, its first user is made by the link in $at/data/county/setup-link;" \
	"Prometheus is http://127.0.0.1:$PROMETHEUS"
wait
