#!/bin/bash
# Exports the series from a tree that nobody touched into a folder of its own and
# compares: every byte must be as it was.
. "$(dirname -- "$0")/lib.sh"

[ $# -eq 0 ] || usage "tools/export-check.sh"
lock_build
"$TOP/tools/tree.sh"
tmp=
temp_dir tmp
"$TOP/tools/export.sh" --to "$tmp/series"
diff -r -- "$SERIES" "$tmp/series" ||
	die "make export would change series/$BASE; run it, and commit what it writes"
say "make export changes nothing"
