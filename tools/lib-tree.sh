# SPDX-License-Identifier: GPL-2.0
# Sourced by tree.sh, export.sh and clean.sh: what build/$BASE/linux has to do with
# series/$BASE.
# shellcheck shell=bash
#
# The file .git/series-state there says so, in lines:
#   source KEY           where the base comes from
#   patch SUM COMMIT     a commit that was made from the patch with that checksum
#   mended SUM COMMIT    what the developer committed in place of that patch
#   pending SUM PATCH    the patch that did not apply; without this line all are there
#   head COMMIT          where the tools left the branch
#   moving COMMIT        where it was before; only while it is being moved to `head`

STATE=$TREE/.git/series-state

state_field() { sed -n "s/^$1 //p" -- "$STATE"; }
state_sums() { sed -nE 's/^(patch|mended) ([0-9a-f]*) .*/\2/p' -- "$STATE"; }
tree_head() { kgit -C "$TREE" rev-parse HEAD; }
dirty() { [ -n "$(kgit -C "$TREE" status --porcelain | head -n 1)" ]; }

# not_in_progress: dies while a git am or a rebase waits for the developer.
not_in_progress() {
	local patch
	[ -e "$TREE/.git/rebase-apply" ] || [ -e "$TREE/.git/rebase-merge" ] || return 0
	patch=$(state_field pending)
	[ -z "$patch" ] ||
		die "the git am of ${patch#* } is still in progress in $TREE; finish it there (git am --continue, or --abort to try again), then make export"
	die "a git am or rebase is in progress in $TREE; finish it first"
}

# untouched: removing TREE loses nothing that is nowhere else.
untouched() {
	local f build
	build=$(cd -- "$BUILD" && pwd -P)
	[ -f "$STATE" ] && [ -z "$(state_field mended)" ] &&
	[ ! -e "$TREE/.git/rebase-apply" ] && [ ! -e "$TREE/.git/rebase-merge" ] &&
	[ "$(tree_head)" = "$(state_field head)" ] && ! dirty || return 1
	# Patches of the user are among what the kernel's .gitignore names.
	[ -z "$(kgit -C "$TREE" status --porcelain --ignored |
		grep -vE '(__pycache__/|\.pyc)$')" ] || return 1
	# Branches, tags, a stash, and what a worktree elsewhere has.
	[ -z "$(kgit -C "$TREE" for-each-ref --format='%(refname)' |
		grep -vE '^refs/(heads/series$|tags/base$|series/)')" ] || return 1
	while IFS= read -r f; do
		case $f in
		"$build/linux"|"$build/work"|"$build/mutate/work"|"$build/tmp/"*) ;;
		*)	[ ! -e "$f" ] || return 1 ;;
		esac
	done < <(kgit -C "$TREE" worktree list --porcelain | sed -n 's/^worktree //p')
}
