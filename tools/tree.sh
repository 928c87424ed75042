#!/bin/bash
# Makes build/$BASE/linux from the Debian package (or KERNEL_SRC) and the
# patches of series/$BASE: tag `base`, branch `series` with one commit per patch.
# Does nothing when that is there. Reads series/, writes build/ only.
#
# KERNEL_SRC is a tarball, a git tree (its HEAD) or tree:revision. It is remembered in
# this build folder until another is given; KERNEL_SRC=package forgets it.
#
# Stops at a patch that does not apply, with its `git am` in progress in
# build/$BASE/linux. Once that is finished, another run goes on after it.
. "$(dirname -- "$0")/lib.sh"
. "$TOP/tools/lib-tree.sh"

USAGE="[KERNEL_SRC=git-tree[:revision]|tarball|package] tools/tree.sh [--continue]   (only goes on with the tree that is there)"
continue=
case $#${1:-} in
0)	;;
1--continue) continue=yes ;;
*)	usage "$USAGE" ;;
esac
remembered=$BUILD/kernel-src
given=${KERNEL_SRC:-}
[ -z "$continue" ] || given=
[ -z "$continue" ] || [ -f "$STATE" ] || die "no tree in $TREE; make tree first"
# A tree in which a patch did not apply goes on with its base.
goes_on=
[ ! -f "$STATE" ] || [ -n "$given" ] || [ -z "$continue$(state_field pending)" ] || goes_on=yes
KERNEL_SRC=$given
[ "$given" != package ] || KERNEL_SRC=
[ -n "$goes_on$given" ] || [ ! -f "$remembered" ] || KERNEL_SRC=$(cat -- "$remembered")
src_rev=HEAD
if [[ $KERNEL_SRC == *:* && ! -e $KERNEL_SRC ]]; then
	src_rev=${KERNEL_SRC##*:} KERNEL_SRC=${KERNEL_SRC%:*}
fi
[ -z "$KERNEL_SRC" ] || [ -f "$KERNEL_SRC" ] || [ -d "$KERNEL_SRC" ] ||
	die "KERNEL_SRC=$KERNEL_SRC does not exist; give a git tree, with :revision or without, or a tarball of a kernel; KERNEL_SRC=package takes what series/$BASE/base names"
for p in $(series_patches); do
	[ -f "$SERIES/$p" ] || die "series/$BASE/series names $p, which is not there"
done
first=$(series_patches | sed -n 1p)
lock_build
"$TOP/tools/deps.sh" tree

SRC=$BUILD/source
unset GIT_AUTHOR_DATE

need_space() {	# need_space GIGABYTES WHAT
	local free
	free=$(df -Pk -- "$BUILD" | awk 'NR == 2 { print int($4 / 1048576) }')
	[ "$free" -ge "$1" ] ||
		die "only $free GB are free for $BUILD, $2 needs $1; make room or set BUILD_DIR=/another/folder"
}

# --- where the base comes from: a key that names it, without unpacking -------
package=$(base_field package) suite=$(base_field suite)
version=$(base_field version) sha=$(base_field sha256)
if [ -n "$KERNEL_SRC" ]; then
	if [ -f "$KERNEL_SRC" ]; then
		src_sum=$(sha256sum <"$KERNEL_SRC" | cut -d' ' -f1)
		key="tarball sha256 $src_sum"
	else
		src_git() { kgit -c safe.directory='*' -C "$KERNEL_SRC" "$@"; }
		src_git rev-parse -q --verify HEAD >/dev/null 2>&1 ||
			die "KERNEL_SRC=$KERNEL_SRC is not a git tree with a commit; give a git tree or a tarball"
		src_tree=$(src_git rev-parse -q --verify "$src_rev^{tree}" 2>/dev/null) ||
			die "KERNEL_SRC=$KERNEL_SRC has no revision $src_rev"
		[ "$(src_git rev-parse --is-bare-repository)" = true ] ||
		[ "$(cd -- "$KERNEL_SRC" && pwd -P)" = "$(src_git rev-parse --show-toplevel)" ] ||
			die "KERNEL_SRC=$KERNEL_SRC is a folder inside another git tree; give the top of a kernel tree"
		key="git tree $src_tree"
	fi
else
	key="$package sha256 $sha"
	# A newer package that stood in for the recorded one.
	substitute=$SRC/substitute-for-${sha:0:12}
	[ ! -f "$substitute" ] || key=$(cat "$substitute")
fi
[ -z "$goes_on" ] || key=$(state_field source)

# --- the tarball of the Debian package ---------------------------------------
debian_tarball() {	# sets tarball and key
	local tmp got sum
	tarball=$SRC/$package.tar.xz
	# It may be that of another version, which series/$BASE/base named before.
	if [ -f "$tarball" ] && [ "$(sha256sum <"$tarball" | cut -d' ' -f1)" = "${key##* }" ]; then
		return 0
	fi
	say "downloading $package $version ($suite)"
	temp_dir tmp
	got=$("$TOP/tools/fetch.sh" deb "$suite" "$package" "$version" "$tmp") ||
		die "no kernel source; once the network or the package is back try again, or use KERNEL_SRC=/path/to/a/git-tree-or-tarball"
	dpkg-deb --fsys-tarfile "$tmp"/*.deb |
		tar -xf - -C "$tmp" "./usr/src/$package.tar.xz" ||
		die "$package $got holds no usr/src/$package.tar.xz; use KERNEL_SRC=/path/to/a/git-tree-or-tarball"
	sum=$(sha256sum <"$tmp/usr/src/$package.tar.xz" | cut -d' ' -f1)
	mkdir -p "$SRC"
	if [ "$got" = "$version" ]; then
		[ "$sum" = "$sha" ] ||
			die "wrong checksum: $package $got has $sum, series/$BASE/base says $sha; do not use it, find out why it differs"
		key="$package sha256 $sha"
		rm -f "$substitute"
	else
		say "note: $package $got is used instead of $version; its checksum is not recorded, so only apt's signature check vouches for it"
		key="$package $got sha256 $sum"
		echo "$key" >"$substitute"
	fi
	mv "$tmp/usr/src/$package.tar.xz" "$tarball"
}

# --- unpack into $1 and make the base commit ---------------------------------
make_base() {
	local dir=$1 tarball=
	need_space 6 "the tree"
	mkdir -p "$dir"
	if [ -z "$KERNEL_SRC" ]; then
		debian_tarball
		logged unpack tar -xf "$tarball" -C "$dir" --strip-components=1 || exit 1
	elif [ -f "$KERNEL_SRC" ]; then
		logged unpack tar -xf "$KERNEL_SRC" -C "$dir" --strip-components=1 ||
			die "KERNEL_SRC=$KERNEL_SRC cannot be unpacked as a tarball"
	else
		archive() { src_git archive --format=tar "$src_rev" | tar -xf - -C "$dir"; }
		logged unpack archive || exit 1
	fi
	if [ ! -f "$dir/drivers/dma-buf/dma-fence.c" ] || [ ! -f "$dir/Kbuild" ] ||
	   ! grep -q '^VERSION = ' "$dir/Makefile" 2>/dev/null; then
		die "${KERNEL_SRC:-$package} is not a Linux kernel with drivers/dma-buf; give another KERNEL_SRC"
	fi
	if [ -n "$first" ] && (cd "$dir" && GIT_CEILING_DIRECTORIES=$(dirname "$dir") \
	     kgit apply --reverse --check "$SERIES/$first") 2>/dev/null; then
		die "${KERNEL_SRC:-$package} already has $first; give a KERNEL_SRC without it, or take it out of series/$BASE/series"
	fi
	# Debian's tarball carries a last block in .gitignore that ignores everything.
	[ ! -f "$dir/.gitignore" ] ||
		sed -i -e '/^# Debian packaging: ignore everything/,$d' "$dir/.gitignore"

	kgit init -q -b series "$dir"
	local c
	for c in user.name="$GIT_COMMITTER_NAME" user.email="$GIT_COMMITTER_EMAIL" \
		 gc.auto=0 maintenance.auto=false index.version=4 core.untrackedCache=true \
		 commit.gpgsign=false; do
		kgit -C "$dir" config "${c%%=*}" "${c#*=}"
	done
	# One pack, lightly compressed: a third of the time of loose objects.
	logged "base commit" kgit -C "$dir" -c core.bigFileThreshold=1 -c core.compression=1 \
		add -A -f || exit 1
	GIT_AUTHOR_NAME=$GIT_COMMITTER_NAME GIT_AUTHOR_EMAIL=$GIT_COMMITTER_EMAIL \
	GIT_AUTHOR_DATE="2000-01-01T00:00:00Z" GIT_COMMITTER_DATE="2000-01-01T00:00:00Z" \
		kgit -C "$dir" commit -q --no-verify -m "base: $key"
	kgit -C "$dir" tag base
	printf 'source %s\nhead %s\n' "$key" "$(kgit -C "$dir" rev-parse HEAD)" \
		>"$dir/.git/series-state"
}

# --- one patch to one commit -------------------------------------------------
# The text below a patch's "---" (what changed since the last posting) goes into
# the commit message, with its "---" line, so that tools/export.sh can keep it.
below_cut() {
	awk '/^(diff --git|---$|[a-zA-Z])/ && !cut { if ($0 == "---") cut = 1; next }
	     !cut { next }
	     /^diff --git / || /^ [^ ].* \| +([0-9]+|Bin)/ || /^ [0-9]+ files? changed/ { exit }
	     { print }' "$1" | sed -e '/^---$/d'
}
keep_notes() {	# keep_notes TREE PATCH-FILE
	local date notes
	notes=$(below_cut "$2")
	[ -n "$notes" ] || return 0
	date=$(kgit -C "$1" log -1 --format=%aI)
	{ kgit -C "$1" log -1 --format=%B; printf -- '---\n%s\n' "$notes"; } |
		sed -e ':a' -e '/^\n*$/{$d;N;ba' -e '}' |
		GIT_COMMITTER_DATE=$date kgit -C "$1" commit -q --amend --no-verify \
			--cleanup=verbatim -F -
}
am() {	# am TREE PATCH-FILE OPTION
	kgit -C "$1" am -q "$3" --no-scissors --committer-date-is-author-date \
		--no-gpg-sign --whitespace=nowarn "$2" >"$LOG/am.log" 2>&1
}

# what_3way_needs FROM: the blobs that the patches name are copied from that
# repository, if it has them, so that git am --3way can merge on a new base.
what_3way_needs() {
	(cd "$SERIES" && series_patches |
		xargs -d '\n' -r sed -nE 's/^index ([0-9a-f]+)\.\.([0-9a-f]+).*/\1\n\2/p') |
		kgit -c safe.directory='*' -C "$1" cat-file --batch-check='%(objecttype) %(objectname)' |
		sed -n 's/^blob //p' | sort -u |
		kgit -c safe.directory='*' -C "$1" pack-objects -q --stdout |
		kgit -C "$dir" unpack-objects -q
}

# remember: where the base came from, for the runs without KERNEL_SRC.
remember() {
	case $given in
	'')	;;
	package) rm -f -- "$remembered" ;;
	*)	local src
		src=$(cd -- "$(dirname -- "$KERNEL_SRC")" && pwd -P)/$(basename -- "$KERNEL_SRC")
		[ -f "$KERNEL_SRC" ] || src=$(cd -- "$KERNEL_SRC" && pwd -P)
		[ "$src_rev" = HEAD ] || src=$src:$src_rev
		echo "$src" >"$remembered" ;;
	esac
}

