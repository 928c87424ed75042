# Sourced by every script of tools/: where things are, how to speak, how to stop.
# shellcheck shell=bash
#
#   TOP     the project                     BASE    which series (series/$BASE)
#   SERIES  $TOP/series/$BASE               BUILD   $BUILD_DIR/$BASE, all that is made
#   TREE    $BUILD/linux, the git tree      WORK    $BUILD/work, its worktree for builds
#   LOG     $BUILD/log                      KERNELS $BUILD/kernel
#
# BUILD_DIR (default $TOP/build) moves what is made elsewhere.

set -eu -o pipefail
export LC_ALL=C

TOP=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
BASE=${BASE:-drm-misc-next}
BUILD_DIR=${BUILD_DIR:-$TOP/build}
SELF=$(basename -- "$0")

say()  { printf '%s\n' "$*" >&2; }
die()  { printf '%s: %s\n' "$SELF" "$*" >&2; exit 1; }

# usage "text": print it and leave, for -h and for wrong arguments.
usage() { printf 'usage: %s\n' "$1" >&2; exit 2; }

case $BASE in
*[!A-Za-z0-9._-]*|''|.*) die "BASE=$BASE is not a known series; there are: $(cd "$TOP/series" && echo *)" ;;
esac
# A run of export.sh that was killed between its two renames.
[ -d "$TOP/series/$BASE" ] || [ ! -d "$TOP/series/.$BASE.old" ] ||
	mv -- "$TOP/series/.$BASE.old" "$TOP/series/$BASE"
[ -f "$TOP/series/$BASE/base" ] ||
	die "BASE=$BASE is unknown; there are: $(cd "$TOP/series" && echo *)"
mkdir -p -- "$BUILD_DIR" 2>/dev/null ||
	die "cannot make the build folder '$BUILD_DIR'; set BUILD_DIR to a folder that you may write to"
BUILD_DIR=$(cd -- "$BUILD_DIR" && pwd -P)
case $BUILD_DIR in
*[[:space:]:]*) die "kbuild cannot build in '$BUILD_DIR' (a space or a colon in the path); set BUILD_DIR=/another/folder" ;;
esac

SERIES=$TOP/series/$BASE
BUILD=$BUILD_DIR/$BASE
TREE=$BUILD/linux
WORK=$BUILD/work
LOG=$BUILD/log
KERNELS=$BUILD/kernel
export TOP BASE BUILD_DIR SERIES BUILD TREE WORK LOG KERNELS
# The lock marks a folder that these tools made; in another one nothing is touched.
if [ ! -f "$BUILD/lock" ]; then
	[ ! -e "$BUILD" ] || [ -z "$(ls -A -- "$BUILD/")" ] ||
		die "$BUILD was not made by these tools; set BUILD_DIR=/another/folder"
	mkdir -p -- "$BUILD"
	: >"$BUILD/lock"
fi
mkdir -p -- "$LOG" "$BUILD/tmp"

# The tools' git: the user's configuration (hooks, signing, diff options) must
# not change what is made. tools/mail.sh alone asks for the user's identity.
kgit() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_TERMINAL_PROMPT=0 \
	git -c gc.auto=0 -c maintenance.auto=false -c advice.detachedHead=false \
	    -c core.hooksPath=/dev/null "$@"
}
export GIT_COMMITTER_NAME="dma-fence lifetime series"
export GIT_COMMITTER_EMAIL="dma-fence-lifetime@localhost"
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
# What kbuild would take from the environment, or from the make that called us.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES O V W C KCFLAGS KCPPFLAGS ARCH CROSS_COMPILE KERNELRELEASE KCONFIG_CONFIG

# One run at a time in a build folder. The lock is held until the last child
# that inherited it is gone, so a leftover compiler keeps a second run away too.
lock_build() {
	[ -z "${LIFETIME_LOCKED:-}" ] || return 0
	exec 9>"$BUILD/lock"
	flock -n 9 || die "another run is at work in $BUILD; wait for it or set BUILD_DIR=/another/folder"
	export LIFETIME_LOCKED=$BUILD
	# What a run left that was killed. Scripts without the lock need theirs for seconds.
	find "$BUILD/tmp" -mindepth 1 -maxdepth 1 -mmin +60 -exec rm -rf -- {} +
}

