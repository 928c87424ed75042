#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tests of all bases are one text: compares what this series adds to its tests
# with what the first series, drm-misc-next, adds to them, and allows only what
# series/$BASE/test-differences lists, with a reason in the line before. Its line
# "before: TOPIC" or "before: TOPIC/NUMBER" leaves out that topic or patch of the first
# series, and those behind it, and "only: PATH" a file of this series that the first one
# cannot have.
. "$(dirname -- "$0")/lib.sh"

USAGE="tools/test-text.sh [--print|--write]
  --print  what differs
  --write  put that into test-differences; a line between two of the same reason takes
           that, and what else is new is listed as FIXME, which is no reason"
print='' write=''
case ${1:-} in
--print) print=yes; shift ;;
--write) write=yes; shift ;;
esac
[ $# -eq 0 ] || usage "$USAGE"
first=drm-misc-next
if [ "$BASE" = $first ]; then
	say "series/$BASE has the first text of the tests"
	exit 0
fi

lock_build
"$TOP/tools/tree.sh"
temp_dir tmp
if ! env -u LIFETIME_LOCKED -u KERNEL_SRC BASE=$first "$TOP/tools/tree.sh" 2>"$tmp/err"; then
	# Its own checks may run at the same time; then its tree is there already.
	sums=$(sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$TOP/series/$first/series" |
		while read -r p; do sha256sum <"$TOP/series/$first/$p" | cut -d' ' -f1; done)
	grep -q 'another run is at work' "$tmp/err" &&
	[ "$sums" = "$(sed -n 's/^patch \([0-9a-f]*\) .*/\1/p' "$BUILD_DIR/$first/linux/.git/series-state" 2>/dev/null)" ] || {
		cat "$tmp/err" >&2
		exit 1
	}
fi

list=$SERIES/test-differences
[ -f "$list" ] || { : >"$tmp/none"; list=$tmp/none; }
end=series
before=$(sed -n 's/^before: //p' "$list")
if [ -n "$before" ]; then
	n=$(grep -v '^#' "$TOP/series/$first/series" | grep -n -m 1 "^$before[/-]" | cut -d: -f1) || :
	[ "${n:-1}" -gt 1 ] || die "test-differences of $BASE: $first has no $before with a patch before it"
	end=$(kgit -C "$BUILD_DIR/$first/linux" rev-list --reverse base..series | sed -n "$((n - 1))p")
fi

# text BASE REV: the changed lines of the tests that this series has, "PATH:+LINE" or
# "PATH:-LINE", and of files that this series does not have only "PATH".
mapfile -t paths < <(sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' -e 's/^/:(glob)/' "$SERIES/tests"
	sed -n 's/^only: /:(exclude)/p' "$list")
while read -r p; do
	kgit -C "$TREE" cat-file -e "series:$p" 2>/dev/null ||
		die "test-differences of $BASE: only: $p, but the series has no such file"
	! kgit -C "$BUILD_DIR/$first/linux" cat-file -e "$end:$p" 2>/dev/null ||
		die "test-differences of $BASE: only: $p, but $first has it too"
done < <(sed -n 's/^only: //p' "$list")
kgit -C "$TREE" ls-tree -r --name-only series >"$tmp/files"
text() {
	kgit -C "$BUILD_DIR/$1/linux" diff --no-color --no-ext-diff -U0 base "$2" -- "${paths[@]}" |
		awk -v files="$tmp/files" '
		     BEGIN { while ((getline f <files) > 0) have[f] = 1 }
		     /^diff --git / { head = 1 }
		     head && /^\+\+\+ b\// { path = substr($0, 7); if (!(path in have)) print path }
		     /^@@ / { head = 0; next }
		     !head && path in have { print path ":" $0 }'
}
text $first "$end" >"$tmp/first"
text "$BASE" series >"$tmp/this"
diff "$tmp/first" "$tmp/this" | grep '^[<>]' >"$tmp/differ" || :
[ -s "$tmp/this" ] || die "series/$BASE changes no test"
if [ -n "$print" ]; then
	cat "$tmp/differ"
	exit 0
fi

if [ -n "$write" ]; then
	python3 - "$list" "$tmp/differ" >"$tmp/new" <<'PY'
import difflib, sys
head, old, reason_of = [], [], []
for block in open(sys.argv[1]).read().strip("\n").split("\n\n"):
    lines = block.split("\n")
    differ = [line for line in lines if line[0] in "<>"]
    reason = "\n".join(line for line in lines if line[0] not in "<>")
    if not differ:
        head.append(block)
    old += differ
    reason_of += [reason] * len(differ)
new = open(sys.argv[2]).read().splitlines()
reasons = [None] * len(new)
matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
for a, b, n in matcher.get_matching_blocks():
    reasons[b:b + n] = reason_of[a:a + n]
file = lambda line: line.split(":")[0].split(" ")[1]
before = None		# the last line that was listed, and its reason
for i, line in enumerate(new):
    if reasons[i]:
        before = file(line), reasons[i]
        continue
    after = next(((file(l), r) for l, r in zip(new[i:], reasons[i:]) if r), None)
    same = before and before == after and before[0] == file(line)
    reasons[i] = before[1] if same else "FIXME"
print("\n\n".join(head))
last = None
for line, reason in zip(new, reasons):
    if reason != last:
        print("\n" + reason)
        last = reason
    print(line)
PY
	[ "$list" = "$SERIES/test-differences" ] || list=$SERIES/test-differences
	cp -- "$tmp/new" "$list"
	say "$(grep -cx FIXME "$list" || :) groups in series/$BASE/test-differences have no reason yet, see FIXME"
	exit 0
fi

awk -v name="series/$BASE/test-differences" '
	/^#/ || /^before: / { reason = 1; next }
	/^only: / && reason { next }
	/^[[:space:]]*$/ { reason = 0; next }
	!reason { print name ":" NR ": no reason in the line before"; bad = 1; exit }
	END { exit bad }' "$list" || exit 1
if ! diff <(grep '^[<>]' "$list") "$tmp/differ" >"$tmp/out"; then
	sed 's/^</listed, but not so (any more): /; s/^>/differs and is not listed: /' "$tmp/out" |
		grep -E '^(listed|differs)' | head -n 12
	die "the tests of $BASE and $first differ in more or less than $list says; change one text, or list it with a reason (tools/test-text.sh --print)"
fi
say "the same text, but for $(wc -l <"$tmp/differ") lines that are listed with a reason"
