#!/usr/bin/env bash
# Makes the packages of this computer from programs that are built already, for tests: the same
# as those of the release, without notices and SBOM.
# usage: quick.sh OUT VERSION TOOLS PROGRAMS HOST [FORMAT…]    both folders have gatehouse and simulator
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$1 version=$2 tools=$3 programs=$4 host=$5
shift 5
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/bin"
cp "$programs/gatehouse" "$programs/simulator" "$tree/bin"
git ls-files -z LICENSE '*.md' 'deploy/*.yaml' 'deploy/*.csv' deploy/nginx.conf deploy/Caddyfile |
	xargs -0 cp --parents -t "$tree"
deploy/package/package.sh "$out" "$version" "$tools" "$(dpkg --print-architecture)" "$tree" "$host" "${@:-deb}"
