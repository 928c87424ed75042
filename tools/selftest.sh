#!/bin/bash
# Tests the tools with a kernel of a few lines, in a copy of the project whose
# path has a space: what they make, what they refuse, and that nothing is lost.
# Needs no network and no real kernel.
set -eu -o pipefail
export LC_ALL=C
case ${1:-} in
-*) echo "usage: tools/selftest.sh [PATTERN]   (only the tests whose name contains PATTERN; =NAME: that one)" >&2; exit 2 ;;
esac
pattern=${1:-}

HERE=$(cd -- "$(dirname -- "$0")/.." && pwd -P)
box=$(mktemp -d) vmtest=$(mktemp -d)
trap 'rm -rf -- "$box" "$vmtest"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export GIT_CONFIG_GLOBAL=$box/gitconfig GIT_CONFIG_SYSTEM=/dev/null HOME=$box
: >"$GIT_CONFIG_GLOBAL"
unset BASE TOPIC VERSION KERNEL_SRC LIFETIME_LOCKED TOP SERIES BUILD TREE WORK LOG KERNELS
unset AGAIN FULL MINUTES SEED TEST REV CONFIG PAIRS VM_APPEND VM_MEM LIFETIME_WIP
unset GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL MAKEFLAGS MFLAGS MAKELEVEL
export DEPS=no CI=true

P="$box/a project"
export BUILD_DIR=$box/build
TREE=$BUILD_DIR/toy/linux
S="$P/series/toy"

# --- a kernel and a series ---------------------------------------------------------
# vmtest.sh, from the patches that have it.
git init -q "$vmtest"
for patch in "$HERE"/series/drm-misc-next/selftests/000[1-9]-*.patch; do
	git -C "$vmtest" apply --allow-empty --include='tools/testing/selftests/dma-buf/vmtest*' "$patch"