# put_in_place: dir becomes TREE. A kill between the two renames leaves no tree,
# never a part of one.
put_in_place() {
	local old
	[ "$dir" != "$TREE" ] || return 0
	temp_dir old
	rm -rf -- "$WORK" "$BUILD/mutate/work"
	[ ! -e "$TREE" ] || mv -- "$TREE" "$old/"
	mv -- "$dir" "$TREE"
	dir=$TREE
}

# stop_at PATCH: leaves it to the developer, with git am in progress in TREE.
stop_at() {
	local rc=0 git=$TREE/.git notes
	put_in_place
	remember
	if (cd "$TREE" && kgit apply --reverse --check "$SERIES/$1") 2>/dev/null; then
		die "$1 is already applied: the base or an earlier patch has its change; take it out of series/$BASE/series, then make tree"
	fi
	am "$TREE" "$SERIES/$1" --3way || rc=$?
	if [ -d "$git/rebase-apply" ]; then
		notes=$(below_cut "$SERIES/$1")
		[ -z "$notes" ] || printf -- '---\n%s\n' "$notes" >>"$git/rebase-apply/final-commit"
		[ -z "$(kgit -C "$TREE" ls-files -u | head -n 1)" ] ||
			die "$1 does not apply to what is before it; in $TREE resolve the conflicts (git status), git add, git am --continue, then make export"
		die "$1 does not apply to what is before it; in $TREE try git am --show-current-patch=diff | patch -p1, resolve the rest, git add, git am --continue, then make export"
	fi
	if [ "$(tree_head)" != "$commit" ]; then
		keep_notes "$TREE" "$SERIES/$1"
		die "$1 does not apply to what is before it without a 3-way merge; look at what that made (git show in $TREE), amend it if it is wrong, then make export"
	fi
	[ $rc -ne 0 ] ||
		die "$1 is already applied: a 3-way merge finds nothing to change; take it out of series/$BASE/series, then make tree"
	die "git am cannot read $1; log: $LOG/am.log; fix the patch, then make tree"
}

