#!/bin/bash
# checkpatch --strict on every patch of the series: nothing may be left but the
# missing sign-off, which only the person who posts can give, and what
# series/$BASE/checkpatch-allowed gives a reason for, one a line:
#   FOLDER/NAME TYPE reason      (NAME: the patch's file without number and .patch)
# Also: no trailers that only other people can give, and text of 75 columns.
#
# Reads series/$BASE and the tree's scripts/, writes nothing.
. "$(dirname -- "$0")/lib.sh"

[ $# -eq 0 ] || usage "tools/static-checkpatch.sh"
[ -d "$TREE" ] || "$TOP/tools/tree.sh"
temp_dir tmp
cd "$TREE"
allowed=$SERIES/checkpatch-allowed
: >"$tmp/allowed"
[ ! -f "$allowed" ] || sed -e '/^#/d' -e '/^[[:space:]]*$/d' "$allowed" >"$tmp/allowed"
if grep -vE '^[^ ]+/[^ ]+ [A-Z_0-9]+ [^ ]' "$tmp/allowed"; then
	die "series/$BASE/checkpatch-allowed: the lines above are not FOLDER/NAME TYPE reason"
fi

# --- checkpatch -----------------------------------------------------------------
# For each file of a patch checkpatch has get_maintainer.pl read all of MAINTAINERS, to
# see whether the file is obsolete: three quarters of its time. Once for all of them
# does; where there is no get_maintainer.pl checkpatch leaves it out.
mkdir -p "$tmp/root/scripts"
ln -s "$TREE"/* "$tmp/root/" 2>/dev/null || :
ln -s "$TREE"/scripts/* "$tmp/root/scripts/"
rm "$tmp/root/scripts/get_maintainer.pl"
kgit -C "$TREE" diff --name-only --diff-filter=d base series >"$tmp/touched"
xargs -d '\n' perl scripts/get_maintainer.pl --status --nom --nol --nogit --nogit-fallback -f <"$tmp/touched" >"$tmp/status"
[ -s "$tmp/status" ] || die "scripts/get_maintainer.pl says nothing of the files of the series"

# Without python3-ply its SPDX check says so on stderr and nothing else is lost.
export root=$tmp/root
check_one() {
	local out rc=0
	# The tree has no history in which it could look up the commit of a Fixes: line.
	out=$(perl scripts/checkpatch.pl --root="$root" --strict --max-line-length=100 --terse --show-types \
		--ignore UNKNOWN_COMMIT_ID --no-summary -- "$SERIES/$1" 2>/dev/null) || rc=$?
	# A patch without sign-off gives one finding for certain, if checkpatch runs.
	grep -q ':MISSING_SIGN_OFF:' <<<"$out" || grep -q '^Signed-off-by:' -- "$SERIES/$1" || { echo "$1: checkpatch did not run (exit $rc)"; return; }
	grep -v ':MISSING_SIGN_OFF:' <<<"$out" | sed "s,^.*\.patch:,$1:," || :
}
export -f check_one
series_patches >"$tmp/patches"
[ -s "$tmp/patches" ] || die "series/$BASE/series names no patch"
xargs -d '\n' -P "$(nproc)" -I{} bash -c 'check_one {}' <"$tmp/patches" | sort -V >"$tmp/found"

: >"$tmp/used"
bad=0
if grep -i obsolete "$tmp/status"; then
	echo "a file of the series is obsolete, see MAINTAINERS"
	bad=1
fi
while IFS= read -r line; do
	patch=${line%%:*}
	type=$(sed -n 's/^[^:]*:[0-9]*: [A-Z]*:\([A-Z_0-9]*\):.*/\1/p' <<<"$line")
	key="$(dirname "$patch")/$(basename "$patch" .patch | sed 's/^[0-9]*-//') ${type:-NONE} "
	if grep -qF -- "$key" "$tmp/allowed"; then
		grep -F -- "$key" "$tmp/allowed" >>"$tmp/used"
		continue
	fi
	echo "$line"
	bad=$((bad + 1))
done <"$tmp/found"
while IFS= read -r line; do
	grep -qxF -- "$line" "$tmp/used" && continue
	echo "series/$BASE/checkpatch-allowed: nothing to allow any more: $line"
	bad=$((bad + 1))
done <"$tmp/allowed"

# --- the messages -----------------------------------------------------------------
# Head and text end at the line "---"; in a cover letter the shortlog and the
# diffstat, which git makes, are not looked at.
messages=0
for file in "$SERIES"/*/*.patch; do
	messages=$((messages + 1))
	awk -v file="${file#"$SERIES/"}" '
		/^(---|-- |diff --git .*)$/ { exit }
		/^$/ { text = 1 }
		!text { if (/^Subject:/) subject = $0; next }
		/^(Signed-off-by|Reviewed-by|Acked-by|Tested-by|Co-developed-by):/ {
			printf "%s: %s only the person who signs can say\n", file, $1; next }
		/^(Fixes|Link|Closes): / || / \| +([0-9]+|Bin)/ || !/[^ \t].*[ \t]/ { next }
		{ line = $0; while (match(line, /\t/)) {
			pad = 8 - (RSTART - 1) % 8
			line = substr(line, 1, RSTART - 1) sprintf("%*s", pad, "") substr(line, RSTART + 1) }
		  if (length(line) > 75) printf "%s: more than 75 columns: %s\n", file, $0 }
		END { if (subject !~ /: [^ ]/ || subject !~ /^Subject: (\[[^]]*\] )?[^ ]+.*: ?./)
			printf "%s: no \"subsystem: what it does\" in the subject\n", file }
		' "$file"
done >"$tmp/messages"
cat "$tmp/messages"
bad=$((bad + $(wc -l <"$tmp/messages")))

[ $bad -eq 0 ] || die "$bad findings; fix the patch, or give the reason in series/$BASE/checkpatch-allowed"
echo "$(wc -l <"$tmp/patches") patches, $messages messages, $(wc -l <"$tmp/allowed") findings allowed"
