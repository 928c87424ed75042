#!/bin/bash
# Removes build/$BASE. Refuses while its tree has something that is nowhere else.
. "$(dirname -- "$0")/lib.sh"

[ $# -eq 0 ] || usage "tools/clean.sh"
lock_build
if [ -d "$TREE" ]; then
	[ "$(kgit -C "$TREE" rev-parse HEAD)" = "$(sed -n 's/^head //p' "$TREE/.git/series-state" 2>/dev/null)" ] &&
	[ -z "$(kgit -C "$TREE" status --porcelain | head -n 1)" ] &&
	[ "$(kgit -C "$TREE" for-each-ref --format='%(refname)' refs/heads)" = refs/heads/series ] ||
		die "$TREE has commits, changes or branches of yours; make export, or remove it by hand"
fi
rm -rf -- "$BUILD"
