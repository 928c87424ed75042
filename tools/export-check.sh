#!/bin/bash
# Exports the series from a tree that nobody touched into a copy of the project
# and compares: every byte must be as it was.
. "$(dirname -- "$0")/lib.sh"

[ $# -eq 0 ] || usage "tools/export-check.sh"
lock_build
"$TOP/tools/tree.sh"
before=$(cd "$SERIES" && find . -type f -exec sha256sum {} + | sort -k 2)
"$TOP/tools/export.sh" --to "$LOG/export"
after=$(cd "$LOG/export" && find . -type f -exec sha256sum {} + | sort -k 2)
diff <(printf '%s\n' "$before") <(printf '%s\n' "$after") ||
	die "make export would change series/$BASE; run it, and commit what it writes"
say "make export changes nothing"
