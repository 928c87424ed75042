#!/bin/bash
# Makes build/$BASE/linux from the Debian package (or KERNEL_SRC) and the
# patches of series/$BASE: tag `base`, branch `series` with one commit a patch.
# Does nothing when that is there. Reads series/, writes build/ only.
. "$(dirname -- "$0")/lib.sh"

USAGE="[KERNEL_SRC=git-tree-or-tarball] tools/tree.sh"
[ $# -eq 0 ] || usage "$USAGE"
lock_build
"$TOP/tools/deps.sh" tree

STATE=$TREE/.git/series-state
SRC=$BUILD/source
unset GIT_AUTHOR_DATE
KERNEL_SRC=${KERNEL_SRC:-}

for p in $(series_patches); do
	[ -f "$SERIES/$p" ] || die "series/$BASE/series names $p, which is not there"
done
first=$(series_patches | sed -n 1p)

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
	elif [ -d "$KERNEL_SRC" ]; then
		src_git() { kgit -c safe.directory='*' -C "$KERNEL_SRC" "$@"; }
		src_tree=$(src_git rev-parse -q --verify 'HEAD^{tree}' 2>/dev/null) ||
			die "KERNEL_SRC=$KERNEL_SRC is no git tree with a commit; give a git tree or a tarball"
		[ "$(src_git rev-parse --is-bare-repository)" = true ] ||
		[ "$(cd -- "$KERNEL_SRC" && pwd -P)" = "$(src_git rev-parse --show-toplevel)" ] ||
			die "KERNEL_SRC=$KERNEL_SRC is a folder inside another git tree; give the top of a kernel tree"
		key="git tree $src_tree"
	else
		die "KERNEL_SRC=$KERNEL_SRC does not exist; give a git tree or a tarball of a kernel"
	fi
else
	key="$package sha256 $sha"
	# A newer package that stood in for the recorded one.
	[ ! -f "$SRC/substitute" ] || key=$(cat "$SRC/substitute")
fi

# --- the tarball of the Debian package ---------------------------------------
debian_tarball() {	# sets tarball and key
	local tmp got sum
	tarball=$SRC/$package.tar.xz
	if [ -f "$tarball" ]; then return 0; fi
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
		rm -f "$SRC/substitute"
	else
		say "note: $package $got is used instead of $version; its checksum is not recorded, so only apt's signature check vouches for it"
		key="$package $got sha256 $sum"
		echo "$key" >"$SRC/substitute"
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
		archive() { src_git archive --format=tar HEAD | tar -xf - -C "$dir"; }
		logged unpack archive || exit 1
	fi
	if [ ! -f "$dir/drivers/dma-buf/dma-fence.c" ] || [ ! -f "$dir/Kbuild" ] ||
	   ! grep -q '^VERSION = ' "$dir/Makefile" 2>/dev/null; then
		die "${KERNEL_SRC:-$package} is no Linux kernel with drivers/dma-buf; give another KERNEL_SRC"
	fi
	if [ -n "$first" ] && (cd "$dir" && GIT_CEILING_DIRECTORIES=$(dirname "$dir") \
	     kgit apply --reverse --check "$SERIES/$first") 2>/dev/null; then
		die "${KERNEL_SRC:-$package} already has $first; give a KERNEL_SRC without the series"
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
apply_patch() {	# apply_patch TREE PATCH-FILE
	local date notes
	kgit -C "$1" am -q --no-3way --no-scissors --committer-date-is-author-date \
		--no-gpg-sign --whitespace=nowarn "$2" >"$LOG/am.log" 2>&1 || {
		kgit -C "$1" am --abort >/dev/null 2>&1 || :
		return 1
	}
	notes=$(below_cut "$2")
	[ -n "$notes" ] || return 0
	date=$(kgit -C "$1" log -1 --format=%aI)
	{ kgit -C "$1" log -1 --format=%B; printf -- '---\n%s\n' "$notes"; } |
		sed -e ':a' -e '/^\n*$/{$d;N;ba' -e '}' |
		GIT_COMMITTER_DATE=$date kgit -C "$1" commit -q --amend --no-verify \
			--cleanup=verbatim -F -
}
apply_failed() {	# apply_failed TREE PATCH
	if (cd "$1" && kgit apply --reverse --check "$SERIES/$2") 2>/dev/null; then
		die "$2 is already applied: the base or an earlier patch has its change; take it out of series/$BASE/series"
	fi
	die "$2 does not apply to what is before it; log: $LOG/am.log; rebase it"
}

sums() { series_patches | while read -r p; do sha256sum <"$SERIES/$p" | cut -d' ' -f1; done; }

# --- what is there ------------------------------------------------------------
dir=$TREE
if [ -e "$TREE" ]; then
	[ -f "$STATE" ] || die "$TREE was not made by make tree; move it away"
	rm -f "$TREE/.git/index.lock"
	[ "$(kgit -C "$TREE" symbolic-ref -q --short HEAD || :)" = series ] ||
		die "$TREE is not on its branch series; git checkout series there first"
	head=$(sed -n 's/^head //p' "$STATE")
	if [ ! -e "$TREE/.git/rebase-apply" ] && [ ! -e "$TREE/.git/rebase-merge" ] &&
	   [ "$(kgit -C "$TREE" rev-parse HEAD)" = "$head" ]; then :; else
		die "$TREE has commits that series/$BASE does not have; make export first"
	fi
	dirty=
	[ -z "$(kgit -C "$TREE" status --porcelain | head -n 1)" ] || dirty=yes
	if [ "$(sed -n 's/^source //p' "$STATE")" = "$key" ] &&
	   [ "$(sums)" = "$(sed -n 's/^patch \([0-9a-f]*\) .*/\1/p' "$STATE")" ]; then
		[ -z "$dirty" ] ||
			say "note: $TREE has uncommitted changes; they are not part of this run"
	else
		[ -z "$dirty" ] ||
			die "$TREE has uncommitted changes and series/$BASE changed; commit and make export, or undo them"
		[ "$(sed -n 's/^source //p' "$STATE")" = "$key" ] || dir=
	fi
else
	dir=
fi

if [ -z "$dir" ]; then
	temp_dir dir
	make_base "$dir"
fi
state=$dir/.git/series-state

# --- the patches --------------------------------------------------------------
mapfile -t want < <(series_patches)
mapfile -t have < <(sed -n 's/^patch //p' "$state")
keep=0
commit=$(kgit -C "$dir" rev-parse base)
while [ $keep -lt ${#want[@]} ] && [ $keep -lt ${#have[@]} ] &&
      [ "${have[$keep]%% *}" = "$(sha256sum <"$SERIES/${want[$keep]}" | cut -d' ' -f1)" ]; do
	commit=${have[$keep]#* }
	keep=$((keep + 1))
done
if [ $keep -lt ${#want[@]} ] || [ $keep -lt ${#have[@]} ]; then
	old=$(kgit -C "$dir" rev-parse HEAD)
	say "applying $((${#want[@]} - keep)) of ${#want[@]} patches"
	kgit -C "$dir" reset -q --hard "$commit"
	{
		grep '^source ' "$state"
		awk -v keep=$keep '/^patch / && keep-- > 0' "$state"
	} >"$state.new"
	for ((i = keep; i < ${#want[@]}; i++)); do
		apply_patch "$dir" "$SERIES/${want[$i]}" || {
			rm -f "$state.new"
			rc=0
			(apply_failed "$dir" "${want[$i]}") || rc=$?
			kgit -C "$dir" reset -q --hard "$old"
			exit $rc
		}
		echo "patch $(sha256sum <"$SERIES/${want[$i]}" | cut -d' ' -f1)" \
		     "$(kgit -C "$dir" rev-parse HEAD)" >>"$state.new"
	done
	echo "head $(kgit -C "$dir" rev-parse HEAD)" >>"$state.new"
	mv "$state.new" "$state"
fi

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

if [ "$dir" != "$TREE" ]; then
	rm -rf -- "$WORK" "$TREE"
	mv -- "$dir" "$TREE"
fi
say "$TREE: ${#want[@]} patches on $(sed -n 's/^source //p' "$STATE" | sed 's/ sha256.*//')"
