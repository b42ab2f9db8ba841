#!/usr/bin/env bash
# Builds what is released, into FOLDER: for each kind of computer an archive with the programs
# in bin, the texts and example files where README.md names them, the licences, the texts of
# others' licences and the SBOMs; the packages for Debian and Fedora; the manual as pages and PDFs; and SHA256SUMS.
# The same commit gives the same bytes, wherever it is built; the PDFs, where Chromium and its fonts are the same, too.
# usage: dist.sh FOLDER VERSION RELEASE_GO TOOLS
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$1 version=$2 tools=$4
export GOTOOLCHAIN=$3 CGO_ENABLED=0 GOFLAGS=-buildvcs=false LC_ALL=C TZ=UTC
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
chromium=${CHROMIUM:-/usr/bin/chromium}
if ! [ -x "$chromium" ] || [ -z "$(fc-list :lang=zh-cn 2>/dev/null | head -n1)" ]; then
	echo "missing: $chromium and a Chinese font, for the manual: make tools" >&2
	exit 1
fi

rm -rf "$out"
mkdir -p "$out/host"
for program in gatehouse:gateway simulator:simulator; do # they write the manual pages
	deploy/supply/program.sh "$out/host/${program%:*}" "$version" "./${program#*:}"
done

# pack FOLDER: FOLDER.tar.gz of a folder in $out.
pack() {
	tar -C "$out" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
		--mode=u=rwX,go=rX -c "$1" | gzip -9n >"$out/$1.tar.gz"
}

echo "printing the manual"
manual=gatehouse-$version-manual
node gateway/web/manuals.mjs "$out/$manual"
pack "$manual"
for target in linux/amd64 linux/arm64 linux/arm/7; do
	IFS=/ read -r GOOS GOARCH GOARM <<<"$target"
	name=gatehouse-$version-$GOOS-$GOARCH${GOARM:+v$GOARM}
	mkdir -p "$out/$name/bin"
	echo "building $name"
	for program in gatehouse:gateway simulator:simulator; do
		binary=$out/$name/bin/${program%:*} source=./${program#*:} texts=$out/$name/${program%:*}
		GOOS=$GOOS GOARCH=$GOARCH GOARM=$GOARM deploy/supply/program.sh "$binary" "$version" "$source"
		node deploy/supply/sbom.mjs "$tools" "$binary" "$version" "$texts.cdx.json"
		node deploy/supply/licences.mjs notices "$source" >"$texts.NOTICES.txt"
	done
	git ls-files -z LICENSE '*.md' 'deploy/*.yaml' 'deploy/*.csv' deploy/nginx.conf deploy/Caddyfile |
		xargs -0 cp --parents -t "$out/$name"
	pack "$name"
	cp -r "$out/$manual/html" "$out/$name/manual"
	deploy/package/package.sh "$out" "$version" "$tools" "$GOARCH${GOARM:-}" "$out/$name" "$out/host" deb rpm
	cp "$out/$name/gatehouse.cdx.json" "$out/$name.cdx.json"
	rm -r "${out:?}/$name"
done
rm -r "$out/host" "${out:?}/$manual"
(cd "$out" && sha256sum -- *.tar.gz *.cdx.json *.deb *.rpm >SHA256SUMS)
cat "$out/SHA256SUMS"
