# Sourced by every script of tools/: where things are, how to speak, how to stop.
# shellcheck shell=bash
#
#   TOP     the project                     BASE    which series (series/$BASE)
#   SERIES  $TOP/series/$BASE               BUILD   $BUILD_DIR/$BASE, all that is made
#   TREE    $BUILD/linux, the git tree      WORK    $BUILD/work, its worktree for builds
#   LOG     $BUILD/log                      KERNELS $BUILD/kernel
#
# BUILD_DIR (default $TOP/build) moves what is made elsewhere.

set -eu -o pipefail
export LC_ALL=C

TOP=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
BASE=${BASE:-drm-misc-next}
BUILD_DIR=${BUILD_DIR:-$TOP/build}
SELF=$(basename -- "$0")

say()  { printf '%s\n' "$*" >&2; }
die()  { printf '%s: %s\n' "$SELF" "$*" >&2; exit 1; }

# usage "text": print it and leave, for -h and for wrong arguments.
usage() { printf 'usage: %s\n' "$1" >&2; exit 2; }

case $BASE in
*[!A-Za-z0-9._-]*|''|.*) die "BASE=$BASE is no name of a series; there are: $(cd "$TOP/series" && echo *)" ;;
esac
[ -f "$TOP/series/$BASE/base" ] ||
	die "BASE=$BASE is unknown; there are: $(cd "$TOP/series" && echo *)"
mkdir -p -- "$BUILD_DIR" 2>/dev/null ||
	die "cannot make the build folder '$BUILD_DIR'; set BUILD_DIR to a folder that you may write to"
BUILD_DIR=$(cd -- "$BUILD_DIR" && pwd -P)
case $BUILD_DIR in
*[[:space:]:]*) die "kbuild cannot build in '$BUILD_DIR' (a space or a colon in the path); set BUILD_DIR=/another/folder" ;;
esac

SERIES=$TOP/series/$BASE
BUILD=$BUILD_DIR/$BASE
TREE=$BUILD/linux
WORK=$BUILD/work
LOG=$BUILD/log
KERNELS=$BUILD/kernel
export TOP BASE BUILD_DIR SERIES BUILD TREE WORK LOG KERNELS
mkdir -p -- "$LOG" "$BUILD/tmp"

# The tools' git: the user's configuration (hooks, signing, diff options) must
# not change what is made. tools/mail.sh alone asks for the user's identity.
kgit() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_TERMINAL_PROMPT=0 \
	git -c gc.auto=0 -c maintenance.auto=false -c advice.detachedHead=false \
	    -c core.hooksPath=/dev/null "$@"
}
export GIT_COMMITTER_NAME="dma-fence lifetime series"
export GIT_COMMITTER_EMAIL="dma-fence-lifetime@localhost"
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

# One run at a time in a build folder. The lock is held until the last child
# that inherited it is gone, so a leftover compiler keeps a second run away too.
lock_build() {
	[ -z "${LIFETIME_LOCKED:-}" ] || return 0
	exec 9>"$BUILD/lock"
	flock -n 9 || die "another run is at work in $BUILD; wait for it or set BUILD_DIR=/another/folder"
	export LIFETIME_LOCKED=$BUILD
}

# Temporary names, removed on every way out. Ctrl-C ends the children (they are
# in the terminal's process group, or are ended here) and leaves with 130.
TEMPS=()
temp_dir() {	# temp_dir VARIABLE
	printf -v "$1" '%s' "$(mktemp -d "$BUILD/tmp/XXXXXX")"
	TEMPS+=("${!1}")
}
at_exit() {
	local rc=$?
	trap - EXIT INT TERM HUP
	local pids
	pids=$(jobs -p)
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null || :
	wait 2>/dev/null || :
	[ ${#TEMPS[@]} -eq 0 ] || rm -rf -- "${TEMPS[@]}"
	exit "$rc"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# logged NAME COMMAND...: run with all output in $LOG/NAME.log, show that it
# lives, and on failure name the log and its last lines. LAST holds a filter
# that picks the line shown as progress (default: the last one).
logged() {
	local name=$1 log start pid rc=0
	shift
	log=$LOG/$name.log
	mkdir -p -- "$(dirname -- "$log")"
	start=$SECONDS
	if [ -t 2 ] && [ -z "${CI:-}" ]; then
		"$@" >"$log" 2>&1 </dev/null &
		pid=$!
		while kill -0 "$pid" 2>/dev/null; do
			printf '\r\033[K  %s  %ds  %s' "$name" $((SECONDS - start)) \
				"$(tail -n 1 -- "$log" | tr -d '\r\033' | cut -c 1-50)" >&2
			sleep 1
		done
		wait "$pid" || rc=$?
		printf '\r\033[K' >&2
	else
		say "  $name …"
		"$@" >"$log" 2>&1 </dev/null &
		pid=$!
		local next=$((SECONDS + 60))
		while kill -0 "$pid" 2>/dev/null; do
			sleep 0.2
			if [ "$SECONDS" -ge "$next" ]; then
				say "  $name … $((SECONDS - start)) s: $(tail -n 1 -- "$log" | cut -c 1-70)"
				next=$((SECONDS + 60))
			fi
		done
		wait "$pid" || rc=$?
	fi
	if [ "$rc" -ne 0 ]; then
		tail -n 5 -- "$log" >&2
		say "$SELF: $name failed (exit $rc); log: $log"
		return "$rc"
	fi
	say "  $name: $((SECONDS - start)) s"
}

# base_field NAME: a field of series/$BASE/base ("name: value" lines).
base_field() {
	sed -n "s/^$1:[[:space:]]*//p" -- "$SERIES/base" | head -n 1
}

# series_patches: the patches of the series in order, comments left out.
series_patches() {
	[ -f "$SERIES/series" ] || die "series/$BASE/series is missing"
	sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' -- "$SERIES/series"
}

# The topics, in order.
series_topics() { series_patches | sed 's,/.*,,' | awk '!seen[$0]++'; }

# rev_commit REV: the commit of base, series, tests or a patch's number.
rev_commit() {
	case $1 in
	base)	kgit -C "$TREE" rev-parse -q --verify 'refs/tags/base^{commit}' ;;
	series)	kgit -C "$TREE" rev-parse -q --verify 'refs/heads/series^{commit}' ;;
	tests)	kgit -C "$TREE" rev-parse -q --verify 'refs/series/tests^{commit}' ;;
	*[!0-9]*|'') return 1 ;;
	0)	rev_commit base ;;
	*)	kgit -C "$TREE" rev-list --reverse base..series | sed -n "${1}p" | grep . ;;
	esac
}

# checkout_work REV: put that revision into the worktree that is built from.
# git rewrites only the files that differ, so builds stay incremental.
checkout_work() {
	local commit
	commit=$(rev_commit "$1") || die "no revision '$1'; say base, tests, series or a patch's number"
	if [ ! -e "$WORK/.git" ]; then
		kgit -C "$TREE" worktree prune
		rm -rf -- "$WORK"
		logged checkout kgit -C "$TREE" worktree add -f --detach "$WORK" "$commit"
	fi
	if [ "$(kgit -C "$WORK" rev-parse HEAD)" != "$commit" ] ||
	   ! kgit -C "$WORK" diff --quiet HEAD --; then
		rm -f -- "$TREE/.git/worktrees/work/index.lock"
		kgit -C "$WORK" checkout -q -f --detach "$commit"
	fi
	# shellcheck disable=SC2034
	SOURCE=$WORK
}
