#!/usr/bin/env bash
# Makes what compose.yaml mounts: prepare.sh FOLDER HOST [SITES]
# FOLDER is new; HOST is the name or the IP address by which browsers and gates reach this computer; SITES is the site
# file (an example else). STORE=sqlite leaves InfluxDB out. Every secret is a file of its own, which only its program's
# account may read: run it as root, so that it can give the files to them. It never overwrites a secret.
# Ports, for a computer where others are taken: DESK BROKER INSIDE INFLUX PROMETHEUS.
set -euo pipefail
home=${1:?usage: prepare.sh FOLDER HOST [SITES]} host=${2:?usage: prepare.sh FOLDER HOST [SITES]}
deploy=$(cd "$(dirname "$0")/.." && pwd)
sites=${3:-$deploy/sites.example.yaml}
store=${STORE:-influx}
case $store in influx | sqlite) ;; *) echo "STORE=$store: write influx or sqlite" >&2; exit 2 ;; esac
command -v openssl >/dev/null || { echo "missing: openssl" >&2; exit 1; }
# The accounts of the images.
collector=10001:10001 influx=1000:1000 mosquitto=1883:1883 grafana=472:472 prometheus=65534:65534
umask 077
mkdir -p "$home"
home=$(cd "$home" && pwd)
at=$home/gatehouse
mkdir -p "$at"/{secrets,made,broker,broker-tls,data,enrol/default} "$home"/prometheus/secrets "$home"/grafana/secrets

# secret FILE BYTES makes a random secret, unless there is one.
secret() { [ -s "$1" ] || openssl rand -hex "$2" >"$1"; }
secret "$at/secrets/influx-admin.token" 32
secret "$at/secrets/influx-admin.password" 16
secret "$at/secrets/metrics.token" 24
secret "$at/broker/collector.password" 24
secret "$home/grafana/secrets/admin.password" 16
cp "$at/secrets/metrics.token" "$home/prometheus/secrets/metrics.token"

# An authority of this installation for the certificates of desk and broker. Put the site's own in their place.
if ! [ -s "$home/ca.crt" ]; then
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=gatehouse $host" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout "$home/ca.key" -out "$home/ca.crt" 2>/dev/null
fi
# The name is a name or an IP address, which a certificate has to tell apart.
case $host in *:*) kind=IP ;; *[!0-9.]*) kind=DNS ;; *) kind=IP ;; esac
# certificate NAME issues one with its key.
certificate() {
	[ -s "$1.crt" ] && return
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$host" -keyout "$1.key" -out "$1.csr" \
		2>/dev/null
	openssl x509 -req -in "$1.csr" -CA "$home/ca.crt" -CAkey "$home/ca.key" -CAcreateserial -days 825 -out "$1.crt" \
		-extfile <(printf 'subjectAltName=%s:%s,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' "$kind" "$host") \
		2>/dev/null
	rm "$1.csr"
}
certificate "$at/secrets/desk"
certificate "$at/broker-tls/broker"
cp "$home/ca.crt" "$home/prometheus/secrets/ca.crt"

# ports puts the ports of this computer in the place of the usual ones.
ports() {
	sed -e "s/\b8443\b/${DESK:-8443}/g; s/\b8883\b/${BROKER:-8883}/g; s/\b1883\b/${INSIDE:-1883}/g" \
		-e "s/\b8086\b/${INFLUX:-8086}/g; s/\b9090\b/${PROMETHEUS:-9090}/g; s/desk\.county\.example/$host/g" "$1" >"$2"
}
[ -e "$at/collect.yaml" ] || ports "$deploy/container/collect.$store.yaml" "$at/collect.yaml"
[ -e "$at/sites.yaml" ] || cp "$sites" "$at/sites.yaml"
ports "$deploy/prometheus/prometheus.yml" "$home/prometheus/prometheus.yml"
cp "$deploy/prometheus/rules.yml" "$home/prometheus/rules.yml"
queries=flux profiles=influx
[ "$store" = influx ] || queries=prometheus profiles=
mkdir -p "$home/grafana/provisioning/"{datasources,dashboards} "$home/grafana/dashboards"
for f in "$deploy/grafana/provisioning/$queries"/*/*.yaml; do
	ports "$f" "$home/grafana/provisioning/$(basename "$(dirname "$f")")/$(basename "$f")"
done
cp -r "$deploy/grafana/dashboards/$queries" "$home/grafana/dashboards/"
printf '%s\n' "GATEHOUSE_HOME=$home" "COMPOSE_PROFILES=$profiles" "DESK=${DESK:-8443}" "BROKER=${BROKER:-8883}" \
	"INSIDE=${INSIDE:-1883}" "INFLUX=${INFLUX:-8086}" "PROMETHEUS=${PROMETHEUS:-9090}" >"$home/.env"

if [ "$(id -u)" = 0 ] && [ "${ONE_ACCOUNT:-}" != 1 ]; then
	chmod 0755 "$home" "$home"/{grafana,prometheus}
	chown -R "$collector" "$at"
	chown -R "${influx%:*}:${collector#*:}" "$at/secrets/"influx-admin.*
	chown "$collector" "$at/secrets/"influx-admin.*
	chown "${collector%:*}:${grafana#*:}" "$at/made"
	chmod 0750 "$at/made"
	chmod 0755 "$at" "$at/broker"
	chown -R "$mosquitto" "$at/broker-tls"
	chown -R "$grafana" "$home"/grafana/*
	chown -R "$prometheus" "$home"/prometheus/*
elif [ "${ONE_ACCOUNT:-}" != 1 ]; then
	echo "not root: the files belong to you, and the accounts of the images can't read them" >&2
fi
echo "$home"
