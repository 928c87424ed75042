#!/bin/bash
# Runs the coccinelle rules of the series (scripts/coccinelle/dma-buf) over all
# of drivers/ and include/ that mentions fences. What they find in the series'
# tree must be what series/$BASE/burn-down lists, one place a line:
#   RULE FILE: CODE
# A place that is not listed is new; a line whose place is gone has to go too.
# Lines that begin with a tab are what is known of the place above. A rule with
# "Confidence: Low" finds what has to be read; its places need such a line.
# Before that, each rule has to find what is marked in tools/cocci/RULE.c, and with
# MODE=patch has to change the files of the base that series/$BASE/cocci-patched lists as the
# series did by hand.
#
# Reads: the tree's revision REV (default series) through the worktree for
# builds. Writes: with --write the list, otherwise nothing.
. "$(dirname -- "$0")/lib.sh"

USAGE="tools/static-cocci.sh [--write] [base|series|NUMBER]"
write=
if [ "${1:-}" = --write ]; then write=yes; shift; fi
[ $# -le 1 ] || usage "$USAGE"
rev=${1:-series}
case $rev in base|series) ;; *[!0-9]*|'') usage "$USAGE" ;; esac
[ -z "$write" ] || [ "$rev" = series ] || die "the list is that of the series, not of $rev"

command -v spatch >/dev/null || die "spatch is missing; install coccinelle"
lock_build
[ -d "$TREE" ] || "$TOP/tools/tree.sh"
temp_dir tmp
checkout_work "$rev"
rules=scripts/coccinelle/dma-buf
# The base has no rules yet: its places are found with those of the series.
kgit -C "$TREE" archive series "$rules" | tar -xf - -C "$tmp" ||
	die "the series has no $rules; run make tree"

# spatch_report RULE-FILE < files, one a line: "FILE:LINE:COL-COL: MESSAGE".
spatch_report() {
	local options
	options=$(sed -n 's,^// Options:,,p' "$1")
	sed 's/$/\n/' >"$tmp/groups"
	# shellcheck disable=SC2086
	spatch -D report --very-quiet --no-show-diff --cocci-file "$1" $options \
		--no-scanner --file-groups "$tmp/groups" --jobs "$(nproc)" \
		>"$tmp/out" 2>"$tmp/err" </dev/null || {
		cat "$tmp/err" >&2
		! grep -q 'find the Python library' "$tmp/err" ||
			die "spatch needs Python's library; install libpython3-dev"
		die "spatch failed on $(basename "$1")"
	}
	if grep -v '^[[:space:]]*$' "$tmp/err" >&2; then
		die "spatch complains about $(basename "$1")"
	fi
	sort -u "$tmp/out"
}

# --- do the rules find what they are for? ---------------------------------------
for rule in "$tmp/$rules"/*.cocci; do
	name=$(basename "$rule" .cocci)
	example=$TOP/tools/cocci/$name.c
	[ -f "$example" ] || die "no tools/cocci/$name.c; write down what the rule $name has to find and what not"
	cp -- "$example" "$tmp/$name.c"
	grep -n '/\* found \*/' "$tmp/$name.c" | cut -d: -f1 | sort >"$tmp/want"
	echo "$tmp/$name.c" | spatch_report "$rule" >"$tmp/found"
	sed -n 's/^[^:]*:\([0-9]*\):.*/\1/p' "$tmp/found" | sort -u >"$tmp/got"
	[ -s "$tmp/want" ] || die "tools/cocci/$name.c marks nothing as /* found */"
	cmp -s "$tmp/want" "$tmp/got" ||
		die "rule $name, tools/cocci/$name.c: not found in line $(comm -23 "$tmp/want" "$tmp/got" | xargs), wrongly found in line $(comm -13 "$tmp/want" "$tmp/got" | xargs)"
done

