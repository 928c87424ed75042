#!/bin/bash
# Writes the commits of build/$BASE/linux back to series/$BASE/: patches, numbered
# in each topic's folder, and the file `series`. Byte-identical when nothing
# changed. Cover letters and comments stay as they are.
#
# The topic of a commit: that of the patch with the same subject, or else with the
# same change; a new one goes to TOPIC, or without it to the topic of the commit
# before it. The patches of a topic are neighbours (git rebase -i to sort them).
#
# After make tree has stopped at a patch that did not apply, the rest is applied first.
. "$(dirname -- "$0")/lib.sh"
. "$TOP/tools/lib-tree.sh"

USAGE="[TOPIC=folder] tools/export.sh [--to FOLDER]   (writes to FOLDER, which is new or empty, instead)"
to=
case $#${1:-} in
0)	;;
2--to)	to=$2 ;;
*)	usage "$USAGE" ;;
esac
TOPIC=${TOPIC:-}
case $TOPIC in *[!a-z0-9-]*|-*) die "TOPIC=$TOPIC: a topic is a folder name of a-z, 0-9 and -" ;; esac
if [ -n "$to" ] && [ -e "$to" ]; then
	[ -d "$to" ] && [ -z "$(ls -A -- "$to")" ] ||
		die "--to $to is there and not empty; give a new folder"
elif [ -n "$to" ]; then
	[ -d "$(dirname -- "$to")" ] || die "--to $to cannot be made: there is no folder $(dirname -- "$to")"
fi
lock_build

[ -f "$STATE" ] || die "no tree in $TREE; make tree first"
not_in_progress
[ "$(kgit -C "$TREE" symbolic-ref -q --short HEAD || :)" = series ] ||
	die "$TREE is not on its branch series; git checkout series there first"
if [ -n "$(state_field pending)$(state_field moving)" ]; then
	"$TOP/tools/tree.sh" --continue || exit 1
fi
! dirty ||
	die "$TREE has uncommitted changes; commit or undo them first"
kgit -C "$TREE" merge-base --is-ancestor base HEAD ||
	die "the commits of $TREE do not start at the tag base; git rebase them onto base"
[ -z "$(kgit -C "$TREE" rev-list --merges base..HEAD | head -n 1)" ] ||
	die "$TREE has a merge; git rebase to make it one line of commits"
while IFS= read -r f; do
	grep -qxF -- "$f" <(series_patches) ||
		die "series/$BASE/$f is not in series/$BASE/series; name it there or move it away"
done < <(cd "$SERIES" && find . -name '*.patch' ! -name 0000-cover-letter.patch | sed 's,^\./,,')
head=$(tree_head)
mapfile -t commits < <(kgit -C "$TREE" rev-list --reverse base..HEAD)

# If series/ was edited since the tree was made, writing would undo that edit.
[ "$(series_patches | while read -r p; do sha256sum <"$SERIES/$p" 2>/dev/null | cut -d' ' -f1; done)" \
  = "$(state_sums)" ] || {
	[ -z "$(state_field mended)" ] ||
		die "series/$BASE changed after its patches were applied, and the tree has what you resolved; undo the change (git diff series/$BASE), make export, then change it"
	[ "$head" != "$(state_field head)" ] ||
		die "series/$BASE changed and the tree did not; make tree is what you want"
	die "both series/$BASE and the tree changed; undo one (git checkout series/$BASE, or in the tree git reset --hard $(state_field head | cut -c1-12))"
}

# --- the topic of each commit ---------------------------------------------------
unwrap_subject() {	# the subject of a patch file, as git reads it
	kgit mailinfo /dev/null /dev/null <"$1" | sed -n 's/^Subject: //p'
}
change_id() { kgit patch-id --stable | cut -d' ' -f1; }

