#!/usr/bin/env bash
# Makes the packages of one kind of computer from a folder with programs and texts, laid out as an
# archive of the release (bin/gatehouse, bin/simulator, README.md, deploy/…). HOST is a folder with both
# programs for this computer, which write their manual pages and completions. The same input and
# SOURCE_DATE_EPOCH give the same bytes.
# usage: package.sh OUT VERSION TOOLS ARCH RELEASE HOST FORMAT…    ARCH: amd64, arm64 or arm7; FORMAT: deb, rpm
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p "$1"
out=$(realpath "$1") version=$2 nfpm=$(realpath "$3")/bin/nfpm arch=$4 tree=$5 host=$6
shift 6
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
case $version in [0-9]*) ;; *) version=0~$version ;; esac
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

# manual PACKAGE PROGRAM: the pages of its commands, and completions.
manual() {
	local usr=$stage/$1/usr
	install -d "$usr/share/man/man1" "$usr/share/bash-completion/completions" "$usr/share/zsh/vendor-completions" \
		"$usr/share/fish/vendor_completions.d"
	install -D "$host/$2" "$stage/host/$1"
	"$stage/host/$1" docs --format man --dir "$usr/share/man/man1"
	gzip -9n "$usr"/share/man/man1/*.1
	"$stage/host/$1" completion bash >"$usr/share/bash-completion/completions/$1"
	"$stage/host/$1" completion zsh >"$usr/share/zsh/vendor-completions/_$1"
	"$stage/host/$1" completion fish >"$usr/share/fish/vendor_completions.d/$1.fish"
}

# papers PACKAGE [PROGRAM]: what each package says of itself.
papers() {
	local doc=$stage/$1/usr/share/doc/$1 name
	install -Dm644 deploy/package/copyright "$doc/copyright"
	printf '%s (%s) stable; urgency=medium\n\n  * CHANGELOG.md.gz of the package gatehouse says what is new.\n\n -- %s  %s\n' \
		"$1" "$version" 'gatehouse <noreply@gatehouse.invalid>' "$(date -R -d "@$SOURCE_DATE_EPOCH")" |
		gzip -9n >"$doc/changelog.gz"
	for name in NOTICES.txt cdx.json; do
		[ $# -lt 2 ] || ! [ -e "$tree/$2.$name" ] || gzip -9nc "$tree/$2.$name" >"$doc/$1.$name.gz"
	done
	if [ -e "deploy/package/$1.lintian" ]; then
		install -Dm644 "deploy/package/$1.lintian" "$stage/$1/usr/share/lintian/overrides/$1"
	fi
}

# scripts PACKAGE FOLDERS USER GROUPS: those that dpkg and rpm run.
scripts() {
	local units
	units=$(cd "$stage/$1/usr/lib/systemd/system" && printf '%s ' * | sed 's/ $//')
	mkdir -p "$stage/$1.scripts"
	for name in postinst prerm postrm; do
		sed -e "s|@PACKAGE@|$1|g; s|@UNITS@|$units|; s|@FOLDERS@|$2|; s|@USER@|$3|; s|@GROUPS@|$4|" \
			"deploy/package/scripts/$name" >"$stage/$1.scripts/$name"
	done
}

# put PACKAGE FILE TO: a file as it is, readable by everybody.
put() { install -Dm644 "$2" "$stage/$1/$3"; }

install -D "$tree/bin/gatehouse" "$stage/gatehouse/usr/bin/gatehouse"
install -D "$tree/bin/simulator" "$stage/gatehouse-simulator/usr/bin/gatehouse-simulator"
manual gatehouse gatehouse
manual gatehouse-simulator simulator
papers gatehouse gatehouse
papers gatehouse-kiosk
papers gatehouse-simulator simulator
doc=$stage/gatehouse/usr/share/doc/gatehouse
cp -r "$tree/README.md" "$tree/deploy" "$doc/"
rm -rf "$doc/deploy/commands" "$doc/deploy/manual" # the manual pages, and manual/, say it
if [ -d "$tree/manual" ]; then cp -r "$tree/manual" "$doc/"; fi
gzip -9nc "$tree/CHANGELOG.md" >"$doc/CHANGELOG.md.gz"

# The services and what belongs to them, by the names of the files.
for file in deploy/systemd/* deploy/udev/*; do
	name=$(basename "$file")
	case $name in gatehouse-kiosk*) package=gatehouse-kiosk ;; *) package=gatehouse ;; esac
	case $name in
	*.service | *.timer | *.path | *.socket) put $package "$file" "usr/lib/systemd/system/$name" ;;
	*.default) put $package "$file" "etc/default/${name%.default}" ;;
	*.sysusers) put $package "$file" "usr/lib/sysusers.d/${name%.sysusers}.conf" ;;
	*.tmpfiles) put $package "$file" "usr/lib/tmpfiles.d/${name%.tmpfiles}.conf" ;;
	*.modules-load) put $package "$file" "usr/lib/modules-load.d/${name%.modules-load}.conf" ;;
	*.rules) put $package "$file" "usr/lib/udev/rules.d/$name" ;;
	*.pam) put $package "$file" "etc/pam.d/${name%.pam}" ;;
	*) echo "package.sh does not know where $file belongs" >&2 && exit 1 ;;
	esac
done
scripts gatehouse "/etc/gatehouse /var/lib/gatehouse /var/lib/gatehouse-upgrade /run/gatehouse" gatehouse "i2c gpio tss"
put gatehouse-kiosk deploy/kiosk/waiting.html usr/share/gatehouse/kiosk/waiting.html
put gatehouse-kiosk deploy/kiosk/xkb/rules/gatehouse usr/share/gatehouse/kiosk/xkb/rules/gatehouse
put gatehouse-kiosk deploy/kiosk/xkb/symbols/gatehouse usr/share/gatehouse/kiosk/xkb/symbols/gatehouse
put gatehouse-kiosk deploy/kiosk/policy.json etc/chromium/policies/managed/gatehouse.json
install -D deploy/kiosk/gatehouse-kiosk "$stage/gatehouse-kiosk/usr/libexec/gatehouse/gatehouse-kiosk"
scripts gatehouse-kiosk "" gatehouse-kiosk ""

find "$stage" -exec touch --no-dereference -d "@$SOURCE_DATE_EPOCH" {} +
export VERSION=$version ARCH=$arch
for package in gatehouse gatehouse-kiosk gatehouse-simulator; do
	for format; do
		RELEASE=
		if [ "$format" = rpm ]; then RELEASE=1; fi
		export RELEASE
		sed "s|\${TIME}|$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)|" "deploy/package/$package.yaml" >"$stage/$package.yaml"
		said=$(cd "$stage" && "$nfpm" package --config "$package.yaml" --packager "$format" --target "$out/" 2>&1) ||
			{ echo "$package.$format: $said" >&2 && exit 1; }
	done
done