# --- do they change what the series has changed? ---------------------------------
# lines + < diff -U0: the lines that begin with + (or -), with single blanks.
lines() { sed -n "s/^[$1]//p" | tr -s ' \t' ' ' | sed 's/^ //; s/ $//' | grep . || :; }
changed=0
: >"$tmp/patched"
[ ! -f "$SERIES/cocci-patched" ] || grep -v '^#' "$SERIES/cocci-patched" >"$tmp/patched"
while read -r name file; do
	[ "$rev" = series ] || break
	rule=$tmp/$rules/$name.cocci
	grep -qx 'virtual patch' "$rule" || die "series/$BASE/cocci-patched: the rule $name has no MODE=patch"
	kgit -C "$TREE" show "base:$file" >"$tmp/before.c"
	cp "$tmp/before.c" "$tmp/after.c"
	# shellcheck disable=SC2046
	spatch -D patch --very-quiet --no-show-diff --in-place --cocci-file "$rule" \
		$(sed -n 's,^// Options:,,p' "$rule") "$tmp/after.c" >"$tmp/out" 2>&1 </dev/null ||
		die "spatch failed on $name with MODE=patch: $(head -n 1 "$tmp/out")"
	diff -U0 "$tmp/before.c" "$tmp/after.c" | sed 1,2d >"$tmp/diff" || :
	[ -s "$tmp/diff" ] || die "rule $name changes nothing in $file of the base"
	kgit -C "$TREE" show "series:$file" | tr -s ' \t\n' ' ' >"$tmp/text"
	while IFS= read -r line; do
		grep -qF -- "$line" "$tmp/text" || die "rule $name, $file: the series does not have '$line'"
	done < <(lines + <"$tmp/diff")
	while IFS= read -r line; do
		! grep -qF -- "$line" "$tmp/text" || die "rule $name, $file: the series still has '$line'"
	done < <(lines - <"$tmp/diff")
	changed=$((changed + 1))
done <"$tmp/patched"
[ $changed = 0 ] || say "  MODE=patch: $changed files as in the series"

# --- what is there --------------------------------------------------------------
cd "$WORK"
kgit grep -lwF dma_fence -- 'drivers/*.[ch]' 'include/*.[ch]' | sort >"$tmp/files"
for rule in "$tmp/$rules"/*.cocci; do
	name=$(basename "$rule" .cocci)
	start=$SECONDS
	# A file with none of the rule's keywords has nothing for it.
	sed -n 's,^// Keywords:,,p' "$rule" | tr -s ', ' '\n' | grep . >"$tmp/words"
	xargs -d '\n' grep -lwF -f "$tmp/words" -- <"$tmp/files" >"$tmp/some" || :
	: >"$tmp/found"
	[ ! -s "$tmp/some" ] || spatch_report "$rule" <"$tmp/some" >"$tmp/found"
	while IFS=: read -r file line _; do
		printf '%s %s: %s\n' "$name" "$file" "$(sed -n "${line}{s/^[[:space:]]*//;s/[[:space:]]*\$//;s/[[:space:]][[:space:]]*/ /g;p;}" -- "$file")"
	done <"$tmp/found"
	say "  $name: $(wc -l <"$tmp/found") places in $(wc -l <"$tmp/some") files, $((SECONDS - start)) s"
done | sort >"$tmp/now"

list=$SERIES/burn-down
if [ "$rev" != series ]; then
	cat "$tmp/now"
	exit 0
fi
if [ -n "$write" ]; then
	# What is known of a place that is still there is kept.
	awk 'NR == FNR { if (/^\t/) known[place] = known[place] $0 "\n"; else place = $0; next }
	     { printf "%s\n%s", $0, known[$0]; delete known[$0] }' \
		<(cat -- "$list" 2>/dev/null; echo) "$tmp/now" >"$list.new"
	mv "$list.new" "$list"
	say "$(wc -l <"$tmp/now") places are in series/$BASE/burn-down"
	exit 0
fi
[ -f "$list" ] || die "no series/$BASE/burn-down; make it with tools/static-cocci.sh --write"
{ grep -v '^	' "$list" || :; } | sort >"$tmp/listed"
comm -13 "$tmp/listed" "$tmp/now" >"$tmp/new"
comm -23 "$tmp/listed" "$tmp/now" >"$tmp/gone"
rc=0
if [ -s "$tmp/new" ]; then
	sed 's/^/new:  /' "$tmp/new"
	say "$(wc -l <"$tmp/new") places that are not in series/$BASE/burn-down; fix them"
	rc=1
fi
if [ -s "$tmp/gone" ]; then
	sed 's/^/gone: /' "$tmp/gone"
	say "$(wc -l <"$tmp/gone") places are fixed; take their lines out of series/$BASE/burn-down"
	rc=1
fi
for rule in $(grep -l '^// Confidence: Low' "$tmp/$rules"/*.cocci); do
	awk -v rule="$(basename "$rule" .cocci)" '
		place != "" && !/^\t/ { print "unread: " place; bad = 1 }
		{ place = $1 == rule && !/^\t/ ? $0 : "" }
		END { if (place != "") { print "unread: " place; bad = 1 }; exit bad }' "$list" || rc=1
done
[ $rc -eq 0 ] || exit 1
echo "$(wc -l <"$tmp/now") places left, all listed"
