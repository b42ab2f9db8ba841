#!/usr/bin/env bash
# Builds the release of the last commit in two folders, the second time with nothing of
# the first: from its own clone, with its own screens and its own cache. Fails when a byte differs.
# usage: twice.sh VERSION RELEASE_GO TOOLS
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$1 toolchain=$2 tools=$(cd "$3" && pwd)
git diff --quiet HEAD || { echo "commit first: the second build is of the last commit" >&2; exit 1; }
other=$(mktemp -d)
trap 'chmod -R u+w "$other"; rm -rf "$other"' EXIT

deploy/supply/dist.sh bin/dist "$version" "$toolchain" "$tools"
git clone -q . "$other/a longer name of a folder"
cd "$other/a longer name of a folder"
make --no-print-directory ui
GOCACHE=$other/cache deploy/supply/dist.sh bin/dist "$version" "$toolchain" "$tools"
cmp bin/dist/SHA256SUMS "$OLDPWD/bin/dist/SHA256SUMS"
echo "both builds are the same, byte by byte"