# Temporary names, removed on every way out, and what runs in the background
# (each a process group of its own), ended on every way out.
TEMPS=()
temp_dir() {	# temp_dir VARIABLE
	printf -v "$1" '%s' "$(mktemp -d "$BUILD/tmp/XXXXXX")"
	TEMPS+=("${!1}")
}
at_exit() {
	local rc=$? pid
	trap - EXIT
	trap '' INT TERM HUP
	for pid in $(jobs -p); do
		kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || :
	done
	wait 2>/dev/null || :
	[ ${#TEMPS[@]} -eq 0 ] || rm -rf -- "${TEMPS[@]}"
	exit "$rc"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# watched TITLE LOG COMMAND...: runs it with all output in LOG, and shows that it
# lives: on a terminal one line that moves, else a line each minute. Returns 124 if
# it had to be stopped at $deadline (see lib-verdicts.sh).
watched() {
	local title=$1 log=$2 start=$SECONDS pid next rc=0 tty=
	shift 2
	mkdir -p -- "$(dirname -- "$log")"
	[ ! -t 2 ] || [ -n "${CI:-}" ] || tty=yes
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	next=$((SECONDS + 60))
	[ -n "$tty" ] || say "  $title …"
	while kill -0 "$pid" 2>/dev/null; do
		if [ -n "${deadline:-}" ] && [ $SECONDS -ge "$deadline" ]; then
			kill -TERM -- "-$pid" 2>/dev/null || :
			wait "$pid" || :
			return 124
		fi
		if [ -n "$tty" ]; then
			printf '\r\033[K  %s  %d s  %s' "$title" $((SECONDS - start)) \
				"$(tail -n 1 -- "$log" | tr -d '\r\033' | cut -c 1-50)" >&2
			sleep 0.5
		elif [ $SECONDS -ge "$next" ]; then
			say "  $title … $((SECONDS - start)) s: $(tail -n 1 -- "$log" | cut -c 1-70)"
			next=$((SECONDS + 60))
		else
			sleep 0.1
		fi
	done
	wait "$pid" || rc=$?
	[ -z "$tty" ] || printf '\r\033[K' >&2
	[ $rc -ne 124 ] || rc=1
	return $rc
}

# logged NAME COMMAND...: watched, with the log $LOG/NAME.log; a failure shows
# its last lines and names it.
logged() {
	local name=$1 start=$SECONDS rc=0
	shift
	watched "$name" "$LOG/$name.log" "$@" || rc=$?
	if [ $rc -ne 0 ]; then
		tail -n 5 -- "$LOG/$name.log" >&2
		say "$SELF: $name failed (exit $rc); log: $LOG/$name.log"
		return $rc
	fi
	say "  $name: $((SECONDS - start)) s"
}

# base_field NAME: a field of series/$BASE/base ("name: value" lines).
base_field() {
	sed -n "s/^$1:[[:space:]]*//p" -- "$SERIES/base" | head -n 1
}

# series_patches: the patches of the series in order, comments left out.
series_patches() {
	[ -f "$SERIES/series" ] || die "series/$BASE/series is missing"
	sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' -- "$SERIES/series"
}

# The topics, in order.
series_topics() { series_patches | sed 's,/.*,,' | awk '!seen[$0]++'; }

# rev_commit REV: the commit of base, series, tests, wip or a patch's number; alone-TOPIC
# and needs-TOPIC are of tools/alone.sh.
rev_commit() {
	case $1 in base|wip|0) ;; *)
		! grep -q '^pending ' "$TREE/.git/series-state" 2>/dev/null ||
			die "not all patches are in $TREE yet; make export goes on with them" ;;
	esac
	case $1 in
	base)	kgit -C "$TREE" rev-parse -q --verify 'refs/tags/base^{commit}' ;;
	series)	kgit -C "$TREE" rev-parse -q --verify 'refs/heads/series^{commit}' ;;
	tests)	kgit -C "$TREE" rev-parse -q --verify 'refs/series/tests^{commit}' ;;
	wip)	wip_commit ;;
	mutant|mutants|alone-*|needs-*) kgit -C "$TREE" rev-parse -q --verify "refs/series/$1^{commit}" ;;
	*[!0-9]*|'') return 1 ;;
	0)	rev_commit base ;;
	*)	kgit -C "$TREE" rev-list --reverse base..series | sed -n "${1}p" | grep . ;;
	esac
}

