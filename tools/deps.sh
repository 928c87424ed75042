#!/bin/bash
# Installs with apt what is missing. With DEPS=no, and on a system that is not Debian,
# it only says which commands and headers are missing: what needs them fails later.
. "$(dirname -- "$0")/lib.sh"

USAGE="tools/deps.sh tree|build|debian|demo|check   (DEPS=no only looks)"
[ $# -eq 1 ] || usage "$USAGE"

# What each job calls that a minimal Debian 12 does not have: the package, and after "="
# the command or header in it, if that has another name; "-": neither.
tree="git xz-utils=xz tar ca-certificates=- debian-archive-keyring=- python3 util-linux=flock"
build="$tree make gcc libc6-dev=stdio.h flex bison bc libelf-dev=gelf.h libssl-dev=openssl/opensslv.h
	perl cpio kmod=depmod rsync diffutils=cmp findutils=find"
debian="quilt dpkg-dev=dpkg-source debhelper=dh"
demo="$build qemu-system-x86=qemu-system-x86_64 busybox-static=busybox"
check="$demo $debian coccinelle=spatch libpython3-dev=-"
# Only for files that x86 cannot compile.
[ ! -f "$TOP/kconfig/drivers-arm64" ] || check="$check gcc-aarch64-linux-gnu=aarch64-linux-gnu-gcc"
# Good to have, not needed: compiling again after a switch of revisions is quick with it.
wanted="ccache"

case $1 in
tree)	need=$tree ;;
build)	need="$build $wanted" ;;
debian)	need="$build $debian $wanted" ;;
demo)	need="$demo $wanted" ;;
check)	need="$check $wanted" ;;
*)	usage "$USAGE" ;;
esac

if [ "${DEPS:-}" = no ] || ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	there() {
		case $1 in
		-)	return 0 ;;
		*.h)	! command -v gcc >/dev/null || gcc -E -x c - <<<"#include <$1>" >/dev/null 2>&1 ;;
		*)	command -v "$1" >/dev/null ;;
		esac
	}
	missing=
	for p in $need; do
		there "${p#*=}" || missing="$missing, ${p#*=}"
	done
	[ -z "$missing" ] ||
		say "note: not found: ${missing#, }; what needs them will fail"
	exit 0
fi

missing=
for p in $need; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "${p%%=*}" 2>/dev/null)" = installed ] ||
		missing="$missing ${p%%=*}"
done
missing=${missing# }
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null ||
		die "missing packages: $missing; not root and no sudo: install them as root, or use DEPS=no"
	sudo=sudo
fi
say "installing with apt${sudo:+ (through sudo)}: $missing"
# shellcheck disable=SC2086
install() {
	$sudo env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -q --no-install-recommends $missing
}
update() { $sudo apt-get update -q; }
both() { update && install; }
logged deps both ||
	die "apt could not install: $missing; see the log, check the network, or install them by hand and use DEPS=no"
