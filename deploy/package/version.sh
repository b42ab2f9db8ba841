#!/usr/bin/env bash
# Prints the version of a commit, as programs and packages have it: 1.2.3 for the tag v1.2.3, 1.2.3~rc1
# for v1.2.3-rc1, else the last tag (or 0), the commit's time (UTC) and its name, so that dpkg and rpm take a
# later commit for a later version: 0+20261128.065134.g977d5742. Changes without a commit add .dirty.
# usage: version.sh [COMMIT]
set -euo pipefail
cd "$(dirname "$0")/../.."
commit=${1:-HEAD}
git rev-parse --quiet --verify "$commit^{commit}" >/dev/null 2>&1 || { echo dev; exit 0; }
tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*' "$commit" 2>/dev/null || echo v0)
version=${tag#v}
version=${version/-/\~}
if ! git tag --points-at "$commit" | grep -qxF -- "$tag"; then
	version=$version+$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y%m%d.%H%M%S "$commit").g$(git rev-parse --short=8 "$commit")
fi
[ $# -gt 0 ] || git diff --quiet HEAD -- || version=$version.dirty
echo "${version//-/.}"