# known_rev REV: dies if there is no such revision. It can be asked before there is a
# tree. For wip it also fixes, for this script and what it calls, which state that is.
known_rev() {
	local last
	case $1 in
	base|series|tests|mutant|mutants|alone-*|needs-*) return 0 ;;
	wip)	[ -n "${LIFETIME_WIP:-}" ] || [ ! -d "$TREE" ] || {
			LIFETIME_WIP=$(wip_commit)
			export LIFETIME_WIP
		}
		return 0 ;;
	esac
	last=$(series_patches | wc -l)
	[ ! -d "$TREE" ] || last=$(kgit -C "$TREE" rev-list --count base..series)
	case $1 in
	''|0?*|*[!0-9]*) ;;
	*)	[ "$1" -gt "$last" ] || return 0 ;;
	esac
	die "no revision '$1'; say base, tests, series, wip or the number of a patch (1 to $last)"
}

# wip_commit: the work tree of build/$BASE/linux as it is, with what is not committed.
wip_commit() {
	local index tree commit
	if [ -n "${LIFETIME_WIP:-}" ]; then
		echo "$LIFETIME_WIP"
		return
	fi
	index=$(mktemp "$BUILD/tmp/index.XXXXXX")
	cp -- "$(kgit -C "$TREE" rev-parse --absolute-git-dir)/index" "$index"
	tree=$(GIT_INDEX_FILE=$index kgit -C "$TREE" add -A && GIT_INDEX_FILE=$index kgit -C "$TREE" write-tree) || {
		rm -f -- "$index" "$index.lock"
		die "git cannot read the work tree $TREE"
	}
	rm -f -- "$index"
	commit=$(kgit -C "$TREE" rev-parse HEAD)
	if [ "$tree" != "$(kgit -C "$TREE" rev-parse 'HEAD^{tree}')" ]; then
		commit=$(echo "work in progress" |
			GIT_AUTHOR_NAME=$GIT_COMMITTER_NAME GIT_AUTHOR_EMAIL=$GIT_COMMITTER_EMAIL \
			GIT_AUTHOR_DATE="2000-01-01T00:00:00Z" GIT_COMMITTER_DATE="2000-01-01T00:00:00Z" \
			kgit -C "$TREE" commit-tree "$tree" -p HEAD)
		kgit -C "$TREE" update-ref refs/series/wip "$commit"
	fi
	echo "$commit"
}

# unread CONFIG: the folders and files whose text a build of kconfig/CONFIG does not
# depend on, by its line "#unread PATH...".
unread() { sed -n 's/^#unread[[:space:]]*//p' "$TOP/kconfig/$1"; }

# inputs CONFIG COMMIT: one sum of all that a build of CONFIG reads of that commit.
# The Kconfig files of an unread folder are read, and its own Makefile.
inputs() {
	kgit -C "$TREE" ls-tree -r "$2" | awk -F'\t' -v unread="$(unread "$1" | xargs)" '
		BEGIN { n = split(unread, path, " ") }
		$2 !~ /(^|\/)Kconfig[^\/]*$/ {
			for (i = 1; i <= n; i++)
				if ($2 == path[i] || index($2, path[i] "/") == 1 && $2 != path[i] "/Makefile")
					next
		}
		{ print }' | sha256sum | cut -d' ' -f1
}

