#!/usr/bin/env bash
# Builds InfluxDB 2 (influxd) from its source, once, into the user's cache, and
# prints the path of the program; everything else goes to stderr. It needs Go, a
# C compiler and a stable Rust, and takes some six minutes on two cores.
set -euo pipefail
version=v2.7.12 flux=v0.196.1 pkgconfig=v0.2.14
home=${XDG_CACHE_HOME:-$HOME/.cache}/gatehouse/influxd-$version
program=$home/influxd

if [ -x "$program" ]; then
	echo "$program"
	exit
fi

missing=0
fail() { echo "missing: $*" >&2; missing=1; }
command -v go >/dev/null || fail "Go"
command -v cargo >/dev/null || fail "cargo, of a stable Rust: https://rustup.rs, or apt-get install cargo"
cc=$(go env CC 2>/dev/null || echo gcc)
command -v "${cc%% *}" >/dev/null || fail "a C compiler ($cc): apt-get install gcc libc6-dev"
# Of the system; the one of InfluxData that is built below calls it.
command -v pkg-config >/dev/null || fail "pkg-config: apt-get install pkg-config"
[ $missing = 0 ] || exit 1

mkdir -p "$home"
exec 9>"$home/lock"
flock 9 # somebody else may be building it
if [ -x "$program" ]; then
	echo "$program"
	exit
fi
echo "building influxd $version in $home (some six minutes, once)" >&2
work=$home/build
rm -rf "$work"
mkdir -p "$work/bin"
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
cd "$work" # so that no go.mod of another module applies

# source copies a module's source out of the module cache to the folder $2.
source_of() {
	local dir
	dir=$(GOFLAGS=-mod=mod go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	[ -d "$dir" ] || { echo "go mod download $1 brought no source" >&2; exit 1; }
	cp -r "$dir" "$2"
	chmod -R u+w "$2"
}

log=$home/build.log
build() {
	GOBIN=$work/bin GOFLAGS=-mod=mod go install "github.com/influxdata/pkg-config@$pkgconfig"
	source_of "github.com/influxdata/influxdb/v2@$version" "$work/influxdb"
	source_of "github.com/influxdata/flux@$flux" "$work/flux"
	# It asks for one old Rust, and takes each new warning for an error.
	rm -f flux/rust-toolchain.toml flux/libflux/rust-toolchain.toml
	sed -i 's/deny(warnings/allow(warnings/' flux/libflux/flux-core/src/lib.rs flux/libflux/flux/src/lib.rs
	cd influxdb
	go mod edit -replace "github.com/influxdata/flux=$work/flux"
	export CGO_ENABLED=1 PKG_CONFIG=$work/bin/pkg-config GOTOOLCHAIN=local GOFLAGS=-mod=mod
	go build -tags sqlite_foreign_keys,sqlite_json -ldflags "-s -w -X main.version=$version" \
		-o "$work/bin/influxd" ./cmd/influxd
}
if ! (set -e; build) >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "influxd $version was not built; the whole log: $log" >&2
	exit 1
fi
"$work/bin/influxd" version >&2
mv "$work/bin/influxd" "$program"
echo "$program"
