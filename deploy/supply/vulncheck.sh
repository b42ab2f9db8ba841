#!/usr/bin/env bash
# Reports known vulnerabilities in what the programs call, by govulncheck. Its server
# (vuln.go.dev) is not needed: the same database is in the Go module golang.org/x/vulndb, which
# comes from the module proxy. The newest one is asked for; where there is no network, the one
# that is pinned here, if it was fetched before. Where neither it nor the Go that releases are built with
# can be had, this says that nothing was judged, and why.
# usage: vulncheck.sh GOVULNCHECK RELEASE_GO PACKAGE...
set -euo pipefail
pinned=v0.0.0-20261105234957-e22db6528018
govulncheck=$1 toolchain=$2
shift 2

# From another folder, so that this module's versions do not apply.
newest() { (cd / && GOFLAGS=-mod=mod timeout 60 go list -m -f '{{.Version}}' golang.org/x/vulndb@latest); }
folder() {
	(cd / && GOFLAGS=-mod=mod go mod download -json "golang.org/x/vulndb@$1") | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}

version=$(newest 2>/dev/null) || version=$pinned
if ! db=$(folder "$version") || ! [ -d "$db/data/osv" ]; then
	echo "vulnerabilities: NOT JUDGED: the database golang.org/x/vulndb@$version can't be had from $(go env GOPROXY)" >&2
	exit 0
fi
if ! why=$(GOTOOLCHAIN=$toolchain go version 2>&1); then
	echo "vulnerabilities: NOT JUDGED: $toolchain can't be had: $why" >&2
	exit 0
fi
echo "vulnerabilities: database $version, judged as built with $toolchain"
GOTOOLCHAIN=$toolchain "$govulncheck" -db "file://$db/data/osv" "$@"