# checkout_work REV: put that revision into the worktree that is built from.
# git rewrites only the files that differ, so builds stay incremental.
checkout_work() {
	local commit
	commit=$(rev_commit "$1") || die "no revision '$1'; say base, tests, series, wip or a patch's number"
	if [ ! -e "$WORK/.git" ]; then
		kgit -C "$TREE" worktree prune
		rm -rf -- "$WORK"
		logged checkout kgit -C "$TREE" worktree add -f --detach "$WORK" "$commit"
	fi
	if [ "$(kgit -C "$WORK" rev-parse HEAD)" != "$commit" ] ||
	   ! kgit -C "$WORK" diff --quiet HEAD --; then
		rm -f -- "$(kgit -C "$WORK" rev-parse --absolute-git-dir)/index.lock"
		kgit -C "$WORK" checkout -q -f --detach "$commit"
	fi
	# shellcheck disable=SC2034
	SOURCE=$WORK
}

# vmtest: the folder of the kselftest and of vmtest.sh, as the series has them, or the work
# tree if that is what is tested.
vmtest() {
	local dir=tools/testing/selftests/dma-buf rev id tmp
	for rev in ${LIFETIME_WIP:-} series; do
		! kgit -C "$TREE" cat-file -e "$rev:$dir/vmtest.sh" 2>/dev/null || break
	done
	if ! id=$(kgit -C "$TREE" rev-parse -q --verify "$rev:$dir"); then
		# While the series is applied to another base, the one of before does.
		id=$(ls -t "$BUILD/vmtest" 2>/dev/null | grep -m 1 -xE '[0-9a-f]{40}') ||
			die "$TREE has no $dir/vmtest.sh yet; make export goes on with the series"
	fi
	if [ ! -d "$BUILD/vmtest/$id" ]; then
		mkdir -p -- "$BUILD/vmtest"
		# Each edit of it makes one.
		find "$BUILD/vmtest" -mindepth 1 -maxdepth 1 -type d -mtime +1 -exec rm -rf -- {} +
		tmp=$(mktemp -d "$BUILD/tmp/XXXXXX")
		kgit -C "$TREE" archive "$id" | tar -xf - -C "$tmp"
		# Another run may have been faster.
		mv -T -- "$tmp" "$BUILD/vmtest/$id" 2>/dev/null || rm -rf -- "$tmp"
	fi
	echo "$BUILD/vmtest/$id"
}

# objects_of REV: of the C files on standard input those that are objects of the
# kernel by themselves. Documentation, scripts and the selftests have builds of their
# own; tests of i915, xe and others are included by the files that they test.
objects_of() {
	local f
	while IFS= read -r f; do
		case $f in
		tools/*|Documentation/*|scripts/*|samples/*) continue ;;
		*/tests/*|*/selftests/*)
			! kgit -C "$TREE" grep -qE "^#include \"(.*/)?${f##*/}\"" "$(rev_commit "$1")" -- \
				"$(cut -d/ -f1-4 <<<"$f")/*.c" || continue ;;
		*_kunit.c|drivers/iio/test/*)
			! kgit -C "$TREE" grep -qE "^#include \"(.*/)?${f##*/}\"" "$(rev_commit "$1")" -- \
				"$(cut -d/ -f1-2 <<<"$f")/*.c" || continue ;;
		esac
		echo "$f"
	done
}

# object_of FILE.c: its object, as the Makefile names it that lists it.
object_of() {
	case $1 in
	drivers/gpu/drm/amd/amdkfd/*) set -- "drivers/gpu/drm/amd/amdgpu/../amdkfd/${1##*/}" ;;
	esac
	echo "${1%.c}.o"
}