sum_of_patch() { sha256sum <"$SERIES/$1" | cut -d' ' -f1; }
sums() { series_patches | while read -r p; do sum_of_patch "$p"; done; }

# finish_move: what a killed run left of its git reset --hard is completed, unless
# there is something else in the tree.
finish_move() {
	local old
	old=$(state_field moving)
	[ -n "$old" ] || return 0
	case $(tree_head) in "$old"|"$head") ;; *) false ;; esac &&
	[ -z "$(comm -z -23 \
		<(kgit -C "$TREE" status --porcelain --no-renames -uall -z | cut -zc 4- | sort -z) \
		<(kgit -C "$TREE" diff --no-renames --name-only -z "$old" "$head" | sort -z) | tr -d '\0')" ] ||
		die "make tree was killed while it wrote $TREE, and that has changed since; keep what is yours, git reset --hard $head there, then make tree"
	kgit -C "$TREE" reset -q --hard "$head"
	sed '/^moving /d' "$STATE" >"$STATE.new"
	mv -- "$STATE.new" "$STATE"
}

# --- what is there ------------------------------------------------------------
dir='' pending=''
if [ -e "$TREE" ]; then
	[ -f "$STATE" ] || die "$TREE was not made by make tree; move it away"
	rm -f "$TREE/.git/index.lock"
	not_in_progress
	[ "$(kgit -C "$TREE" symbolic-ref -q --short HEAD || :)" = series ] ||
		die "$TREE is not on its branch series; git checkout series there first"
	dir=$TREE
	head=$(state_field head) pending=$(state_field pending)
	finish_move
	now=$(tree_head)
	if [ -z "$pending" ]; then
		[ "$now" = "$head" ] && { [ -n "$continue" ] || [ -z "$(state_field mended)" ]; } ||
			die "$TREE has commits that series/$BASE does not have; make export first"
	else
		! dirty ||
			die "$TREE has uncommitted changes (git status); commit or undo them, then make export"
		kgit -C "$TREE" merge-base --is-ancestor "$head" HEAD ||
			die "$TREE has lost the commit before ${pending#* }; git rebase onto ${head:0:12} there, and change earlier commits after make export"
	fi
	if [ "$(state_field source)" != "$key" ]; then
		# The new tree will take the place of this one.
		untouched ||
			die "$TREE has commits, changes, branches or a stash of yours, and is of another base; make export, or move it away"
		dir=
	elif [ -z "$pending" ]; then
		if [ "$(sums)" != "$(state_sums)" ]; then
			! dirty ||
				die "$TREE has uncommitted changes and series/$BASE changed; commit and make export, or undo them"
		elif dirty; then
			say "note: $TREE has uncommitted changes; they are not part of this run"
		fi
	fi