declare -A by_subject=() by_change=() remarks=()
comment=
while IFS= read -r line; do
	case $line in
	'#'*|'')	comment+=$line$'\n'; continue ;;
	esac
	p=${line%%[[:space:]]*#*}
	t=${p%%/*}
	by_subject[$(unwrap_subject "$SERIES/$p")]=$t
	by_change[$(change_id <"$SERIES/$p")]=$t
	if [ -n "$comment" ]; then
		remarks[$t]+=$comment
		comment=
	fi
done <"$SERIES/series"
tail_remark=$comment

topics=() 
previous=
for c in "${commits[@]}"; do
	subject=$(kgit -C "$TREE" log -1 --format=%s "$c")
	t=${by_subject[$subject]:-}
	[ -n "$t" ] || t=${by_change[$(kgit -C "$TREE" show "$c" | change_id)]:-}
	if [ -z "$t" ]; then
		t=${TOPIC:-$previous}
		[ -n "$t" ] || t=$(series_topics | head -n 1)
		[ -n "$t" ] || die "no topic for \"$subject\"; say TOPIC=folder"
		say "new in $t: $subject"
	fi
	topics+=("$t")
	previous=$t
done
order=$([ ${#topics[@]} -eq 0 ] || printf '%s\n' "${topics[@]}" | awk '!seen[$0]++')
split=$([ ${#topics[@]} -eq 0 ] || printf '%s\n' "${topics[@]}" | uniq | sort | uniq -d | tr '\n' ' ')
[ -z "$split" ] ||
	die "the commits of topic ${split% } are not neighbours; sort them with git rebase -i base in $TREE, or choose another TOPIC="

# --- write beside series/, in a temporary name -----------------------------------
temp_dir tmp
new=$tmp/series
mkdir "$new"
for t in $order; do
	mkdir "$new/$t"
done
# All that is no patch of the list stays: covers, base, tests, notes.
while IFS= read -r f; do
	mkdir -p "$new/$(dirname -- "$f")"
	cp -p -- "$SERIES/$f" "$new/$f"
done < <(cd "$SERIES" && find . -type f ! -name series ! -name '000[1-9]-*.patch' \
	! -name '00[1-9][0-9]-*.patch' | sed 's,^\./,,' | sort)

declare -A number=()
: >"$new/series"
sums=
mapping=
for ((i = 0; i < ${#commits[@]}; i++)); do
	c=${commits[$i]} t=${topics[$i]}
	n=$((${number[$t]:-0} + 1))
	number[$t]=$n
	if [ $n -eq 1 ]; then printf '%s' "${remarks[$t]:-}" >>"$new/series"; fi
	file=$(kgit -C "$TREE" format-patch -1 "$c" -o "$new/$t" --start-number $n -N \
		--zero-commit --no-signature --no-cover-letter --no-base --no-thread \
		--no-attach --no-encode-email-headers --abbrev=12 --stat=72 --summary \
		--diff-algorithm=histogram --no-notes --no-ext-diff --no-textconv \
		--src-prefix=a/ --dst-prefix=b/)
	echo "$t/$(basename -- "$file")" >>"$new/series"
	mapping+="patch $(sha256sum <"$file" | cut -d' ' -f1) $c"$'\n'
done
printf '%s' "$tail_remark" >>"$new/series"

# --- read it back: the same trees, messages and authors ---------------------------
export GIT_INDEX_FILE=$tmp/index
kgit -C "$TREE" read-tree base
i=0
while IFS= read -r p; do
	case $p in '#'*|'') continue ;; esac
	c=${commits[$i]}
	kgit -C "$TREE" apply --cached --whitespace=nowarn "$new/$p" 2>"$LOG/export.log" &&
	[ "$(kgit -C "$TREE" write-tree)" = "$(kgit -C "$TREE" rev-parse "$c^{tree}")" ] ||
		die "the patch of ${c:0:12} does not reproduce the commit; nothing was written; log: $LOG/export.log"
	kgit mailinfo --no-scissors --encoding=UTF-8 "$tmp/body" /dev/null <"$new/$p" >"$tmp/info"
	{ sed -n 's/^Subject: //p' "$tmp/info"; echo; cat "$tmp/body"; } | kgit stripspace >"$tmp/read"
	kgit -C "$TREE" log -1 --format=%B "$c" | sed '/^---$/,$d' | kgit stripspace >"$tmp/wrote"
	cmp -s "$tmp/read" "$tmp/wrote" ||
		die "the message of ${c:0:12} would not survive as a patch (a subject over several lines, or a line like \"diff --git\" in the text); reword it; nothing was written"
	author=$(sed -n 's/^Author: //p' "$tmp/info")\ \<$(sed -n 's/^Email: //p' "$tmp/info")\>
	[ "$author" = "$(kgit -C "$TREE" log -1 --format='%an <%ae>' "$c")" ] ||
		die "the author of ${c:0:12} would not survive as a patch; nothing was written"
	i=$((i + 1))
done <"$new/series"
unset GIT_INDEX_FILE
[ $i -eq ${#commits[@]} ] || die "$i patches for ${#commits[@]} commits; nothing was written"

if [ -n "$to" ]; then
	mv -T -- "$new" "$to"
	exit 0
fi

# --- exchange ---------------------------------------------------------------------
if diff -rq "$new" "$SERIES" >/dev/null 2>&1; then
	say "series/$BASE is up to date: ${#commits[@]} patches"
else
	# Same file system, so each step is one rename; the old one goes last.
	hold=$TOP/series/.$BASE.new
	old=$TOP/series/.$BASE.old
	rm -rf "$hold" "$old"
	cp -Rp "$new" "$hold"
	sync -f "$hold" 2>/dev/null || :
	trap '' INT TERM HUP
	mv "$SERIES" "$old"
	mv "$hold" "$SERIES" || { mv "$old" "$SERIES"; die "cannot write series/$BASE"; }
	rm -rf "$old"
	say "series/$BASE: ${#commits[@]} patches written"
fi
{
	grep '^source ' "$STATE"
	printf '%s' "$mapping"
	echo "head $head"
} >"$STATE.new"
mv "$STATE.new" "$STATE"
