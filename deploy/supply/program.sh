#!/usr/bin/env bash
# Builds a program as it is released, into FILE; GOOS, GOARCH, GOARM and GOTOOLCHAIN are those
# of the environment. Fails when the program gatehouse is larger than its budget.
# usage: program.sh FILE VERSION PACKAGE
#
# Symbols for debuggers are left out. Libraries in which nobody waits for time to be spent are
# compiled without inlining (-l), and functions begin at multiples of 16 bytes on amd64, too,
# as on arm64: deploy/INSTALL.md says what that gains, and costs.
set -euo pipefail
budget=$((40 * 1000 * 1000)) # bytes of the program gatehouse: the room on a gate computer's card
slow=(github.com/nats-io github.com/ProtonMail github.com/cloudflare github.com/google/go-tpm github.com/bluenviron
	github.com/go-jose github.com/spf13 github.com/russross github.com/cpuguy83 github.com/coreos github.com/schollz
	github.com/rivo github.com/goccy go.yaml.in golang.org/x/net text/template archive encoding/xml net/http
	gatehouse/gateway/cli gatehouse/gateway/setup gatehouse/gateway/doctor gatehouse/gateway/repository
	gatehouse/gateway/trial gatehouse/gateway/edge/upgrade gatehouse/gateway/county/pages gatehouse/gateway/county/rules
	gatehouse/gateway/county/registry gatehouse/gateway/county/people gatehouse/gateway/county/backup)
flags=()
for tree in "${slow[@]}"; do flags+=("-gcflags=$tree/...=-l"); done
align=
[ "$(go env GOARCH)" != amd64 ] || align=-funcalign=16
CGO_ENABLED=0 go build -trimpath "${flags[@]}" \
	-ldflags "-s -w -buildid= $align -X gatehouse/gateway/version.String=$2" -o "$1" "$3"
size=$(stat -c %s "$1")
if [ "$3" = ./gateway ] && [ "$size" -gt "$budget" ]; then
	echo "$1: OVER BUDGET: gatehouse has $size bytes, the budget is $budget" >&2
	exit 1
fi