done
as() { git -c user.name="$1" -c user.email="$2" "${@:3}"; }
toy_kernel() {	# toy_kernel FOLDER
	mkdir -p "$1/drivers/dma-buf" "$1/drivers/vgem" "$1/scripts"
	# Makes a "kernel" that prints console.txt, and counts how often it was made.
	cat >"$1/Makefile" <<-'END'
		VERSION = 7
		PATCHLEVEL = 3
		.RECIPEPREFIX = >
		allnoconfig:
		> @mkdir -p "$(O)"; grep -v NOSUCH "$(KCONFIG_ALLCONFIG)" >"$(KCONFIG_CONFIG)" || :
		linux:
		> @[ ! -f broken ]
		> @[ ! -f full ] || cat console.txt >/dev/full
		> @sleep $$(cat slow 2>/dev/null || echo 0)
		> @{ echo '#!/bin/bash'; echo "cat <<'END'"; cat console.txt; echo END; cat after.txt; } >"$(O)/linux"
		> @chmod +x "$(O)/linux"; echo made >>"$(O)/count"
	END
	: >"$1/after.txt"
	cp -R "$vmtest/tools" "$1/"
	console "$1" "" "" "reboot: System halted"
	: >"$1/Kbuild"
	seq 1 40 >"$1/drivers/dma-buf/dma-fence.c"
	seq 1 40 >"$1/drivers/vgem/vgem.c"
	printf '*.o\n# Debian packaging: ignore everything\n/*\n' >"$1/.gitignore"
	printf '#!/usr/bin/perl\nprint "A Maintainer <a\\@example.org> (maintainer:TOY (A B))\\n";\nprint "list\\@example.org (open list:TOY)\\n";\n' \
		>"$1/scripts/get_maintainer.pl"
	git -C "$1" init -q
	git -C "$1" add -A -f
	as k k@example.org -C "$1" commit -q -m kernel
}
# console FOLDER RESULT-OF-TWO MIDDLE END: what two KUnit cases print.
console() {
	{
		echo toy.one; echo toy.two
		echo "KTAP version 1"; echo "1..1"; echo "    KTAP version 1"
		echo "    # Subtest: toy"; echo "    1..2"; echo "    ok 1 one"
		[ -z "$3" ] || echo "$3"
		if [ "$2" != dead ]; then
			echo "    ${2:-ok} 2 two"; echo "${2:-ok} 1 toy"
		fi
		[ -z "$4" ] || echo "$4"
	} >"$1/console.txt"
}
# kernel_says ARGUMENTS-OF-console: a new kernel to build from.
kernel_says() {
	console "$box/kernel" "$@"
	git -C "$box/kernel" add -A -f
	as k k@example.org -C "$box/kernel" commit -q -m "says something else"
}
new_project() {
	rm -rf "$P" "$BUILD_DIR" "$box/kernel"
	mkdir -p "$P" "$S/dma-buf"
	cp -R "$HERE/tools" "$HERE/Makefile" "$HERE/kconfig" "$HERE/vm" "$P/"
	toy_kernel "$box/kernel"
	cat >"$S/base" <<-END
		package: linux-source-toy
		suite: toy
		version: 1-1
		sha256: 0000
		tag: v0
	END
	cat >"$S/series" <<-END
		# topic dma-buf: the core
		dma-buf/0001-dma-buf-one.patch
		dma-buf/0002-dma-buf-two.patch
		# topic vgem: one driver
		vgem/0001-vgem-three.patch
	END
	printf 'From: x\nSubject: [PATCH 00/02] the cover\n\nWhat it is\nabout.\n' >"$S/dma-buf/0000-cover-letter.patch"
	echo "drivers/vgem/**" >"$S/tests"
	mkdir "$S/vgem"
	local w=$box/w
	rm -rf "$w"
	git clone -q "$box/kernel" "$w"
	git -C "$w" config user.name "An Author"
	git -C "$w" config user.email author@example.org
	sed -i 's/^5$/five/' "$w/drivers/dma-buf/dma-fence.c"
	git -C "$w" commit -q -a -m "dma-buf: one" -m "Because of five."
	sed -i 's/^30$/thirty/' "$w/drivers/dma-buf/dma-fence.c"
	echo new >"$w/drivers/dma-buf/new.c"
	git -C "$w" add -A -f
	git -C "$w" commit -q -a -m "dma-buf: two" -m "Because of thirty, and Ä."
	sed -i 's/^7$/seven/' "$w/drivers/vgem/vgem.c"
	git -C "$w" commit -q -a -m "vgem: three" -m "Because of seven." -m "---
v2: it was eight"
	git -C "$w" format-patch -q -2 HEAD~1 -o "$S/dma-buf" --zero-commit --no-signature -N --abbrev=12
	git -C "$w" format-patch -q -1 HEAD -o "$S/vgem" --zero-commit --no-signature -N --abbrev=12
	mapfile -t made < <(cd "$S" && ls dma-buf/000[1-9]* vgem/*)
	printf '# topic dma-buf: the core\n%s\n%s\n# topic vgem: one driver\n%s\n' "${made[@]}" >"$S/series"
}
t() { (cd "$box" && BASE=${base:-toy} "$P/tools/$1.sh" "${@:2}"); }
tree() { KERNEL_SRC=$box/kernel t tree; }
in_tree() { as "A Developer" dev@example.org -C "$TREE" "$@"; }
edit() { sed -i "s/^$2\$/$3/" "$TREE/drivers/$1"; in_tree commit -q -a -m "$4" -m "Because."; }
sums() { (cd "$S" && find . -type f -exec sha256sum {} + | sort -k 2); }

# refuses PATTERN COMMAND...: fails, with one line that matches the pattern.
refuses() {
	local out rc=0
	out=$("${@:2}" 2>&1 >/dev/null) || rc=$?
	[ $rc -ne 0 ] || { echo "not refused: ${*:2}"; return 1; }
	tail -n 1 <<<"$out" | grep -q -- "$1" || { echo "said: $out"; echo "wanted: $1"; return 1; }
}
same() { [ "$1" = "$2" ] || { echo "is:     $1"; echo "wanted: $2"; return 1; }; }

# --- the tests: functions named test_… ----------------------------------------------
test_tree_has_one_commit_per_patch() {
	tree
	same "$(git -C "$TREE" log --format=%s base..series | xargs -d'\n' printf '%s,')" \
		"vgem: three,dma-buf: two,dma-buf: one,"
	same "$(git -C "$TREE" log -1 --format='%an %cn')" "An Author dma-fence lifetime series"
	# The last block of Debian's .gitignore is gone, all files are there.
	same "$(cat "$TREE/.gitignore")" "*.o"
	same "$(git -C "$TREE" status --porcelain)" ""
}
test_tree_again_does_nothing() {
	tree; local before; before=$(stat -c %Y.%i "$TREE/Makefile" "$TREE/.git/series-state")
	tree; same "$(stat -c %Y.%i "$TREE/Makefile" "$TREE/.git/series-state")" "$before"
}
test_tree_made_again_has_the_same_commits() {
	tree; local before; before=$(git -C "$TREE" rev-parse HEAD)
	rm -rf "$BUILD_DIR"; tree
	same "$(git -C "$TREE" rev-parse HEAD)" "$before"
}
test_tree_ignores_the_users_configuration() {
	tree; local before; before=$(git -C "$TREE" rev-parse HEAD)
	git config --global commit.gpgsign true
	git config --global core.autocrlf true
	git config --global user.name Somebody
	git config --global diff.noprefix true
	git config --global format.signOff true
	rm -rf "$BUILD_DIR"; tree
	same "$(git -C "$TREE" rev-parse HEAD)" "$before"
	t export; local a; a=$(sums)
	: >"$GIT_CONFIG_GLOBAL"
	t export; same "$(sums)" "$a"
}
test_tests_revision_has_only_the_tests() {
	tree
	same "$(git -C "$TREE" diff --name-only base refs/series/tests)" drivers/vgem/vgem.c
	same "$(git -C "$TREE" diff --name-only series refs/series/tests -- drivers/vgem)" ""
}
test_series_edited_only_the_rest_is_applied_again() {
	tree; local before; before=$(git -C "$TREE" rev-parse HEAD~1)
	sed -i 's/^Because of seven/Because of 7/' "$S"/vgem/0001*
	tree
	same "$(git -C "$TREE" rev-parse HEAD~1)" "$before"
	git -C "$TREE" log -1 --format=%B | grep -q "Because of 7"
}
test_series_shortened() {
	tree; sed -i '/^vgem/d' "$S/series"; tree
	same "$(git -C "$TREE" log -1 --format=%s)" "dma-buf: two"
}
# --- a patch that does not apply: git am is left in progress ---
# new_base FILE FROM TO: a kernel with another line.
new_base() {
	sed -i "s/^$2\$/$3/" "$box/kernel/drivers/$1"
	as k k@example.org -C "$box/kernel" commit -q -a -m "another base"
}
# mend FILE TEXT: the conflict in FILE is resolved by that line.
mend() {
	grep -q '^<<<<<<< ' "$TREE/drivers/$1"
	sed -i "/^<<<<<<< /,/^>>>>>>> /c $2" "$TREE/drivers/$1"
	in_tree add -A; in_tree am --continue
}
subjects() { git -C "$TREE" log --format=%s base..series | xargs -d'\n' printf '%s,'; }
ALL="vgem: three,dma-buf: two,dma-buf: one,"
test_patch_that_does_not_apply() {
	tree; local before; before=$(git -C "$TREE" rev-parse 'HEAD^{tree}')
	sed -i 's/^-7$/-8/' "$S"/vgem/0001*
	refuses "vgem/0001.* does not apply.*show-current-patch=diff | patch -p1.*make export" tree
	same "$(subjects)" "dma-buf: two,dma-buf: one,"
	in_tree am --show-current-patch=diff | grep -q '^-8$'
	# Given up, and tried again once the patch is right.
	in_tree am --abort
	refuses "vgem/0001.* does not apply" tree
	in_tree am --abort
	sed -i 's/^-8$/-7/' "$S"/vgem/0001*
	tree; same "$(git -C "$TREE" rev-parse 'HEAD^{tree}')" "$before"
	# The same without a tree before.
	sed -i 's/^-7$/-8/' "$S"/vgem/0001*; rm -rf "$BUILD_DIR"
	refuses "vgem/0001.* does not apply" tree
	[ -d "$TREE/.git/rebase-apply" ]
	same "$(ls "$BUILD_DIR/toy/tmp")" ""
	in_tree am --abort; sed -i '/^vgem/d' "$S/series"
	KERNEL_SRC='' t tree	# goes on with the base that is there
	same "$(subjects)" "dma-buf: two,dma-buf: one,"
}
test_rebase() {
	tree; new_base dma-buf/dma-fence.c 30 "30 of the new base"
	local before; before=$(sums)
	refuses "dma-buf/0002.* does not apply.*$TREE resolve the conflicts.*git am --continue.*make export" tree
	same "$(subjects)" "dma-buf: one,"
	refuses "git am of dma-buf/0002.* still in progress in $TREE" tree
	refuses "git am of dma-buf/0002.* still in progress in $TREE" t export
	refuses "make export" t clean
	refuses "make export" t clean --all
	mend dma-buf/dma-fence.c "thirty of the new base"
	refuses "make export" t clean
	same "$(sums)" "$before"
	t export
	grep -q "^+thirty of the new base" "$S"/dma-buf/0002*
	grep -q "^Because of thirty, and Ä" "$S"/dma-buf/0002*
	grep -q "^From: An Author" "$S"/dma-buf/0002*
	same "$(subjects)" "$ALL"
	git -C "$TREE" rev-parse -q --verify refs/series/tests >/dev/null
	same "$(git -C "$TREE" status --porcelain)" ""
	# It is complete, and what was written makes it again.
	before=$(stat -c %Y.%i "$TREE/Makefile" "$TREE/.git/series-state"; git -C "$TREE" rev-parse HEAD)
	tree; same "$(stat -c %Y.%i "$TREE/Makefile" "$TREE/.git/series-state"; git -C "$TREE" rev-parse HEAD)" "$before"
	before=$(git -C "$TREE" rev-parse 'HEAD^{tree}'; sums)
	rm -rf "$BUILD_DIR"; tree; t export
	same "$(git -C "$TREE" rev-parse 'HEAD^{tree}'; sums)" "$before"
}
test_rebase_stops_again() {
	tree; new_base dma-buf/dma-fence.c 30 thirtieth; new_base vgem/vgem.c 7 seventh
	local before; before=$(sums)
	refuses "dma-buf/0002.* does not apply" tree
	mend dma-buf/dma-fence.c "thirty again"
	refuses "vgem/0001.* does not apply.*resolve the conflicts" t export
	same "$(sums)" "$before"
	same "$(subjects)" "dma-buf: two,dma-buf: one,"
	mend vgem/vgem.c "seven again"
	refuses "all patches are in $TREE.*make export" tree
	refuses "make export" tree
	same "$(sums)" "$before"
	t export; tree
	grep -q "^+thirty again" "$S"/dma-buf/0002*; grep -q "^+seven again" "$S"/vgem/0001*
	grep -q "^v2: it was eight" "$S"/vgem/0001*
	same "$(subjects)" "$ALL"
}
test_rebase_without_a_tree_before() {
	new_base dma-buf/dma-fence.c 30 thirtieth
	refuses "dma-buf/0002.* does not apply.*patch -p1" tree
	in_tree am --show-current-patch=diff | (cd "$TREE" && patch -s -p1 --no-backup-if-mismatch) || :
	refuses "still in progress" t export
	rm -f "$TREE"/drivers/dma-buf/*.rej; sed -i 's/^thirtieth$/thirty/' "$TREE/drivers/dma-buf/dma-fence.c"
	in_tree add -A; in_tree am --continue
	t export; tree
	grep -q "^-thirtieth" "$S"/dma-buf/0002*
	same "$(subjects)" "$ALL"
}
test_rebase_given_up() {
	tree; new_base dma-buf/dma-fence.c 30 thirtieth
	refuses "dma-buf/0002.* does not apply" tree
	in_tree am --abort; t clean
	refuses "dma-buf/0002.* does not apply" tree
	rm -rf "$TREE"
	git -C "$box/kernel" reset -q --hard HEAD~1; tree
	same "$(subjects)" "$ALL"
}
test_three_way_merge_is_not_silent() {
	tree; new_base dma-buf/dma-fence.c 2 second
	refuses "dma-buf/0001.* without a 3-way merge; look at.*git show in $TREE.*make export" tree
	[ ! -e "$TREE/.git/rebase-apply" ]
	# Not taken: tried again.
	in_tree reset -q --hard HEAD~1
	refuses "dma-buf/0001.* without a 3-way merge" tree
	# Taken.
	t export; tree
	grep -q "^ second" "$S"/dma-buf/0001*
	same "$(subjects)" "$ALL"
}
test_patch_is_upstream() {
	tree; new_base vgem/vgem.c 7 seven
	refuses "vgem/0001.* already applied.*take it out" tree
	same "$(subjects)" "dma-buf: two,dma-buf: one,"
	sed -i '/^vgem/d' "$S/series"; rm "$S"/vgem/0001*
	tree; t export
	same "$(subjects)" "dma-buf: two,dma-buf: one,"
}
test_rebase_refuses_when_both_changed() {
	tree; new_base dma-buf/dma-fence.c 30 thirtieth
	refuses "dma-buf/0002.* does not apply" tree
	mend dma-buf/dma-fence.c thirty
	local now; now=$(git -C "$TREE" rev-parse HEAD)
	# A patch that the tree has already, and the one that was mended.
	local p; for p in "$S"/dma-buf/0001* "$S"/dma-buf/0002*; do
		cp "$p" "$box/p"; sed -i 's/^Because of/Since/' "$p"
		refuses "series/toy changed.*undo the change" t export
		refuses "series/toy changed.*undo the change" tree
		grep -q "^Since" "$p"
		cp "$box/p" "$p"
	done
	# Not when the series is edited again after the last one was applied.
	same "$(git -C "$TREE" rev-parse HEAD)" "$now"
	sed -i 's/^Because of seven/Because of 7/' "$S"/vgem/0001*	# is not applied yet
	refuses "make export" tree
	sed -i 's/^Because of 7/Since 7/' "$S"/vgem/0001*
	refuses "series/toy changed.*undo the change" t export
	sed -i 's/^Since 7/Because of 7/' "$S"/vgem/0001*
	t export; grep -q "^Because of 7" "$S"/vgem/0001*
}
test_rebase_with_the_wrong_commit_amended() {
	tree; new_base dma-buf/dma-fence.c 30 thirtieth
	refuses "dma-buf/0002.* does not apply" tree
	sed -i "/^<<<<<<< /,/^>>>>>>> /c thirty" "$TREE/drivers/dma-buf/dma-fence.c"
	in_tree add -A; in_tree commit -q --amend --no-edit
	in_tree am --skip
	refuses "has lost the commit before dma-buf/0002" t export
}
# killed_at WORD N COMMAND...: SIGKILL when it calls git with that word the Nth time,
# after $box/at-kill.
killed_at() {
	local git rc=0; git=$(command -v git)
	mkdir -p "$box/bin"; rm -f "$box/calls"
	cat >"$box/bin/git" <<-END
		#!/bin/bash
		case " \$* " in *" $1 "*)
			echo x >>"$box/calls"
			if [ \$(wc -l <"$box/calls") -eq $2 ]; then
				[ ! -f "$box/at-kill" ] || . "$box/at-kill"
				kill -KILL \$PPID; exit 1
			fi ;;
		esac
		exec "$git" "\$@"
	END
	chmod +x "$box/bin/git"
	PATH=$box/bin:$PATH "${@:3}" || rc=$?
	rm "$box/bin/git"
	[ $rc -ne 0 ] && same "$(wc -l <"$box/calls")" "$2"
}
test_killed_while_patches_are_applied() {
	tree; sed -i 's/^Because of/Since/' "$S"/*/000[1-9]*
	local before; before=$(git -C "$TREE" rev-parse HEAD)
	killed_at am 2 tree
	same "$(git -C "$TREE" rev-parse HEAD; git -C "$TREE" status --porcelain)" "$before"
	tree; same "$(subjects)" "$ALL"
	same "$(git -C "$TREE" log --format=%b | grep -c '^Since')" 3
	# On a new base the old tree stays until the new one is there.
	new_base vgem/vgem.c 40 fortieth
	before=$(git -C "$TREE" rev-parse HEAD)
	killed_at am 3 tree
	same "$(git -C "$TREE" rev-parse HEAD)" "$before"
	tree; same "$(subjects)" "$ALL"; grep -q fortieth "$TREE/drivers/vgem/vgem.c"
}
test_killed_after_a_patch_was_mended() {
	tree; new_base dma-buf/dma-fence.c 30 thirtieth
	refuses "dma-buf/0002.* does not apply" tree
	mend dma-buf/dma-fence.c thirty
	killed_at am 1 t export
	killed_at reset 1 t export
	t export
	grep -q "^-thirtieth" "$S"/dma-buf/0002*
	same "$(subjects)" "$ALL"
}
test_killed_while_the_tree_is_written() {
	tree; sed -i 's/^+seven$/+sieben/' "$S"/vgem/0001*
	echo ": >$TREE/drivers/vgem/vgem.c; : >$TREE/.git/index.lock" >"$box/at-kill"
	killed_at reset 1 tree
	# Nobody else's change is undone.
	rm -f "$TREE/.git/index.lock"; echo mine >>"$TREE/Makefile"
	refuses "has changed since" tree
	refuses "has changed since" t export
	refuses "make export" t clean
	grep -q mine "$TREE/Makefile"
	in_tree checkout -q Makefile; tree
	same "$(git -C "$TREE" status --porcelain)" ""
	grep -q sieben "$TREE/drivers/vgem/vgem.c"
	same "$(subjects)" "$ALL"
}
test_no_fuzz() {
	sed -i 's/^ 4$/ four/' "$S"/dma-buf/0001*
	refuses "does not apply" tree
}
test_missing_patch() { rm "$S"/vgem/0001*; refuses "which is not there" tree; }
test_export_unchanged_is_byte_identical() {
	local before; before=$(sums)
	tree; t export
	same "$(sums)" "$before"
	t export; same "$(sums)" "$before"
}
test_text_below_the_cut_survives() {
	tree; git -C "$TREE" log -1 --format=%B | grep -q "^v2: it was eight"
	edit vgem/vgem.c 20 twenty "vgem: four"
	t export; grep -q "^v2: it was eight" "$S"/vgem/0001*
	local a; a=$(sums); rm -rf "$BUILD_DIR"; tree; t export; same "$(sums)" "$a"
}
test_export_new_commit() {
	tree; edit vgem/vgem.c 20 twenty "vgem: four"
	local cover; cover=$(cat "$S/dma-buf/0000-cover-letter.patch")
	t export
	same "$(cat "$S/series")" "# topic dma-buf: the core
dma-buf/0001-dma-buf-one.patch
dma-buf/0002-dma-buf-two.patch
# topic vgem: one driver
vgem/0001-vgem-three.patch
vgem/0002-vgem-four.patch"
	same "$(cat "$S/dma-buf/0000-cover-letter.patch")" "$cover"
	# What was written makes the same tree again.
	local before; before=$(git -C "$TREE" rev-parse 'HEAD^{tree}')
	tree; rm -rf "$BUILD_DIR"; tree
	same "$(git -C "$TREE" rev-parse 'HEAD^{tree}')" "$before"
	same "$(git -C "$TREE" log -1 --format='%an <%ae>')" "A Developer <dev@example.org>"
}
test_export_new_topic() {
	tree; edit vgem/vgem.c 20 twenty "amdgpu: four"
	TOPIC=amdgpu t export
	[ -f "$S/amdgpu/0001-amdgpu-four.patch" ]
	refuses "TOPIC" env TOPIC=../x BASE=toy "$P/tools/export.sh"
}
test_export_reworded_and_reordered() {
	tree
	in_tree reset -q --hard base
	in_tree cherry-pick series@{1}~1 >/dev/null
	in_tree cherry-pick series@{1}~2 >/dev/null 2>&1 || in_tree cherry-pick series@{2}~2 >/dev/null
	in_tree commit -q --amend -m "dma-buf: one, in other words"
	t export
	same "$(grep -v '#' "$S/series" | xargs)" \
		"dma-buf/0001-dma-buf-two.patch dma-buf/0002-dma-buf-one-in-other-words.patch"
	[ -f "$S/dma-buf/0000-cover-letter.patch" ]
}
test_export_refuses_scattered_topics() {
	tree; local before; before=$(sums)
	edit dma-buf/dma-fence.c 20 twenty "dma-buf: four"
	refuses "not neighbours" env TOPIC=dma-buf BASE=toy "$P/tools/export.sh"
	same "$(sums)" "$before"
}
test_export_refuses_uncommitted() {
	tree; echo x >>"$TREE/Makefile"; refuses "uncommitted" t export
	in_tree checkout -q Makefile; echo x >"$TREE/untracked"; refuses "uncommitted" t export
}
test_export_refuses_what_a_patch_cannot_say() {
	tree; local before; before=$(sums)
	echo x >"$TREE/x"; in_tree add x
	in_tree commit -q -m "vgem: text" -m "like
diff --git a/x b/x
this"
	refuses "would not survive\|does not reproduce the commit" t export
	same "$(sums)" "$before"
}
test_export_refuses_merges_and_branches() {
	tree
	in_tree checkout -q -b other HEAD~1; echo y >"$TREE/y"; in_tree add y; in_tree commit -q -m y
	refuses "not on its branch" t export
	refuses "not on its branch" tree
	in_tree checkout -q series; in_tree merge -q -m m other
	refuses "merge" t export
}
test_export_refuses_when_both_changed() {
	tree; edit vgem/vgem.c 20 twenty "vgem: four"
	sed -i 's/^Because of seven/Because of 7/' "$S"/vgem/0001*
	refuses "both" t export
	grep -q "Because of 7" "$S"/vgem/0001*
	refuses "make export first" tree
	same "$(git -C "$TREE" log -1 --format=%s)" "vgem: four"
}
test_export_refuses_patches_outside_the_list() {
	tree; echo x >"$S/vgem/0009-mine.patch"; refuses "not in series" t export
	[ -f "$S/vgem/0009-mine.patch" ]
}
test_tree_with_commits_is_kept() {
	tree; edit vgem/vgem.c 20 twenty "vgem: four"
	refuses "make export first" tree
	refuses "make export first" t check
	refuses "make export" t clean
	in_tree reset -q --hard HEAD~1
	t clean; [ ! -e "$TREE" ]
}
test_another_source_keeps_what_is_nowhere_else() {
	tree; in_tree branch mine; new_base vgem/vgem.c 40 fortieth
	refuses "of yours.*another base" tree
	in_tree branch -q -D mine; echo x >>"$TREE/Makefile"
	refuses "of yours.*another base" tree
	in_tree stash -q
	refuses "of yours.*another base" tree
	refuses "stash of yours" t clean
	in_tree stash drop -q
	in_tree worktree add -q --detach "$box/elsewhere" 2>/dev/null
	refuses "of yours.*another base" tree
	rm -rf "$box/elsewhere"; tree
}
test_another_source_makes_another_tree() {
	tree; echo other >"$box/kernel/README"
	git -C "$box/kernel" add -A -f; as k k@example.org -C "$box/kernel" commit -q -m more
	tree; [ -f "$TREE/README" ]
}
test_clean() {
	fake_fetch 1-1; toy_kconfig; t tree; t kernel uml base; t kernel uml series
	cp "$BUILD_DIR/toy/kernel/uml-base/linux" "$box/linux"
	t clean
	same "$(ls "$BUILD_DIR/toy" "$BUILD_DIR/toy/kernel" | xargs)" \
		"$BUILD_DIR/toy: kernel lock source $BUILD_DIR/toy/kernel: uml-base"
	# Neither the download nor the kernel of the base is made again.
	printf '#!/bin/sh\nexit 1\n' >"$P/tools/fetch.sh"
	t tree; t kernel uml base
	[ ! -e "$BUILD_DIR/toy/obj/uml" ]
	cmp "$BUILD_DIR/toy/kernel/uml-base/linux" "$box/linux"
	mkdir "$BUILD_DIR/other"
	BASE=toy make -s -C "$P" distclean
	same "$(ls "$BUILD_DIR")" other
	t clean; t clean --all	# with nothing there
}
test_folders_of_the_user_survive() {
	local mine=$box/mine/toy
	mkdir -p "$mine/kernel" "$box/to"; echo mine >"$mine/kernel/fork.c"; echo mine >"$box/to/file"
	local args; for args in "" --all; do
		# shellcheck disable=SC2086
		BUILD_DIR=$box/mine refuses "BUILD_DIR" t clean $args
		same "$(cat "$mine/kernel/fork.c")" mine
	done
	tree
	refuses "--to $box/to is there and not empty" t export --to "$box/to"
	refuses "--to $box/to/file is there and not empty" t export --to "$box/to/file"
	same "$(cat "$box/to/file")" mine
	refuses "no folder $box/none" t export --to "$box/none/new"
	rm "$box/to/file"; t export --to "$box/to"; t export --to "$box/new"
	diff -r "$box/to" "$S"; diff -r "$box/new" "$S"
	KERNEL_SRC=$box/kernel t export-check
}
test_arguments_come_first() {
	# Before anything is installed, downloaded or made.
	printf '#!/bin/sh\necho asked for >"%s/deps"\n' "$box" >"$P/tools/deps.sh"; chmod +x "$P/tools/deps.sh"
	git config --global user.name "The Sender"; git config --global user.email sender@example.org
	KERNEL_SRC=$box/nothing refuses "does not exist" t tree
	mv "$S/dma-buf/0000-cover-letter.patch" "$box/cover"
	KERNEL_SRC=$box/kernel TOPIC=dma-buf refuses "0000-cover-letter" t mail
	mv "$box/cover" "$S/dma-buf/0000-cover-letter.patch"
	sed -i '1,/0001/{/0001/d}' "$S/series"; echo dma-buf/0001-dma-buf-one.patch >>"$S/series"
	KERNEL_SRC=$box/kernel TOPIC=dma-buf refuses "not neighbours" t mail
	rm "$S"/vgem/0001*; refuses "which is not there" tree
	[ ! -e "$box/deps" ]; [ ! -e "$TREE" ]
}
test_source_as_tarball() {
	tar -C "$box" -cJf "$box/k.tar.xz" --exclude=.git kernel
	KERNEL_SRC=$box/k.tar.xz t tree
	same "$(git -C "$TREE" log --format=%s base..series | wc -l)" 3
}
test_source_is_remembered() {
	local first; first=$(git -C "$box/kernel" rev-parse HEAD)
	as k k@e -C "$box/kernel" commit -q --allow-empty -m e
	echo more >"$box/kernel/more"; git -C "$box/kernel" add -A -f
	as k k@e -C "$box/kernel" commit -q -m more
	refuses "no revision nothing" env KERNEL_SRC=$box/kernel:nothing BASE=toy "$P/tools/tree.sh"
	KERNEL_SRC=$box/kernel:$first t tree
	[ ! -e "$TREE/more" ]
	KERNEL_SRC='' t tree
	[ ! -e "$TREE/more" ]
	KERNEL_SRC=$box/kernel t tree
	[ -e "$TREE/more" ]
	mv "$box/kernel" "$box/moved"
	refuses "KERNEL_SRC=package takes" env KERNEL_SRC= BASE=toy "$P/tools/tree.sh"
	# Going on with what is there needs none.
	BASE=toy "$P/tools/tree.sh" --continue
}
test_bad_sources() {
	refuses "does not exist" env KERNEL_SRC=$box/nothing BASE=toy "$P/tools/tree.sh"
	mkdir -p "$box/folder"; refuses "not a git tree" env KERNEL_SRC=$box/folder BASE=toy "$P/tools/tree.sh"
	refuses "top of a kernel tree" env KERNEL_SRC=$box/kernel/drivers BASE=toy "$P/tools/tree.sh"
	echo junk >"$box/junk"; refuses "tarball" env KERNEL_SRC=$box/junk BASE=toy "$P/tools/tree.sh"
	git -C "$box/folder" init -q; as k k@e -C "$box/folder" commit -q --allow-empty -m e
	refuses "not a Linux kernel" env KERNEL_SRC=$box/folder BASE=toy "$P/tools/tree.sh"
	rm -rf "$box/folder"
	refuses "already has dma-buf/0001" env KERNEL_SRC=$box/w BASE=toy "$P/tools/tree.sh"
	[ ! -e "$TREE" ]
	same "$(ls "$BUILD_DIR/toy/tmp")" ""
}
test_bad_names() {
	base=nosuch refuses "BASE=nosuch is unknown; there are: drm-misc-next\|there are: toy" t tree
	base=../x refuses "not a known series" t tree
	tree
	refuses "TOPIC=nosuch is unknown; there are: dma-buf vgem" env TOPIC=nosuch BASE=toy "$P/tools/mail.sh"
	refuses "no kconfig/nosuch" t kernel nosuch base
	refuses "no revision" t kernel uml 9
	refuses usage t kernel
	refuses usage t tree extra
}
test_build_folder_with_a_space() {
	(unset BUILD_DIR; refuses "space or a colon.*BUILD_DIR" env BASE=toy KERNEL_SRC="$box/kernel" "$P/tools/tree.sh")
}
# A package for tree.sh, in the place of the download.
fake_fetch() {	# fake_fetch VERSION [DELAY]
	mkdir -p "$box/deb/usr/src" "$box/deb/DEBIAN" "$box/linux-source-toy"
	cp -R "$box/kernel/." "$box/linux-source-toy/"; rm -rf "$box/linux-source-toy/.git"
	tar -C "$box" --sort=name --mtime=@0 -cJf "$box/deb/usr/src/linux-source-toy.tar.xz" linux-source-toy
	printf 'Package: linux-source-toy\nVersion: %s\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' \
		"$1" >"$box/deb/DEBIAN/control"
	dpkg-deb -b "$box/deb" "$box/toy.deb" >/dev/null
	printf '#!/bin/bash\nsleep %s\ncp "%s/toy.deb" "$5/"\necho %s\n' "${2:-0}" "$box" "$1" >"$P/tools/fetch.sh"
	sed -i "s/^sha256:.*/sha256: $(sha256sum <"$box/deb/usr/src/linux-source-toy.tar.xz" | cut -d' ' -f1)/" "$S/base"
}
test_package() {
	fake_fetch 1-1; t tree
	same "$(git -C "$TREE" log --format=%s base..series | wc -l)" 3
	printf '#!/bin/sh\nexit 1\n' >"$P/tools/fetch.sh"	# not asked for again
	rm -rf "$TREE" "$BUILD_DIR/toy/work"; t tree
}
test_package_of_another_version() {
	fake_fetch 1-1; t tree
	echo new >"$box/kernel/README"; fake_fetch 1-2
	sed -i 's/^version:.*/version: 1-2/' "$S/base"
	t tree; [ -f "$TREE/README" ]
	printf '#!/bin/sh\nexit 1\n' >"$P/tools/fetch.sh"
	t tree; t clean; t tree; [ -f "$TREE/README" ]
}
test_package_with_a_wrong_checksum() {
	fake_fetch 1-1; sed -i 's/^sha256:.*/sha256: 1234/' "$S/base"
	refuses "wrong checksum" t tree
	refuses "wrong checksum" t tree
	[ ! -e "$TREE" ]
}
test_package_replaced_by_a_newer_one() {
	fake_fetch 1-2; local out; out=$(t tree 2>&1)
	grep -q "1-2 is used instead of 1-1; its checksum" <<<"$out"
	t tree	# and is taken for current
}
test_package_gone() {
	printf '#!/bin/sh\nexit 1\n' >"$P/tools/fetch.sh"
	refuses "KERNEL_SRC=" t tree
	[ ! -e "$TREE" ]
}
test_two_runs_at_once() {
	fake_fetch 1-1 5
	t tree >"$box/first" 2>&1 & local pid=$!
	local i; for i in $(seq 50); do [ ! -e "$BUILD_DIR/toy/lock" ] || break; sleep 0.1; done
	sleep 0.5
	refuses "another run is at work" t tree
	wait $pid
	[ -d "$TREE" ]
}
test_interrupted() {
	fake_fetch 1-1 100
	interrupt "$P/tools/tree.sh"
	[ ! -e "$TREE" ]
	same "$(ls "$BUILD_DIR/toy/tmp")" ""
	fake_fetch 1-1; t tree	# and nothing is in the way of the next run
}
# A series of a distribution, and a kernel that makes a package.
debian_toy() {
	base=linux-toy S=$P/series/linux-toy
	mv "$P/series/toy" "$S"
	cat >"$box/kernel/Makefile" <<-'END'
		VERSION = 7
		.RECIPEPREFIX = >
		allnoconfig:
		> @grep -v "$$(cat without 2>/dev/null || echo '^#')" "$(KCONFIG_ALLCONFIG)" >"$(O)/.config"
		bindeb-pkg:
		> @mkdir -p deb/DEBIAN deb/boot; [ -f nokernel ] || echo k >deb/boot/vmlinuz-7
		> @printf 'Package: linux-image-7\nVersion: 7\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' >deb/DEBIAN/control
		> @dpkg-deb -b deb "$(O)/../linux-image-7.deb"
	END
	fake_fetch 1-1
}
test_debian() {
	debian_toy
	local d=$BUILD_DIR/linux-toy/debian f=features/all/dma-fence p
	p=$(cd "$S" && echo dma-buf/0002-*)
	sed -i 's/^Because of thirty/Mainline did this in commit 0123456789ab ("a: b"), and commit\n123456789abc ("c").\n\n&/' "$S/$p"
	t debian
	same "$(cat "$d/patches/series")" "$(grep -v '^#' "$S/series" | sed "s,^,$f/,")"
	same "$(cd "$d/patches" && find . -name '*.patch' | wc -l)" 3
	same "$(sed -n '/^Subject/,/^$/p' "$d/patches/$f/$p")" "$(printf '%s\n' "Subject: dma-buf: two" \
		"MIME-Version: 1.0" "Content-Type: text/plain; charset=UTF-8" "Content-Transfer-Encoding: 8bit" \
		"Origin: other, dma-fence lifetime series, linux-toy/$p" "Forwarded: no" \
		"Applied-Upstream: commit:0123456789ab, commit:123456789abc" "Last-Update: $(date -u +%F)")"
	same "$(cd "$d/patches/$f" && grep -rl Applied-Upstream .)" "./$p"
	same "$(dpkg-deb -f "$d/linux-image-7.deb" Package)" linux-image-7
	git clone -q "$box/kernel" "$box/am"
	as x x@example.org -C "$box/am" am -q $(sed "s,^,$d/patches/," "$d/patches/series")
	same "$(git -C "$box/am" log -3 --format='%an %s' | xargs)" "An Author vgem: three An Author dma-buf: two An Author dma-buf: one"
	grep -q '^123456789abc ("c").$' <(git -C "$box/am" log -1 --format=%b HEAD~1)
	same "$(ls "$BUILD_DIR/linux-toy/tmp")" ""
}
test_debian_leaves_nothing_that_does_not_work() {
	refuses "BASE=linux-6.12.y" t debian
	debian_toy
	refuses "leave out KERNEL_SRC=" env KERNEL_SRC=$box/kernel BASE=linux-toy "$P/tools/debian.sh"
	mkdir "$box/bin"
	printf '#!/bin/sh\necho 41 >>drivers/vgem/vgem.c; echo >x.rej\n' >"$box/bin/quilt"; chmod +x "$box/bin/quilt"
	t debian; [ -d "$BUILD_DIR/linux-toy/debian" ]
	PATH=$box/bin:$PATH refuses "is not the tree of the series; files that differ: 4," t debian
	[ ! -e "$BUILD_DIR/linux-toy/debian" ]
	touch "$box/kernel/nokernel"; fake_fetch 1-1
	refuses "made no linux-image package" t debian
	rm "$box/kernel/nokernel"; echo DMA >"$box/kernel/without"; fake_fetch 1-1
	sed -i 's/^CONFIG_SYNC_FILE/CONFIG_DMA_SYNC_FILE/' "$P/kconfig/minimal"
	refuses "cannot be configured" t debian
	# git am can read what patch cannot.
	printf 'a\0b' >"$box/w/drivers/vgem/blob"
	git -C "$box/w" add -A -f; git -C "$box/w" commit -q -m "vgem: blob"
	git -C "$box/w" format-patch -q -1 --stdout >"$S/vgem/0002-vgem-blob.patch"
	echo vgem/0002-vgem-blob.patch >>"$S/series"
	refuses "quilt cannot apply" t debian
	rm "$S"/vgem/0002-*
	refuses "names vgem/0002-vgem-blob.patch, which is not there" t debian
	[ ! -e "$BUILD_DIR/linux-toy/debian" ]; same "$(ls "$BUILD_DIR/linux-toy/tmp")" ""
}
test_mail_needs_an_identity() {
	tree; refuses "who signs off" env TOPIC=vgem BASE=toy KERNEL_SRC=$box/kernel "$P/tools/mail.sh"
	[ ! -e "$BUILD_DIR/toy/mail" ]
	refuses "which topic" env BASE=toy "$P/tools/mail.sh"
}
test_mail() {
	git config --global user.name "The Sender"; git config --global user.email sender@example.org
	TOPIC=dma-buf KERNEL_SRC=$box/kernel t mail
	local d=$BUILD_DIR/toy/mail/dma-buf
	same "$(ls "$d" | xargs)" "0000-cover-letter.patch 0001-dma-buf-one.patch 0002-dma-buf-two.patch"
	local f; for f in "$d"/*; do
		grep -q '^To: A Maintainer <a@example.org>$' "$f"
		grep -q '^Cc: list@example.org$' "$f"
		grep -q '^From: The Sender <sender@example.org>$' "$f"
	done
	grep -q '^Subject: \[PATCH 2/2\] dma-buf: two$' "$d"/0002*
	grep -q '^Subject: \[PATCH 0/2\] the cover$' "$d"/0000*
	grep -q '^Signed-off-by: The Sender <sender@example.org>$' "$d"/0001*
	grep -q '^The Sender (2):$' "$d"/0000*
	grep -q '2 files changed' "$d"/0000*
	# The series itself is not signed by it.
	! grep -q Signed-off-by "$S"/*/*
	TOPIC=vgem KERNEL_SRC=$box/kernel t mail
	grep -q '^v2: it was eight' "$BUILD_DIR"/toy/mail/vgem/0001*
	: >"$GIT_CONFIG_GLOBAL"
}
toy_kconfig() {
	printf '#arch um\nCONFIG_A=y\nCONFIG_B=n\n' >"$P/kconfig/uml"
}
test_kernel_is_built_once() {
	toy_kconfig; tree
	t kernel uml base; t kernel uml base; t kernel uml series; t kernel uml base
	same "$(wc -l <"$BUILD_DIR/toy/obj/uml/count")" 2
	# Another fragment, another kernel.
	echo "CONFIG_C=y" >>"$P/kconfig/uml"; t kernel uml base
	same "$(wc -l <"$BUILD_DIR/toy/obj/uml/count")" 3
	same "$(t kernel uml 1 2>/dev/null)" "$BUILD_DIR/toy/kernel/uml-1"
}
test_kernel_refuses_options_that_are_not_honoured() {
	toy_kconfig; echo CONFIG_NOSUCH=y >>"$P/kconfig/uml"; tree
	refuses "requests options" t kernel uml base
	[ ! -e "$BUILD_DIR/toy/kernel/uml-base" ]
	# A later line wins.
	echo CONFIG_NOSUCH=n >>"$P/kconfig/uml"; t kernel uml base
}
test_kernel_that_does_not_build() {
	toy_kconfig; : >"$box/kernel/broken"; kernel_says "" "" ""; tree
	refuses "log: .*build-uml-base.log" t kernel uml base
	[ ! -e "$BUILD_DIR/toy/kernel/uml-base" ]
	git -C "$box/kernel" rm -q -f broken; kernel_says "" "" ""; tree
	t kernel uml base
}
test_no_disk() {
	# Said before anything is made ...
	mkdir -p "$box/bin"
	printf '#!/bin/sh\nprintf "H\\n/dev/x 9000000 8000000 1000000 90%%%% /\\n"\n' >"$box/bin/df"
	chmod +x "$box/bin/df"
	PATH=$box/bin:$PATH refuses "only 0 GB are free.*make room or set BUILD_DIR" tree
	[ ! -e "$TREE" ]
	toy_kconfig; : >"$box/kernel/full"; kernel_says "" "" ""; tree
	PATH=$box/bin:$PATH refuses "only 0 GB are free.*make room or set BUILD_DIR" t kernel uml base
	# ... and when it is full in the middle of a build, nothing is left of it.
	refuses "log: .*build-uml-base.log" t kernel uml base
	grep -q "No space left" "$BUILD_DIR/toy/log/build-uml-base.log"
	[ ! -e "$BUILD_DIR/toy/kernel/uml-base" ]
	same "$(ls "$BUILD_DIR/toy/tmp")" ""
}
interrupt() {	# interrupt COMMAND...: Ctrl-C, as a terminal sends it, after 2 s
	BASE=toy python3 - "$@" <<-'PY'
		import os, signal, subprocess, sys, time
		def child():
		    os.setsid()
		    signal.signal(signal.SIGINT, signal.SIG_DFL)
		p = subprocess.Popen(sys.argv[1:], preexec_fn=child)
		time.sleep(2)
		os.killpg(p.pid, signal.SIGINT)
		rc = p.wait(timeout=10)
		assert rc in (130, -2, 2), rc
	PY
}
test_build_interrupted() {
	toy_kconfig; echo 1000.125 >"$box/kernel/slow"; kernel_says "" "" ""; tree
	interrupt "$P/tools/kernel.sh" uml base
	[ ! -e "$BUILD_DIR/toy/kernel/uml-base" ]
	same "$(ls "$BUILD_DIR/toy/tmp")" ""
	# Nothing goes on behind one's back, and the lock is free.
	! pgrep -f "sleep 1000.125"
	refuses "no revision" t kernel uml 77
}
kunit_py() {
	local tree=${KUNIT_TREE:-$HERE/build/drm-misc-next/linux}
	mkdir -p "$box/kernel/tools/testing"
	cp -R "$tree/tools/testing/kunit" "$box/kernel/tools/testing/" ||
		{ echo "no kernel tree with kunit.py; make tree first"; return 1; }
	printf '\tKUNIT_CASE(one),\n\tKUNIT_CASE_PARAM(two, x),\n' >"$box/kernel/drivers/dma-buf/st-toy.c"
}
summary() { cat "$BUILD_DIR/toy/kunit/uml-base/summary"; }
test_kunit_passes() {
	kunit_py; toy_kconfig; kernel_says "" "" "reboot: System halted"; tree
	t kunit uml base
	same "$(summary)" "kunit toy.one passes
kunit toy.two passes"
}
test_kunit_fails() {
	kunit_py; toy_kconfig; kernel_says "not ok" "" "reboot: System halted"; tree
	refuses . t kunit uml base
	summary | grep -qx "kunit toy.two fails"
}
test_kunit_kernel_died() {
	kunit_py; toy_kconfig; kernel_says dead "Kernel panic - not syncing: oh" ""; tree
	refuses . t kunit uml base
	summary | grep -qx "kunit toy.two dies"
	summary | grep -q "^kernel panic: oh"
}
test_kunit_kernel_hangs() {
	kunit_py; toy_kconfig; echo "sleep 1000" >"$box/kernel/after.txt"; kernel_says dead "" ""; tree
	refuses . env KUNIT_TIMEOUT=2 BASE=toy "$P/tools/kunit.sh" uml base
	summary | grep -qx "kunit toy.two dies"
	summary | grep -q "^kernel not over"
}
test_kunit_case_lost() {
	kunit_py; printf '\tKUNIT_CASE_SLOW(three),\n' >>"$box/kernel/drivers/dma-buf/st-toy.c"
	toy_kconfig; kernel_says "" "" "reboot: System halted"; tree
	refuses . t kunit uml base
	summary | grep -qx "kunit any.three lost"
}
test_kunit_warning_on_the_console() {
	kunit_py; toy_kconfig; tree
	kernel_says "" "WARNING: possible recursive locking detected" "reboot: System halted"; tree
	refuses . t kunit uml base
	summary | grep -q "^kernel WARNING"
}
prove_list() { printf '%s\n' "$@" >"$S/expected"; }
test_prove() {
	kunit_py; toy_kconfig; kernel_says "not ok" "" "reboot: System halted"; tree
	# The toy runs all its cases whatever is asked for: only the verdicts count.
	prove_list "kunit toy.two fails # why"
	KERNEL_SRC=$box/kernel t prove >"$box/out" 2>&1 || :
	grep -q "kunit toy.two fails, as expected" "$box/out"
	prove_list "kunit toy.two dies"
	KERNEL_SRC=$box/kernel t prove >"$box/out" 2>&1 && return 1
	grep -q "kunit toy.two fails, expected: dies" "$box/out"
	kernel_says "" "" "reboot: System halted"
	KERNEL_SRC=$box/kernel t prove >"$box/out" 2>&1 && return 1
	grep -q "kunit toy.two passes on the base" "$box/out"
	prove_list "kunit nonsense"
	refuses "not understood" env KERNEL_SRC=$box/kernel BASE=toy "$P/tools/prove.sh"
	prove_list "# none"
	refuses "names no test" env KERNEL_SRC=$box/kernel BASE=toy "$P/tools/prove.sh"
}
# check.sh with a list of its own
checks() { sed -i "/<<'LIST'/,/^LIST/{/LIST/!d}" "$P/tools/check.sh"; sed -i "/<<'LIST'/a $1" "$P/tools/check.sh"; }
test_check_counts() {
	printf '#!/bin/sh\necho good\n' >"$P/tools/a.sh"; printf '#!/bin/sh\necho bad; exit 1\n' >"$P/tools/b.sh"
	chmod +x "$P"/tools/[ab].sh
	checks 'good one\t\ta.sh\nbad one\t\tb.sh x\nlost one\t\tc.sh'
	printf '#!/bin/sh\n' >"$P/tools/deps.sh"
	local out rc=0
	out=$(KERNEL_SRC=$box/kernel t check 2>/dev/null) || rc=$?
	same "$rc" 1
	grep -q "^ok good one" <<<"$out"
	grep -q "^not ok bad one .*log: .*bad-one.log" <<<"$out"
	grep -q "^not ok lost one" <<<"$out"
	same "$(tail -n 1 <<<"$out")" "1 passed, 2 failed"
	# What passed holds until something changes that it depends on.
	out=$(KERNEL_SRC=$box/kernel t check 2>/dev/null) || :
	grep -q "^ok good one (nothing has changed" <<<"$out"
	grep -q "^not ok bad one ([0-9]* s)" <<<"$out"
	same "$(tail -n 1 <<<"$out")" "1 passed, 2 failed"
	echo '# new' >>"$P/README.md"
	out=$(KERNEL_SRC=$box/kernel t check 2>/dev/null) || :
	grep -q "^ok good one (nothing has changed" <<<"$out"
	out=$(KERNEL_SRC=$box/kernel t check good 2>/dev/null)
	grep -q "^ok good one ([0-9]* s" <<<"$out"
	same "$(tail -n 1 <<<"$out")" "1 passed, 0 failed"
	out=$(AGAIN=yes KERNEL_SRC=$box/kernel t check 2>/dev/null) || :
	grep -q "^ok good one ([0-9]* s" <<<"$out"
	echo '# new' >>"$P/tools/a.sh"
	out=$(KERNEL_SRC=$box/kernel t check 2>/dev/null) || :
	grep -q "^ok good one ([0-9]* s" <<<"$out"
	printf '#!/bin/sh\necho asked >>"%s/deps"\n' "$box" >"$P/tools/deps.sh"
	refuses "no check is called" env KERNEL_SRC=$box/kernel BASE=toy "$P/tools/check.sh" nothing
	[ ! -e "$box/deps" ]
}
test_check_full() {
	printf '#!/bin/sh\necho good\n' >"$P/tools/a.sh"; printf '#!/bin/sh\nexit 3\n' >"$P/tools/b.sh"
	chmod +x "$P"/tools/[ab].sh; printf '#!/bin/sh\n' >"$P/tools/deps.sh"
	checks 'one\t\ta.sh\ntwo\t\ta.sh\tfull\nthree\t\tb.sh\ttoy full\nfour\t\ta.sh\tother full'
	tree
	same "$(t check 2>/dev/null | tail -n 1)" "1 passed, 0 failed"
	# A part that has not come to its end in MINUTES did not fail.
	local out rc=0
	out=$(FULL=yes t check 2>/dev/null) || rc=$?
	same "$rc" 3
	grep -q "^left: three" <<<"$out"
	same "$(tail -n 1 <<<"$out")" "2 passed, 0 failed"
}
test_deps_are_named() {
	mkdir "$box/bin"
	local c
	for c in bash env dirname basename mkdir ls cat sed date id gcc; do ln -s "$(command -v $c)" "$box/bin/$c"; done
	same "$(cd "$box" && PATH=$box/bin BASE=toy "$P/tools/deps.sh" tree 2>&1)" \
		"note: not found: git, xz, tar, python3, flock; what needs them will fail"
}
test_check_ends_in_time() {
	printf '#!/bin/sh\necho good\n' >"$P/tools/a.sh"; chmod +x "$P/tools/a.sh"
	checks 'quick\t\ta.sh\nlong\t\ta.sh x'
	printf '#!/bin/sh\n' >"$P/tools/deps.sh"
	tree
	printf 'x 10 quick\nx 1000 long\n' >"$BUILD_DIR/toy/verdicts"
	local out rc=0
	out=$(MINUTES=1 KERNEL_SRC=$box/kernel t check 2>/dev/null) || rc=$?
	same "$rc" 3
	grep -q "^left: long" <<<"$out"
	same "$(tail -n 1 <<<"$out")" "1 passed, 0 failed"
	# The next run goes on with it.
	out=$(KERNEL_SRC=$box/kernel t check 2>/dev/null)
	grep -q "^ok quick (nothing has changed" <<<"$out"
	grep -q "^ok long ([0-9]* s" <<<"$out"
	refuses "MINUTES=x is not" env MINUTES=x BASE=toy "$P/tools/check.sh"
	# One that takes longer than it used to is stopped, with what it started.
	cd "$box"
	BASE=toy bash -c '. "$1/tools/lib.sh"; deadline=$((SECONDS + 2)); rc=0
		watched x "$LOG/x" bash -c "sleep 1000.375" || rc=$?; exit $rc' x "$P" && return 1 || rc=$?
	same "$rc" 124
	! pgrep -f "sleep 1000.375"
}
test_check_of_all_series() {
	printf '#!/bin/sh\necho "$BASE" >>"%s/ran"; [ "$BASE" = toy ]\n' "$box" >"$P/tools/a.sh"
	printf '#!/bin/sh\n' >"$P/tools/deps.sh"; cp "$P/tools/deps.sh" "$P/tools/sparse.sh"
	chmod +x "$P/tools/a.sh"
	checks 'each\t\ta.sh\nonly one\t\ta.sh\tonce\nbeside\t\ta.sh\ttools\nby itself\t\ta.sh\ttoy alone'
	fake_fetch 1-1
	rm -rf "$P/series/drm-misc-next"
	cp -R "$S" "$P/series/drm-misc-next"
	local out rc=0
	out=$(cd "$box" && "$P/tools/check.sh" 2>/dev/null) || rc=$?
	same "$rc" 1
	same "$(sort "$box/ran" | xargs)" "drm-misc-next drm-misc-next toy toy"
	grep -q "^toy: ok beside" <<<"$out"
	grep -q "^toy: ok each" <<<"$out"
	grep -q "^drm-misc-next: not ok each" <<<"$out"
	same "$(tail -n 1 <<<"$out")" "2 passed, 2 failed"
	# One whose tree cannot be made is a failure, not a series with nothing to check.
	echo gone/0001-x.patch >>"$S/series"
	out=$(cd "$box" && "$P/tools/check.sh" 2>/dev/null) || :
	grep -q "^not ok toy: its checks did not come to an end" <<<"$out"
	same "$(tail -n 1 <<<"$out")" "0 passed, 3 failed"
}
test_check_interrupted() {
	printf '#!/bin/sh\nsleep 1000.25\n' >"$P/tools/a.sh"; chmod +x "$P/tools/a.sh"
	checks 'slow\t\ta.sh'
	printf '#!/bin/sh\n' >"$P/tools/deps.sh"
	tree
	interrupt env KERNEL_SRC="$box/kernel" "$P/tools/check.sh" >"$box/out"
	! grep -q passed "$box/out"
	! pgrep -f "sleep 1000.25"
}
# A bisect whose tests only say which patch they ran on: "uml 1" for KUnit, "2" for
# the objects, which depend on what the patch touches.
toy_bisect() {
	toy_kconfig
	echo '#unread drivers/vgem' >>"$P/kconfig/uml"
	: >"$S/expected"
	cat >"$P/tools/kunit.sh" <<-END
		#!/bin/bash
		echo "\$*" >>"$box/ran"
		if [ "\$*" = "\$(cat "$box/slow" 2>/dev/null)" ]; then sleep 1000.625; fi
		[ "\$*" != "\$(cat "$box/fails" 2>/dev/null)" ]
	END
	cat >"$P/tools/objects.sh" <<-END
		#!/bin/bash
		. "$P/tools/lib.sh"
		if [ "\$1" = --key ]; then
			from=\$(rev_commit \$((\$2 - 1))) to=\$(rev_commit "\$2")
			kgit -C "\$TREE" diff --name-only "\$from" "\$to" |
				xargs git -C "\$TREE" ls-tree "\$to" | sha256sum | cut -c 1-16
			exit
		fi
		echo "\$1" >>"$box/ran"
	END
	export KERNEL_SRC=$box/kernel
}
ran() { { cat "$box/ran" 2>/dev/null || :; } | xargs -d'\n' printf '%s,'; rm -f "$box/ran"; }
test_bisect_keeps_verdicts() {
	toy_bisect
	local out; out=$(t bisect 2>/dev/null)
	# Patch 3 changes nothing that the UML kernel reads.
	same "$(ran)" "uml 1,1,uml 2,2,3,"
	same "$(tail -n 1 <<<"$out")" "6 passed (1 of them before), 0 failed, 0 left"
	grep -q "^ok 2 objects dma-buf/0002.* of 6, about .* left)" <<<"$out"
	out=$(t bisect 2>/dev/null)
	same "$(ran)" ,
	same "$(tail -n 1 <<<"$out")" "6 passed (6 of them before), 0 failed, 0 left"
	# They do not depend on where the tree is, nor on messages or the README.
	rm -rf "$BUILD_DIR"
	sed -i 's/^Because of five/Because of 5/' "$S"/dma-buf/0001*
	echo more >>"$P/README.md"
	t bisect; same "$(ran)" ,
}
test_bisect_after_a_change() {
	toy_bisect
	t bisect; ran >/dev/null
	# Only that patch and later ones, and of those only what reads what has changed.
	sed -i 's/^+thirty$/+THIRTY/' "$S"/dma-buf/0002*
	t bisect; same "$(ran)" "uml 2,2,"
	sed -i 's/^+seven$/+SEVEN/' "$S"/vgem/0001*
	t bisect; same "$(ran)" "3,"
	same "$(wc -l <"$S/verdicts")" 5
	# The configuration, the tools.
	echo CONFIG_C=y >>"$P/kconfig/uml"
	t bisect; same "$(ran)" "uml 1,uml 2,"
	echo '# new' >>"$P/tools/objects.sh"
	t bisect; same "$(ran)" "1,2,3,"
	TOPIC=vgem t bisect; same "$(ran)" ,
}
test_bisect_failure_is_run_again() {
	toy_bisect
	echo "uml 2" >"$box/fails"
	local out rc=0; out=$(t bisect 2>/dev/null) || rc=$?
	same "$rc" 1
	grep -q "^not ok 2 kunit .*log: " <<<"$out"
	# The same kernel after patch 3: that fails as well, and is not tried for better luck.
	grep -q "^not ok 3 kunit .*the same as after patch 2" <<<"$out"
	same "$(ran)" "uml 1,1,uml 2,2,3,"
	rm "$box/fails"
	t bisect; same "$(ran)" "uml 2,"
}
test_bisect_killed_in_the_middle() {
	toy_bisect; tree
	echo "uml 2" >"$box/slow"
	(cd "$box" && BASE=toy exec setsid "$P/tools/bisect.sh") >"$box/out" 2>&1 & local pid=$! i
	for i in $(seq 200); do
		! grep -q "uml 2" "$box/ran" 2>/dev/null || break
		sleep 0.1
	done
	pkill -KILL -s "$pid"
	wait $pid || :
	flock -w 10 "$BUILD_DIR/toy/lock" true
	ran >/dev/null; rm "$box/slow"
	# A line that was not written to its end does not count, and is in nobody's way.
	printf '%s' "0123456789abcdef 4" >>"$S/verdicts"
	t bisect; same "$(ran)" "uml 2,2,3,"
	same "$(wc -l <"$S/verdicts")" 5
	! pkill -f "sleep 1000.625"
}
test_bisect_ends_in_time() {
	toy_bisect
	echo "0123456789abcdef 1000 objects" >"$S/verdicts"
	echo "0123456789abcdef 5 kunit uml" >>"$S/verdicts"
	local rc=0
	MINUTES=1 t bisect >"$box/out" 2>&1 || rc=$?
	same "$rc" 3
	same "$(ran)" "uml 1,"
	grep -q "left for the next time" "$box/out"
	same "$(tail -n 1 "$box/out")" "1 passed (0 of them before), 0 failed, 5 left"
	t bisect; same "$(ran)" "1,uml 2,2,3,"
}
test_bisect_arguments() {
	unset KERNEL_SRC
	refuses "MINUTES=x is not" env MINUTES=x BASE=toy "$P/tools/bisect.sh"
	refuses "TOPIC=nosuch is unknown; there are: dma-buf vgem" env TOPIC=nosuch BASE=toy "$P/tools/bisect.sh"
	refuses "there are patches 1 to 3" t bisect 3 2
	refuses "there are patches 1 to 3" t bisect 4
	refuses "Exit status" t bisect x
	[ ! -e "$TREE" ]
}
# Kernels whose benchmark is over at once; boots are counted in $box/boots.
toy_bench() {
	cp -R "$HERE/bench" "$P/"; tree
	mkdir -p "$box/k/modules/lib/modules/7/updates"
	: >"$box/k/modules/lib/modules/7/updates/fence-bench.ko"
	cp /bin/true "$box/k/vmlinux"
	cat >"$box/k/linux" <<-END
		#!/bin/bash
		for w; do case \$w in rootflags=*) root=\${w#*=} ;; esac; done
		echo boot >>"$box/boots"
		[ "\$(wc -l <"$box/boots")" != "\$(cat "$box/cut" 2>/dev/null)" ] || kill -KILL 0
		printf 'op two-cpus/shared 1 1 1 1\\nend\\n' >"\$root/result"
	END
	chmod +x "$box/k/linux"
	cat >"$P/tools/kernel.sh" <<-END
		#!/bin/bash
		if [ "\$1" = --key ]; then echo "\$2 \$3 \$(cat "$box/version" 2>/dev/null)"; exit; fi
		mkdir -p "$BUILD_DIR/toy/kernel"
		ln -sfn "$box/k" "$BUILD_DIR/toy/kernel/\$1-\$2"
	END
}
boots() { wc -l <"$box/boots"; rm -f "$box/boots"; }
test_bench_goes_on() {
	toy_bench
	# Two pairs are four boots, six more tell the sizes.
	PAIRS=2 t bench bench-preempt || :
	same "$(boots)" 10
	# Measured before with the same kernels: only reported.
	PAIRS=2 t bench bench-preempt >"$box/out" 2>/dev/null || :
	[ ! -e "$box/boots" ]; [ -s "$box/out" ]
	PAIRS=3 t bench bench-preempt || :
	same "$(boots)" 2
	# Killed in the second pair: the first one counts. The old results stay until then.
	echo new >"$box/version"; echo 4 >"$box/cut"
	local before; before=$(cat "$BUILD_DIR/toy/bench/results.samples")
	(cd "$box" && BASE=toy PAIRS=2 setsid -w "$P/tools/bench.sh" bench-preempt) >"$box/out" 2>&1 && return 1
	same "$(boots)" 4
	same "$(cat "$BUILD_DIR/toy/bench/results.samples")" "$before"
	rm "$box/cut"
	PAIRS=2 t bench bench-preempt || :
	same "$(boots)" 8
	AGAIN=yes PAIRS=2 t bench bench-preempt || :
	same "$(boots)" 10
	refuses "MINUTES=x is not" env MINUTES=x BASE=toy "$P/tools/bench.sh"
	refuses "PAIRS=0 must be a number" env PAIRS=0 BASE=toy "$P/tools/bench.sh"
}
test_stress_goes_on() {
	tree
	printf '#!/bin/bash\n[ "$1" != --key ] || echo key\necho "%s/k"\n' "$box" >"$P/tools/kernel.sh"
	mkdir -p "$box/k/modules" "$box/kselftest"
	echo some.test >"$box/kselftest/tests"; : >"$box/kselftest/fence_unload"; echo 1 >"$box/kselftest/stamp"
	printf '#!/bin/bash\necho "%s/kselftest"\n' "$box" >"$P/tools/kselftest.sh"
	cat >"$P/tools/vm.sh" <<-END
		#!/bin/bash
		config=\$(basename "\$4"); seed=\$(sed -n 's,.*/test/stress \([0-9]*\) .*,\1,p')
		echo "\$config \$seed" >>"$box/ran"
		[ "\$config" != "\$(cat "$box/cut" 2>/dev/null)" ] || pkill -KILL -s 0
		mkdir -p "\$4/1/output"; echo "3 tests" >"\$4/1/output/stress"
		printf 'stress\t%s\t\n' "\$(cat "$box/outcome-\$config" 2>/dev/null || echo pass)" >"\$4/results"
	END
	local ran
	# Cut in the second kernel: the next run has the same seed, and goes on there.
	echo vm-rt >"$box/cut"
	(cd "$box" && BASE=toy KERNEL_SRC=$box/kernel MINUTES=3 setsid -w "$P/tools/stress.sh") >"$box/out" 2>&1 && return 1
	ran=$(ran); local seed=${ran%%,*}; seed=${seed#* }
	same "$ran" "vm-debug $seed,vm-rt $seed,"
	rm "$box/cut"
	flock -w 10 "$BUILD_DIR/toy/lock" true
	# One with a report is run again, one without is not.
	echo fail >"$box/outcome-vm-rt"
	KERNEL_SRC=$box/kernel MINUTES=3 t stress >"$box/out" 2>&1 && return 1
	grep -q "REPORTED: stress fail" "$box/out"
	same "$(ran)" "vm-rt $seed,vm-kcsan $seed,"
	rm "$box/outcome-vm-rt"
	KERNEL_SRC=$box/kernel MINUTES=3 t stress
	same "$(ran)" "vm-rt $seed,"
	# Nothing is unfinished: a new seed.
	KERNEL_SRC=$box/kernel MINUTES=3 t stress
	ran=$(ran); [ "${ran%%,*}" != "vm-debug $seed" ]
	refuses "MINUTES=0 must be a number" env MINUTES=0 BASE=toy "$P/tools/stress.sh"
	refuses "SEED=x must be a number" env SEED=x BASE=toy "$P/tools/stress.sh"
}
test_unread_has_to_be_true() {
	toy_kconfig
	# The build names dma-fence.c as one of the files that it read.
	cat >>"$box/kernel/Makefile" <<-'END'
		> @mkdir -p "$(O)/x"; echo "source_x.o := ../../work/drivers/dma-buf/dma-fence.c" >"$(O)/x/.x.o.cmd"
	END
	kernel_says "" "" ""; tree
	echo '#unread drivers/vgem' >>"$P/kconfig/uml"; t kernel uml base
	same "$(t kernel --key uml 2)" "$(t kernel --key uml 3)"
	echo '#unread drivers/dma-buf' >>"$P/kconfig/uml"
	refuses "says #unread, but the build reads drivers/dma-buf/dma-fence.c" t kernel uml series
	[ ! -e "$BUILD_DIR/toy/kernel/uml-series" ]
}
test_work_in_progress() {
	toy_kconfig; tree
	same "$(t kernel --key uml wip)" "$(t kernel --key uml series)"
	# What is not committed, new files too; nothing of the user's is changed.
	echo x >>"$TREE/drivers/vgem/vgem.c"; echo new >"$TREE/drivers/vgem/new.c"
	[ "$(t kernel --key uml wip)" != "$(t kernel --key uml series)" ]
	t kernel uml wip
	grep -q new "$BUILD_DIR/toy/work/drivers/vgem/new.c"
	same "$(git -C "$TREE" status --porcelain | xargs)" "M drivers/vgem/vgem.c ?? drivers/vgem/new.c"
	same "$(git -C "$TREE" log -1 --format=%s)" "vgem: three"
}
test_foreign_build_folder() {
	mkdir -p "$BUILD_DIR/toy/kernel"; echo mine >"$BUILD_DIR/toy/kernel/mine"
	refuses "was not made by these tools" tree
	same "$(find "$BUILD_DIR/toy" -type f | xargs)" "$BUILD_DIR/toy/kernel/mine"
}
test_usage_lines() {
	local s
	for s in "$HERE"/tools/*.sh; do
		case $s in */lib.sh|*/lib-*.sh|*/selftest.sh) continue ;; esac
		local rc=0 out
		out=$(BASE=toy "$P/tools/$(basename "$s")" --help 2>&1 </dev/null) || rc=$?
		[ $rc -eq 2 ] && grep -qi '^usage:' <<<"$out" || { echo "$s: exit $rc, says: $out"; return 1; }
	done
}
test_help_names_every_target() {
	local help target; help=$(make -s -C "$P" help)
	for target in demo check prove tree export debian bisect mail bench clean distclean; do
		grep -q "^  $target " <<<"$help" || { echo "no $target"; return 1; }
	done
}

# A kernel folder and a QEMU for vm.sh: all commands pass, nothing is booted.
fake_vm() {
	mkdir -p "$box/bin" "$box/k/modules/lib/modules/7.3"
	tree 2>/dev/null
	: >"$box/k/bzImage"
	echo CONFIG_A=y >"$box/k/config"
	cat >"$box/bin/qemu-system-x86_64" <<-'END'
		#!/bin/bash
		[ -s initramfs ] || exit 1
		echo booted >console
		if [ "$(cat commands)" = shell ]; then
			echo "run shell" >result
			while read -r line && [ "$line" != exit ] && [ "$line" != $'\004' ]; do printf 'did %s\r\n' "$line"; done
			[ "$line" != $'\004' ] || echo "no exit"
			exit "$(cat "${0%/*}/status" 2>/dev/null || echo 0)"
		fi
		while read -r name _; do printf 'run %s\nexit %s 0\n' "$name" "$name"; done <commands >result
		echo "verdict pass" >>result
		sleep "$(cat "${0%/*}/slow" 2>/dev/null || echo 0)"
	END
	chmod +x "$box/bin/qemu-system-x86_64"
}
vm() { echo "one true" | (PATH=$box/bin:$PATH t vm "$@"); }
B=$BUILD_DIR/toy
test_vm_keeps_what_is_not_its_own() {
	fake_vm
	mkdir "$box/mine"; echo precious >"$box/mine/file"; echo program >"$box/program"
	local before; before=$(find "$box/mine" "$box/program" -type f -exec sha256sum {} +)
	refuses "did not make; move it away" vm "$box/k" "$box/mine"
	refuses "is a file" vm "$box/k" "$box/program"
	ln -s mine "$box/link"; refuses "a link that vm.sh did not make" vm "$box/k" "$box/link"
	# Nor below the build folder.
	mkdir -p "$B/notes/1"; echo precious >"$B/notes/results"; echo precious >"$B/notes/text"
	refuses "did not make" vm "$box/k" "$B/notes"
	mkdir -p "$B/runs"; refuses "in the folder of the runs" vm "$box/k" "$B/runs/x"
	refuses . vm "$box/k" "$B"
	same "$(find "$box/mine" "$box/program" -type f -exec sha256sum {} +)" "$before"
	same "$(cat "$B/notes/text")" precious
	same "$(ls "$B/runs")" ""
}
test_vm_checks_before_it_makes_anything() {
	fake_vm
	refuses "there is no folder $box/nothing" vm "$box/nothing" "$box/out"
	mkdir "$box/empty"; refuses "no bzImage" vm "$box/empty" "$box/out"
	: >"$box/empty/bzImage"; refuses "no modules" vm "$box/empty" "$box/out"
	refuses "FILE $box/nothing is not" vm "$box/k" "$box/out" "$box/nothing"
	refuses "FILE $box/k is not" vm "$box/k" "$box/out" "$box/k"
	refuses "must be a number" vm -t soon "$box/k" "$box/out"
	refuses "must be a number" vm -j 0 "$box/k" "$box/out"
	: >"$box/file"; refuses "cannot make OUT" vm "$box/k" "$box/file/out"
	[ ! -e "$box/out" ] && [ ! -e "$B/runs" ]
}
test_vm_runs() {
	fake_vm
	local i; for i in $(seq 12); do vm "$box/k" "$B/a/out"; done
	[ -L "$B/a/out" ]
	same "$(cat "$B/a/out/results")" "one	pass	"
	same "$(cat "$B/a/out/config")" "CONFIG_A=y"
	same "$(ls "$B/runs/a-out" | wc -l)" 10
	same "$(cd "$B/a/out" && pwd -P)" "$B/runs/a-out/$(ls "$B/runs/a-out" | tail -n 1)"
	# What QEMU was called with can be called again.
	grep -q "^exec qemu-system-x86_64 .*-kernel [.][.]/bzImage" "$B/a/out/1/command"
	[ ! -e "$B/a/out/1/initramfs" ]
	vm -k "$box/k" "$box/out"; [ -s "$box/out/1/initramfs" ]
	(cd "$box/out/1" && PATH=$box/bin:$PATH ./command)
	# Another OUT of the same name has runs of its own.
	vm "$box/k" "$B/a-out"; vm "$box/k" "$B/a-out"
	same "$(ls "$B/runs/a-out" | wc -l)" 12
	vm "$box/k" "$B/a/out"; same "$(ls "$B/runs/a-out" | wc -l)" 12
	# The folder can be moved, and the runs be removed by hand.
	mv "$BUILD_DIR" "$box/elsewhere"; [ -s "$box/elsewhere/toy/a/out/results" ]; mv "$box/elsewhere" "$BUILD_DIR"
	rm -rf "$B/runs"; vm "$box/k" "$B/a/out"; vm "$box/k" "$box/out"; [ -s "$box/out/results" ]
}
test_vm_interrupted() {
	fake_vm; echo 1000.5 >"$box/bin/slow"
	echo "one true" >"$box/in"
	PATH=$box/bin:$PATH interrupt bash -c '"$0" "$1" "$2" <"$3"' "$P/tools/vm.sh" "$box/k" "$B/out" "$box/in"
	! pgrep -f "sleep 1000.5$"
	rm "$box/bin/slow"; vm "$box/k" "$B/out"
	same "$(cat "$B/out/results")" "one	pass	"
	same "$(ls "$B/tmp")" ""
}
test_vm_shell_on_a_pipe() {
	fake_vm
	shell() { PATH=$box/bin:$PATH t vm -s "$box/k" "$B/shell"; }
	same "$(printf 'a\nb\nexit\nc\n' | shell)" "did a
did b"
	# Without exit it ends as well, and what has not ended its input does not keep it.
	same "$(printf a | shell)" "did a
no exit"
	exec 7< <(echo exit; exec sleep 1000.75)
	local pid=$!
	same "$(shell <&7)" ""
	kill $pid	# still there
	echo 3 >"$box/bin/status"
	refuses "QEMU ended with status 3" shell </dev/null
	rm "$box/bin/status"
}
toy_tests() {	# the text of a kernel with tests, of which nothing is built
	cat >"$box/kernel/drivers/dma-buf/st-toy.c" <<-'END'
		static struct kunit_case toy_cases[] = {
			KUNIT_CASE(first_thing),
			KUNIT_CASE_PARAM(second_thing, x),
			{}
		};
		static struct kunit_suite toy_suite = {
			.name = "toy_suite",
			.test_cases = toy_cases,
		};
	END
	mkdir -p "$box/kernel/tools/testing/selftests/dma-buf"
	printf 'FIXTURE_VARIANT_ADD(held, vgem_file) { 1 };\nTEST_F(held, close)\nTEST(alone)\n' \
		>"$box/kernel/tools/testing/selftests/dma-buf/fence_unload.c"
	kernel_says "" "" ""
}
try() { (export TEST=$1 REV=${2:-} CONFIG=${3:-}; t test); }
test_test_names_what_is_near() {
	toy_tests; tree
	refuses "no test of wip is called 'toy_suit'; near it: toy_suite" try toy_suit
	refuses "near it: .*toy_suite.first_thing" try toy_suite.frist_thing
	refuses "near it: .*toy_suite.second_thing" try second_thing
	refuses "near it: .*held.vgem_file.close" try held.vgem_fil.close
	refuses "near it: .*global.alone" try global.alne
	refuses "nothing is near it; there are: toy_suite, held, global" try zzzz
	refuses "no revision '9'" try toy_suite 9
	refuses "CONFIG=drivers cannot be booted" try toy_suite "" drivers
	refuses "does not run on UML" try held "" uml
	refuses "not the name of a test" try "a b"
	refuses "not the name of a test" try "a/b"
	[ ! -e "$BUILD_DIR/toy/obj" ]
	# What is not committed is there too.
	sed -i 's/first_thing/other_thing/' "$TREE/drivers/dma-buf/st-toy.c"
	refuses "near it: .*toy_suite.other_thing" try toy_suite.othr_thing
	refuses "near it: .*toy_suite.first_thing" try toy_suite.frst_thing series
}
test_test_without_a_name() {
	refuses . try ""
	local out rc=0; out=$(make -s -C "$P" test BASE=toy 2>&1) || rc=$?
	[ $rc -ne 0 ] && grep -q '^usage: TEST=' <<<"$out"
}
test_test_on_uml() {
	kunit_py; toy_kconfig; echo CONFIG_DMABUF_KUNIT_TEST=y >>"$P/kconfig/uml"
	printf 'static struct kunit_case c[] = {\n\tKUNIT_CASE(one),\n\tKUNIT_CASE(two),\n};\nstatic struct kunit_suite s = {\n\t.name = "toy",\n\t.test_cases = c,\n};\n' \
		>"$box/kernel/drivers/dma-buf/st-toy.c"
	kernel_says "" "" "reboot: System halted"; tree
	try toy >"$box/out"
	same "$(cat "$box/out")" "pass toy.one
pass toy.two
2 passed, 0 skipped, 0 failed"
	# An edit that is not committed.
	sed -i 's/    ok 2 two/    # two: EXPECTATION FAILED at st-toy.c:7\n    not ok 2 two/' "$TREE/console.txt"
	! try toy >"$box/out" 2>&1
	grep -q "^    # two: EXPECTATION FAILED at st-toy.c:7" "$box/out"
	grep -q "^fail toy.two" "$box/out"
	same "$(tail -n 1 "$box/out")" "1 passed, 0 skipped, 1 failed"
	same "$(git -C "$TREE" log --format=%s base..series | wc -l)" 3
	try toy series >/dev/null
	# The kernel dies.
	in_tree checkout -q .
	console "$TREE" dead "Kernel panic - not syncing: oh" ""
	! try toy >"$box/out" 2>&1
	grep -q "^pass toy.one" "$box/out"
	grep -q "^    the kernel died in it" "$box/out"
	grep -q "on the console: panic: oh" "$box/out"
	same "$(tail -n 1 "$box/out")" "1 passed, 0 skipped, 1 failed"
	# It does not compile.
	in_tree checkout -q .
	sed -i 's,^> @\[ ! -f broken \],> @echo "../../work/drivers/dma-buf/dma-fence.c:3:1: error: it is broken"; for i in 1 2 3 4 5 6; do echo "  CC x$$i.o"; done; false,' "$TREE/Makefile"
	! try toy >"$box/out" 2>&1
	grep -q "^drivers/dma-buf/dma-fence.c:3:1: error: it is broken" "$box/out"
	grep -q "wip does not build in uml; log" "$box/out"
}

# A kernel that compiles a file and in which mutant=N has the case two do something.
toy_faults() {
	kunit_py; toy_kconfig; echo CONFIG_DMABUF_KUNIT_TEST=y >>"$P/kconfig/uml"
	mkdir -p "$box/kernel/kernel" "$S/mutations"
	echo >"$box/kernel/kernel/params.c"
	sed -i 's,^> @\[ ! -f broken \],> gcc -w -Dnoinline= -D__maybe_unused= -D"READ_ONCE(x)=(x)" -D"unlikely(x)=(x)" -fsyntax-only drivers/dma-buf/toy.c,' \
		"$box/kernel/Makefile"
	cat >"$box/kernel/drivers/dma-buf/toy.c" <<-'END'
		static int sum;
		/* adds */
		static inline int
		add(int a, int (*f)(int), int b[2])
		{
			sum += a;
			if (f)
				sum += f(b[0]);

			return sum;
		}

		void clear(void)
		{
			sum = 0;
		}
		int data = 1;
	END
	cat >"$box/kernel/after.txt" <<-END
		two=ok
		case " \$* " in
		*" mutant=13001 "*) two="not ok" ;;
		*" mutant=13002 "*) exec sleep 1000 ;;
		*" mutant=13004 "*) echo x >>"$box/times"; [ \$(wc -l <"$box/times") != 2 ] || two="not ok" ;;
		esac
		echo "    \$two 2 two"
		echo "\$two 1 toy"
		echo "reboot: System halted"
	END
	cat >"$box/kernel/drivers/dma-buf/st-toy.c" <<-'END'
		static struct kunit_case toy_cases[] = {
			KUNIT_CASE(one),
			KUNIT_CASE(two),
			{}
		};
		static struct kunit_suite toy_suite = {
			.name = "toy",
			.test_cases = toy_cases,
		};
	END
	kernel_says dead "" ""
	fault M1 killed "@@ add" "-	sum += a;" >"$S/mutations/toy"
	fault M2 killed "@@" "-	sum = 0;" "+	sum = 1;" >>"$S/mutations/toy"
	fault M3 "survives: nobody looks" "@@ add" " 		sum += f(b[0]);" " " "-	return sum;" "+	return 0;" >>"$S/mutations/toy"
	fault M4 chance "@@ add" "-	if (f)" "@@ clear" "-	sum = 0;" >"$S/mutations/toys"
	{
		fault M5 killed "build: alone" "+++ after.txt" "@@" "-two=ok" '+two="not ok"'
		fault M6 "equivalent: as it is" "+++ drivers/vgem/vgem.c" "@@" "-1" "+1 " "build: alone"
	} | sed '/^M6/,$s/^test:.*/test: -/' >>"$S/mutations/toys"
	sed -i '/^build: alone$/d; /^M[56] /abuild: alone' "$S/mutations/toys"
}
fault() {	# fault ID VERDICT LINE...
	printf '%s\n' "$1 drivers/dma-buf/toy.c" "user: bad" "test: uml toy.two" "verdict: $2" "${@:3}" ""
}
mutate() { KUNIT_TIMEOUT=4 BASE=toy TOPIC=${1:-} ID=${2:-} "$P/tools/mutate.sh"; }
test_mutate() {
	toy_faults; tree
	mutate >"$box/out" 2>"$box/err"
	same "$(grep -v ^ok "$box/out")" "topic      faults killed by chance survives equivalent seen
toy             3      2         0        1          0  66 %
toys            3      1         1        0          1 100 %
all             6      3         1        1          1  80 %
6 as listed, 0 not"
	grep -qx "ok M4 toys: chance 1 of 3 by toy.two" "$box/out"
	# What was as listed is not run again, nor is the kernel made again.
	n=$(wc -l <"$BUILD_DIR/toy/mutate/obj/uml/count")
	mutate >"$box/out" 2>"$box/err"
	! grep -q '^ok' "$box/out"
	same "$(tail -n 1 "$box/out")" "6 as listed, 0 not"
	same "$(wc -l <"$BUILD_DIR/toy/mutate/obj/uml/count")" "$n"
	# A kernel that the faults are not in is another one.
	t kernel uml series
	! grep -q mutant_id "$BUILD_DIR/toy/work/kernel/params.c"
	# A tree that is made anew does not know the worktree.
	rm -rf "$TREE" "$S/verdicts-mutate" "$BUILD_DIR/toy/kernel"; tree
	mutate toy M1 >"$box/out" 2>"$box/err"
	same "$(tail -n 1 "$box/out")" "1 as listed, 0 not"
	# Of the user's tree nothing is changed, and clean may remove it.
	same "$(git -C "$TREE" status --porcelain)" ""
	t clean
}
test_mutate_is_a_ratchet() {
	toy_faults; tree
	sed -i '/^M1/,/^$/s/^verdict:.*/verdict: survives: so it is said/; /^M3/,/^$/s/^verdict:.*/verdict: killed/' "$S/mutations/toy"
	! mutate toy >"$box/out" 2>"$box/err"
	grep -q "^not ok M1 toy: killed by toy.two, listed as survives; log: " "$box/out"
	grep -q "^not ok M3 toy: survives, listed as killed; log: " "$box/out"
	grep -qx "ok M2 toy: killed by toy.two" "$box/out"
	same "$(tail -n 1 "$box/out")" "1 as listed, 2 not"
	# Only those are run again.
	! mutate toy >"$box/out" 2>"$box/err"
	same "$(grep -c 'ok M' "$box/out")" 2
}
test_mutate_refuses_mistakes() {
	toy_faults; tree
	cp "$S/mutations/toy" "$box/toy"
	wrong() { refuses "series/toy/mutations has mistakes" mutate; { mutate 2>&1 || :; } | grep -q "$1"; cp "$box/toy" "$S/mutations/toy"; }
	sed -i 's/^verdict: survives.*/verdict: survives/' "$S/mutations/toy"; wrong "M3: its verdict gives no reason"
	sed -i 's/^test:.*/test: -/' "$S/mutations/toy"; wrong "M1: it has no test that is to kill it"
	sed -i 's/^M2 /M1 /' "$S/mutations/toy"; wrong "M1: there is another one of that name"
	sed -i '/^user:/d' "$S/mutations/toy"; wrong "M1: it does not say what it does to a user"
	echo "what is this" >>"$S/mutations/toy"; wrong "'what is this' is no 'ID FILE'"
	refuses "no fault is called ID=M9" mutate "" M9
	refuses "there is no kconfig/nosuch" env BASE=toy ID=M1 bash -c "sed -i 's/^test: uml/test: nosuch/' '$S/mutations/toy'; '$P/tools/mutate.sh'"
	cp "$box/toy" "$S/mutations/toy"
	# They do not apply, whatever was chosen of that topic.
	sed -i 's/^-	sum += a;/-	sum += 1;/' "$S/mutations/toy"
	refuses "M1 does not apply: there is no 'sum += 1;'" mutate toy
	cp "$box/toy" "$S/mutations/toy"
	sed -i '/^M2/,/^$/s/^-.*/-	sum/' "$S/mutations/toy"
	refuses "M2 does not apply: there is no 'sum'" mutate toy
	cp "$box/toy" "$S/mutations/toy"
	sed -i '/^M2/,/^$/{s/^-.*/-int data = 1;/;/^+/d}' "$S/mutations/toy"
	refuses "M2 does not apply: it is not in a function; say 'build: alone'" mutate toy
	cp "$box/toy" "$S/mutations/toy"
	# The compiler names it.
	sed -i '/^M2/,/^$/s/^+.*/+	no C/' "$S/mutations/toy"
	! mutate toy >"$box/out" 2>&1
	grep -q "^fault M2 of drivers/dma-buf/toy.c:15:.*error" "$box/out"
	grep -q "with 4 faults does not build; log" "$box/out"
}
test_mutate_on_two_kernels() {
	toy_faults; tree
	cp "$P/kconfig/uml" "$P/kconfig/uml-xe"
	sed -i '/^M1/,/^$/s/^test:.*/test: uml toy.one\ntest: uml-xe toy.one toy.two/; /^M3/,/^$/s/^test:.*/&\ntest: uml-xe toy.one/' "$S/mutations/toy"
	mutate toy >"$box/out" 2>"$box/err"
	grep -qx "ok M1 toy: killed by toy.two" "$box/out"
	grep -qx "ok M3 toy: survives" "$box/out"
	same "$(tail -n 1 "$box/out")" "3 as listed, 0 not"
	[ -f "$BUILD_DIR/toy/log/mutate/M3-uml-xe-toy.one.log" ]
}
test_mutate_in_time() {
	toy_faults; tree
	rc=0
	MINUTES=1 mutate toys >"$box/out" 2>&1 || rc=$?
	same "$rc" 0
	! MINUTES=x mutate >"$box/out" 2>&1
	grep -q "not a number of minutes" "$box/out"
}
test_mutate_needs_what_passes() {
	toy_faults
	sed -i 's/^two=ok/two="not ok"/' "$box/kernel/after.txt"; kernel_says dead "" ""; tree
	! mutate toy >"$box/out" 2>"$box/err"
	grep -q "uml: toy.\* does not pass without a fault: toy.two; log" "$box/err"
	same "$(tail -n 1 "$box/out")" "0 as listed, 3 not"
}

