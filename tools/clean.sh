#!/bin/bash
# Removes what was built in build/$BASE, but neither the download nor the kernels of
# the base, which take long and seldom change. Refuses while its tree has something
# that is nowhere else, and in a folder that these tools did not make.
. "$(dirname -- "$0")/lib.sh"
. "$TOP/tools/lib-tree.sh"

USAGE="tools/clean.sh [--all]   (all of build/BASE)"
case $#${1:-} in
0|1--all) ;;
*)	usage "$USAGE" ;;
esac
# Every run that made something there has left its lock; lib.sh made only log and tmp.
[ -f "$BUILD/lock" ] ||
[ -z "$(find "$BUILD/" -mindepth 1 ! -path "$LOG" ! -path "$BUILD/tmp" | head -n 1)" ] ||
	die "$BUILD was not made by these tools; set BUILD_DIR to the folder that was"
lock_build
[ ! -e "$TREE" ] || untouched ||
	die "$TREE has commits, changes, branches or a stash of yours, or a git am in progress; make export, or remove it by hand"

# A tree that is only half there would be taken for the user's.
tmp=
temp_dir tmp
[ ! -e "$TREE" ] || mv -- "$TREE" "$tmp/"
if [ $# -eq 1 ]; then
	# The lock last: it is what says that the rest may be removed.
	find "$BUILD/" -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf -- {} +
	rm -rf -- "$BUILD"
	exit 0
fi
find "$BUILD/" -mindepth 1 -maxdepth 1 ! -name lock ! -name source ! -name kernel -exec rm -rf -- {} +
[ ! -d "$KERNELS" ] ||
	find "$KERNELS/" -mindepth 1 -maxdepth 1 ! -name '*-base' -exec rm -rf -- {} +
