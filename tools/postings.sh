#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Prints the table in STATUS.md of the postings: what can be taken alone, by whom, what it fixes.
# --check compares STATUS.md with it, --write puts it there.
. "$(dirname -- "$0")/lib.sh"

USAGE="tools/postings.sh [--check|--write]   (from series/\$BASE/postings; see tools/alone.sh -h)"
case $#${1:-} in
0|1--check|1--write) ;;
*)	usage "$USAGE" ;;
esac
list=$SERIES/postings
[ -f "$list" ] || die "series/$BASE/postings is missing"
temp_dir tmp
diff <(sed -e '/^#/d' -e '/^[[:space:]]*$/d' -e 's/[[:space:]]*|.*//' "$list") <(series_topics) >&2 ||
	die "series/$BASE/postings does not have the folders of series/$BASE/series in their order"
{
	echo "| posting | patches | fixes of the base | taken by | needs | what it fixes |"
	echo "|---|---|---|---|---|---|"
	while IFS='|' read -r t tree needs what _; do
		read -r t <<<"$t"; read -r tree <<<"$tree"; read -r needs <<<"$needs"; read -r what <<<"$what"
		[ "$needs" != - ] || needs="nothing"
		[ "${what#- }" = "$what" ] || what=$(sed 's/^- (\(.*\))$/\1/' <<<"$what")
		n=$(series_patches | grep -c "^$t/")
		fixes=$(series_patches | grep "^$t/" | while read -r p; do
			sed '/^---$/q' "$SERIES/$p" | grep -l '^Fixes: ' >/dev/null && echo x || :; done | wc -l)
		echo "| $t | $n | $fixes | $tree | $needs | $what |"
	done < <(sed -e '/^#/d' -e '/^[[:space:]]*$/d' "$list")
} >"$tmp/table"

status_table "$tmp/table" "the table of postings" "${1:-}"
