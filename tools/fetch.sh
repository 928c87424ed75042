#!/bin/bash
# Downloads one package of a Debian suite without touching the system's apt:
# the mirror is the machine's own, sources list and state folders are private.
# The archive's signature is checked by apt. Prints the version it got. "tar" is a
# source package's upstream tarball alone. More packages, of kind "deb" only, are taken in
# their newest version.
. "$(dirname -- "$0")/lib.sh"

USAGE="tools/fetch.sh deb|deb-src|tar SUITE PACKAGE VERSION FOLDER [PACKAGE...]"
[ $# -eq 5 ] || { [ $# -gt 5 ] && [ "$1" = deb ]; } || usage "$USAGE"
kind=$1 suite=$2 package=$3 version=$4 out=$5
shift 5
case $kind in deb|deb-src|tar) ;; *) usage "$USAGE" ;; esac

command -v apt-get >/dev/null ||
	die "there is no apt here to fetch $package with; for the kernel use KERNEL_SRC=, for a tool install it"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || die "$keyring is missing; install debian-archive-keyring"

# The machine's mirror that serves this suite: the security archive has the
# suites named *-security, the main archive all others. With lists that were
# never updated apt can still say which addresses it would ask.
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
case $suite in
*-security)	like="$codename-security" ;;
*)		like=$codename ;;
esac
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 2>/dev/null |
	awk -v r="$like" '$1 == r { print $2; exit }')
[ -n "$mirror" ] || mirror=$(apt-get update --print-uris 2>/dev/null |
	sed -n "s,^'\(.*/\)dists/$like/InRelease'.*,\1,p" | head -n 1)
[ -n "$mirror" ] ||
	die "the machine's apt names no mirror that has $like; use KERNEL_SRC=/path/to/a/kernel"

temp_dir tmp
mkdir -p "$tmp/lists/partial" "$tmp/cache/archives/partial" "$tmp/out"
echo "${kind/#tar/deb-src} [signed-by=$keyring] $mirror $suite main contrib" >"$tmp/sources.list"
apt=(-q -o "Dir::Etc::sourcelist=$tmp/sources.list" -o Dir::Etc::sourceparts=/dev/null
     -o "Dir::State::lists=$tmp/lists" -o "Dir::Cache=$tmp/cache"
     -o APT::Sandbox::User=root -o Acquire::Languages=none
     -o Acquire::Retries=2 -o Acquire::http::Timeout=30)
get() { (cd "$tmp/out" && apt-get "${apt[@]}" "$@" </dev/null); }

if ! get -o APT::Update::Error-Mode=any update >"$LOG/fetch-$package.log" 2>&1; then
	die "cannot read the package list of $suite ($(grep -m 1 '^E: ' "$LOG/fetch-$package.log" | cut -c 4-)); no network? log: $LOG/fetch-$package.log"
fi
case $kind in
deb)	have=$(get -o Dir::State::status=/dev/null --print-uris download "$package" 2>/dev/null | wc -l) || :
	fetch=(download) ;;
deb-src) have=$(get --print-uris source --download-only "$package" 2>/dev/null | wc -l) || :
	fetch=(source --download-only) ;;
tar)	have=$(get --print-uris source --tar-only "$package" 2>/dev/null | wc -l) || :
	fetch=(source --download-only --tar-only) ;;
esac
[ "$have" -gt 0 ] || die "the package $package is gone from $suite"
if ! get "${fetch[@]}" "$package=$version" >>"$LOG/fetch-$package.log" 2>&1; then
	rm -rf "$tmp/out"; mkdir "$tmp/out"
	get "${fetch[@]}" "$package" >>"$LOG/fetch-$package.log" 2>&1 ||
		die "cannot download $package from $suite; log: $LOG/fetch-$package.log"
	say "note: $package $version is gone from $suite; took the newest of that package instead"
fi
if [ $# -gt 0 ]; then
	get download "$@" >>"$LOG/fetch-$package.log" 2>&1 ||
		die "cannot download $* from $suite; log: $LOG/fetch-$package.log"
fi
mkdir -p -- "$out"
mv -- "$tmp"/out/* "$out"/
case $kind in
deb)	dpkg-deb -f "$out/$package"_*.deb Version ;;
deb-src) sed -n 's/^Version: //p' "$out/$package"_*.dsc | head -n 1 ;;
tar)	basename -- "$(ls "$out/$package"_*.orig.tar.*)" | sed "s/^${package}_\(.*\)\.orig\.tar\..*/\1/" ;;
esac