# --- run ------------------------------------------------------------------------------
# All of them: as many at a time as there are CPUs, each in a box of its own.
if [ -z "$pattern" ]; then
	declare -F | sed -n 's/^declare -f test_/=/p' |
		xargs -P "$(nproc)" -n 1 "$HERE/tools/selftest.sh" | grep -v ' passed, ' | tee "$box/all" || :
	passed=$(grep -c '^ok ' "$box/all") || :
	failed=$(($(declare -F | grep -c ' test_') - passed))
	echo "$passed passed, $failed failed"
	[ $failed -eq 0 ]
	exit
fi
passed=0 failed=0
for name in $(declare -F | sed -n 's/^declare -f test_//p'); do
	[[ $name == *"$pattern"* || "=$name" == "$pattern" ]] || continue
	find "$box" -mindepth 1 -maxdepth 1 -exec rm -rf -- {} +
	new_project >/dev/null 2>&1
	: >"$GIT_CONFIG_GLOBAL"
	rc=0
	set +e
	(set -e; "test_$name") >"$box/log" 2>&1
	rc=$?
	set -e
	if [ $rc -eq 0 ]; then
		passed=$((passed + 1)); echo "ok ${name//_/ }"
	else
		failed=$((failed + 1)); echo "not ok ${name//_/ }"; sed 's/^/    /' "$box/log"
	fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
