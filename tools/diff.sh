#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Shows what changed in the series since another commit of the project.
. "$(dirname -- "$0")/lib.sh"

[ $# = 0 ] && [ -n "${OLD:-}" ] || usage 'OLD=COMMIT [TOPIC=FOLDER] diff.sh

Prints git range-diff of the patches that COMMIT of this project has in series/$BASE (or
in its FOLDER) and of those that are there now, for the notes of a new version. Both have
to apply to the same base.'

lock_build
"$TOP/tools/tree.sh"
old=$(git -C "$TOP" rev-parse -q --verify "$OLD^{commit}") || die "OLD=$OLD is not a commit of this project"
temp_dir tmp
git -C "$TOP" archive "$old" "series/$BASE" 2>/dev/null | tar -xf - -C "$tmp" ||
	die "OLD=$OLD has no series/$BASE"
dir=$tmp/series/$BASE
base=$(rev_commit base)

# Only in an index: no work tree has to be written.
export GIT_INDEX_FILE=$tmp/index
export GIT_AUTHOR_NAME=$GIT_COMMITTER_NAME GIT_AUTHOR_EMAIL=$GIT_COMMITTER_EMAIL
export GIT_AUTHOR_DATE="2000-01-01T00:00:00Z" GIT_COMMITTER_DATE="2000-01-01T00:00:00Z"
kgit -C "$TREE" read-tree "$base"
commit=$base
while read -r p; do
	kgit mailinfo "$tmp/message" "$tmp/patch" <"$dir/$p" >"$tmp/info"
	kgit -C "$TREE" apply --cached --whitespace=nowarn "$tmp/patch" 2>"$tmp/err" ||
		die "$p of $OLD does not apply to the base of today: $(head -n 1 "$tmp/err")"
	commit=$({ sed -n 's/^Subject: //p' "$tmp/info"; echo; cat "$tmp/message"; } |
		kgit -C "$TREE" commit-tree "$(kgit -C "$TREE" write-tree)" -p "$commit")
	echo "$p $commit"
done < <(sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$dir/series") >"$tmp/old"
unset GIT_INDEX_FILE

# range LIST-OF-PATCHES-AND-COMMITS: those of TOPIC, which follow each other.
range() {
	awk -v topic="${TOPIC:-}" -v base="$base" '
		BEGIN { before = base }
		topic == "" || index($1, topic "/") == 1 { if (first == "") first = before; last = $2 }
		{ before = $2 }
		END { if (last != "") print first ".." last }' "$1"
}
paste -d' ' <(series_patches) <(kgit -C "$TREE" rev-list --reverse base..series) >"$tmp/new"
was=$(range "$tmp/old") is=$(range "$tmp/new")
[ -n "$was$is" ] || die "TOPIC=${TOPIC:-} has no patches, then or now"
kgit -C "$TREE" range-diff --no-color --creation-factor=80 "${was:-$base..$base}" "${is:-$base..$base}" |
	grep -v '^ *[0-9]*:  [0-9a-f]* = ' || say "no patch changed"
