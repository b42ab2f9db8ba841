#!/usr/bin/env bash
# Installs the servers and tools that the tests and the demo need, as root with
# apt-get, and influxd into .tools/bin; prints what it can't install.
set -euo pipefail
tools=$1 influxd=$2
shift 2
missing=0

fail() { echo "missing: $*" >&2; missing=1; }

need_go=1.26
have_go=$(go env GOVERSION 2>/dev/null | sed 's/^go//') || true
if [ -z "$have_go" ] || [ "$(printf '%s\n%s\n' "$need_go" "$have_go" | sort -V | head -n1)" != "$need_go" ]; then
	fail "Go >= $need_go (found: ${have_go:-none})"
fi
command -v gcc >/dev/null || fail "gcc, for race detection: apt-get install gcc libc6-dev"

have_node=$(node --version 2>/dev/null | sed 's/^v//') || true
if [ -z "$have_node" ] || [ "${have_node%%.*}" -lt 20 ] || ! command -v npm >/dev/null; then
	fail "Node.js >= 20 with npm, for the screens (found: ${have_node:-none})"
fi

want=()
for bin in mosquitto mosquitto_sub chromium socat mbpoll strace mkfs.ext4 gpsbabel nginx caddy swtpm pdfinfo \
	fish zsh debootstrap dpkg-deb lintian rpm qemu-arm-static prometheus promtool \
	systemd-nspawn udevadm cage Xwayland Xvfb xdotool xkbcomp; do
	PATH="$PATH:/usr/sbin:/sbin" command -v "$bin" >/dev/null || want=("$@")
done
[ -e /usr/share/bash-completion/bash_completion ] || want=("$@")
# Peers of the tests, in Debian's own Python; not a part of the product.
/usr/bin/python3 -c "import pip, pymodbus, serial_asyncio" 2>/dev/null || want=("$@")
[ -e /usr/share/doc/fonts-noto-cjk ] || [ -n "$(fc-list :lang=zh-cn 2>/dev/null | head -n1)" ] || want=("$@")
if [ ${#want[@]} -gt 0 ]; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "installing ${want[*]}"
		log=$(mktemp)
		if ! { apt-get update -qq &&
			DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${want[@]}"; } >"$log" 2>&1; then
			tail -n 5 "$log" >&2
			fail "${want[*]}: apt-get install ${want[*]}"
		fi
	else
		fail "${want[*]}: sudo apt-get install ${want[*]}"
	fi
fi

if ! [ -x "$tools/influxd" ]; then
	mkdir -p "$tools"
	echo "building influxd (a minute or two, once)"
	# From another folder, so that this module's versions do not apply.
	if ! (cd / && GOBIN="$tools" GOFLAGS=-mod=mod CGO_ENABLED=0 go install "$influxd"); then
		fail "influxd: GOBIN=$tools go install $influxd"
	fi
fi

# The library of the Compose Specification, which reads deploy/compose.yaml.
if ! [ -x "$tools/compose-spec" ]; then
	spec=github.com/compose-spec/compose-go/v2/cmd@v2.16.2
	if (cd / && GOBIN="$tools/compose" GOFLAGS=-mod=mod CGO_ENABLED=0 go install "$spec") >/dev/null; then
		mv "$tools/compose/cmd" "$tools/compose-spec"
		rmdir "$tools/compose"
	else
		fail "compose-spec: go install $spec"
	fi
fi

# Peers that Debian does not have, by the pinned lists of deploy/peers, in
# .tools/peers: node_modules, and python for PYTHONPATH.
lists=$(cd "$(dirname "$0")/peers" && pwd) peers=$(dirname "$tools")/peers
if ! cat "$lists"/package-lock.json "$lists"/requirements.txt | cmp -s - "$peers/.made"; then
	echo "installing peers of the tests into $peers"
	rm -rf "$peers"
	mkdir -p "$peers"
	cp "$lists"/package.json "$lists"/package-lock.json "$peers"
	log=$(mktemp)
	if (cd "$peers" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$log" 2>&1 &&
		/usr/bin/python3 -m pip install -q --no-deps --only-binary :all: --root-user-action ignore \
			--target "$peers/python" -r "$lists/requirements.txt" >>"$log" 2>&1; then
		cat "$lists"/package-lock.json "$lists"/requirements.txt >"$peers/.made"
	else
		tail -n 5 "$log" >&2
		fail "peers of the tests, by the lists in $lists: run make tools again"
	fi
fi
exit $missing
