#!/bin/bash
# Names the Debian packages that are missing and installs them with apt.
. "$(dirname -- "$0")/lib.sh"

USAGE="tools/deps.sh tree|build|debian|demo|check   (DEPS=no only checks)"
[ $# -eq 1 ] || usage "$USAGE"

# What each job calls that a minimal Debian 12 does not have.
tree="git xz-utils tar ca-certificates debian-archive-keyring python3 util-linux"
build="$tree make gcc libc6-dev flex bison bc libelf-dev libssl-dev perl cpio kmod rsync diffutils findutils"
debian="quilt dpkg-dev debhelper"
demo="$build qemu-system-x86 busybox-static"
check="$demo $debian coccinelle libpython3-dev"
# Only for files that x86 cannot compile.
[ ! -f "$TOP/kconfig/drivers-arm64" ] || check="$check gcc-aarch64-linux-gnu"
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

command -v dpkg-query >/dev/null ||
	die "this is not a Debian system; install the equivalents of: $need"

missing=
for p in $need; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] ||
		missing="$missing $p"
done
missing=${missing# }
[ -n "$missing" ] || exit 0

if [ "${DEPS:-}" = no ]; then
	[ "$missing" = ccache ] && { say "note: ccache is not installed; builds take longer"; exit 0; }
	die "missing packages: $missing; install them, or leave out DEPS=no"
fi

sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null ||
		die "missing packages: $missing; not root and no sudo: install them as root"
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
