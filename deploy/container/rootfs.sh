#!/usr/bin/env bash
# Makes the folder of the container image: rootfs.sh PROGRAM [FOLDER]. PROGRAM is a static gatehouse (make build),
# FOLDER is rootfs beside this script.
set -euo pipefail
program=${1:?usage: rootfs.sh PROGRAM [FOLDER]}
root=${2:-$(cd "$(dirname "$0")" && pwd)/rootfs}
if readelf -l "$program" | grep -q INTERP; then
	echo "$program is not static: build it with CGO_ENABLED=0" >&2
	exit 1
fi
authorities=
for f in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
	[ -e "$f" ] && authorities=$f && break
done
[ -n "$authorities" ] || { echo "no authorities' certificates here: install ca-certificates" >&2; exit 1; }
rm -rf "$root"
install -d -m 0755 "$root"/{etc/ssl/certs,usr/bin,gatehouse/data}
install -d -m 1777 "$root/tmp"
install -m 0755 "$program" "$root/usr/bin/gatehouse"
install -m 0644 "$authorities" "$root/etc/ssl/certs/ca-certificates.crt"
echo 'gatehouse:x:10001:10001:gatehouse:/gatehouse:/usr/bin/false' >"$root/etc/passwd"
echo 'gatehouse:x:10001:' >"$root/etc/group"
if [ "$(id -u)" = 0 ]; then chown -R 10001:10001 "$root/gatehouse"; fi
echo "$root"