fi

if [ -z "$dir" ]; then
	pending=
	temp_dir dir
	make_base "$dir"
	for from in "$TREE" ${KERNEL_SRC:+"$KERNEL_SRC"}; do
		[ ! -d "$from" ] || what_3way_needs "$from" 2>/dev/null || :
	done
fi
state=$dir/.git/series-state

# --- the patches --------------------------------------------------------------
mapfile -t want < <(series_patches)
mapfile -t have < <(grep -E '^(patch|mended) ' "$state" || :)
# What the developer committed for the patch that did not apply.
[ -z "$pending" ] || [ "$now" = "$head" ] || have+=("mended ${pending%% *} $now")
keep=0
commit=$(kgit -C "$dir" rev-parse base)
while [ $keep -lt ${#want[@]} ] && [ $keep -lt ${#have[@]} ]; do
	read -r _ sum c <<<"${have[$keep]}"
	[ "$sum" = "$(sum_of_patch "${want[$keep]}")" ] || break
	commit=$c
	keep=$((keep + 1))
done
case " ${have[*]:$keep}" in
*" mended "*)
	die "series/$BASE changed in what $TREE already has, and that has commits of yours; undo the change (git diff series/$BASE), make export, then change it" ;;
esac

lines=("${have[@]:0:$keep}")
write_state() {	# write_state [LINE...]: those too
	printf '%s\n' "source $key" "${lines[@]}" "head $commit" "$@" >"$state.new"
	mv -- "$state.new" "$state"
}
stopped=
if [ $keep -lt ${#want[@]} ] || [ $keep -lt ${#have[@]} ] || [ -n "$pending" ]; then
	if [ $keep -lt ${#want[@]} ]; then
		say "applying $((${#want[@]} - keep)) of ${#want[@]} patches"
		# In a worktree beside the tree, where git am writes only the files that
		# it changes: a kill leaves the tree as it was.
		temp_dir tmp
		kgit -C "$dir" worktree add -q --no-checkout --detach "$tmp/am" "$commit"
		kgit -C "$tmp/am" read-tree "$commit"
		for p in "${want[@]:$keep}"; do
			am "$tmp/am" "$SERIES/$p" --no-3way || { stopped=$p; break; }
			keep_notes "$tmp/am" "$SERIES/$p"
			commit=$(kgit -C "$tmp/am" rev-parse HEAD)
			lines+=("patch $(sum_of_patch "$p") $commit")
		done
		kgit -C "$dir" worktree remove --force "$tmp/am"
	fi

	pending=${stopped:+"pending $(sum_of_patch "$stopped") $stopped"}
	write_state ${pending:+"$pending"} "moving $(kgit -C "$dir" rev-parse HEAD)"
	kgit -C "$dir" reset -q --hard "$commit"
	write_state ${pending:+"$pending"}
fi
[ -z "$stopped" ] || stop_at "$stopped"

# --- the tests alone on the base ----------------------------------------------
if [ -f "$SERIES/tests" ]; then
	mapfile -t paths < <(sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$SERIES/tests" |
		sed 's/^/:(glob)/')
	temp_dir tmp
	export GIT_INDEX_FILE=$tmp/index
	kgit -C "$dir" read-tree base
	kgit -C "$dir" diff --binary --full-index base series -- "${paths[@]}" >"$tmp/diff"
	[ ! -s "$tmp/diff" ] || kgit -C "$dir" apply --cached --whitespace=nowarn "$tmp/diff"
	# What the tests need to compile there.
	[ ! -f "$SERIES/tests-on-base.diff" ] || [ ! -s "$tmp/diff" ] ||
		kgit -C "$dir" apply --cached --whitespace=nowarn "$SERIES/tests-on-base.diff" ||
		die "series/$BASE/tests-on-base.diff does not apply to the base with the tests; mend it"
	tests=$(kgit -C "$dir" write-tree)
	unset GIT_INDEX_FILE
	tests=$(echo "the tests of the series on the base" |
		GIT_AUTHOR_NAME=$GIT_COMMITTER_NAME GIT_AUTHOR_EMAIL=$GIT_COMMITTER_EMAIL \
		GIT_AUTHOR_DATE="2000-01-01T00:00:00Z" GIT_COMMITTER_DATE="2000-01-01T00:00:00Z" \
		kgit -C "$dir" commit-tree "$tests" -p base)
	kgit -C "$dir" update-ref refs/series/tests "$tests"
fi

put_in_place
remember
[ -z "$(state_field mended)" ] || [ -n "$continue" ] ||
	die "all patches are in $TREE, with what you mended; make export"
say "$TREE: ${#want[@]} patches on $(state_field source | sed 's/ sha256.*//')"