# built_in KERNEL MODULE: the file of drm_sched_tests is drm-sched-tests.ko.
built_in() { [ -n "$(find "$1/modules" -name "${2//_/[-_]}.ko")" ]; }

# kselftests_of KERNEL KSELFTEST: the tests that this kernel has the issuer for, and
# those of suspend if it can do that, those without pages if allocations can fail, those
# of fences that are left behind if it tracks fences.
kselftests_of() {
	local driver without=none suspend='[.]suspend$' pages='_without_pages$' tracking='[.]tracking_'
	for driver in amdgpu xe; do
		built_in "$1" ${driver}_fence_issuer || without="$without|$driver"
	done
	! grep -q '^CONFIG_PM_DEBUG=y' "$1/config" || suspend=none
	! grep -q '^CONFIG_FAIL_PAGE_ALLOC=y' "$1/config" || pages=none
	! grep -q '^CONFIG_DEBUG_DMA_FENCE=y' "$1/config" || tracking=none
	grep -vE "\.($without)[_.]|$suspend|$pages|$tracking" "$2/tests"
}

# status_table FILE NAME [--check|--write]: prints FILE, the table that the calling script
# made, or compares STATUS.md with it, or puts it there, between two lines that name the script.
status_table() {
	local begin="<!-- table of tools/$SELF, $BASE -->" status
	if [ -z "${3:-}" ]; then
		cat "$1"
		return
	fi
	grep -qxF -- "$begin" "$TOP/STATUS.md" || die "STATUS.md has no line '$begin'"
	status=$(awk -v begin="$begin" -v end='<!-- end of the table -->' -v table="$1" '
		$0 == end { skip = 0 }
		!skip
		$0 == begin { skip = 1; while ((getline line < table) > 0) print line }' "$TOP/STATUS.md")
	! cmp -s - "$TOP/STATUS.md" <<<"$status" || return 0
	[ "$3" = --write ] || die "$2 in STATUS.md is stale; run tools/$SELF --write"
	printf '%s\n' "$status" >"$TOP/STATUS.md"
}

# expectations KIND: what series/$BASE/expected says of the tests of that kind (see
# tools/prove.sh), "NAME<TAB>OUTCOME<TAB>TITLE<TAB>TEXT" each; OUTCOME is "any" if none is
# given.
expectations() {
	[ -f "$SERIES/expected" ] || die "series/$BASE/expected is missing: how tests end on the base"
	sed -e 's/[[:space:]]*#.*//' -- "$SERIES/expected" | awk -F'[ \t]*[|][ \t]*' -v kind="$1" '
		{ n = split($1, w, /[ \t]+/) }
		w[1] == kind { print w[2] "\t" (n > 2 ? w[3] : "any") "\t" $2 "\t" $3 }'
}

# kernels_of KIND: the configuration and the plain revision that its tests run on: base,
# or "tests" where that needs the tests of the series, or what issues the fences of a
# driver without its hardware.
kernels_of() {
	case $1 in
	kselftest)		echo vm base ;;
	kselftest-kasan)	echo vm-debug base ;;
	kselftest-debug)	echo vm-debug tests ;;
	kselftest-amdgpu)	echo vm-drivers tests ;;
	kselftest-xe)		echo vm-drivers tests ;;
	*)	return 1 ;;
	esac
}

# vm_outcome RESULTS NAME: how that test ended in a VM, "passes|skips|fails|dies|hangs|lost"
# and, after a tab, what was said of it. A kernel that stalls in memory that was freed is as
# dead as one that stops at once.
vm_outcome() {
	awk -F'\t' -v n="$2" '
		BEGIN {
			word["pass"] = "passes"; word["skip"] = "skips"; word["fail"] = "fails"
			word["died"] = "dies"; word["timeout"] = "hangs"
		}
		$1 == n {
			if ($2 == "timeout" && $3 ~ /stall|lockup/) $2 = "died"
			print ($2 in word ? word[$2] : "lost") "\t" $3
			found = 1
		}
		END { if (!found) print "lost\t" }' "$1" 2>/dev/null || printf 'lost\t\n'
}

# as_expected OUTCOME WANTED [TEXT PATTERN]
# Whether freed memory makes the kernel fault or spin for ever is chance: a hang is a death.
as_expected() {
	case $1:$2 in
	passes:passes|passes:races) return 0 ;;
	fails:any|fails:fails|fails:races|fails:hangs) ;;
	dies:any|dies:dies|dies:races|dies:hangs) ;;
	hangs:dies|hangs:races|hangs:hangs) ;;
	*)	return 1 ;;
	esac
	# shellcheck disable=SC2053
	[[ ${3:-} == ${4:-*} ]]
}
