#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs the checks of one series, or of all series at the same time. The last line
# is "N passed, N failed".
only=${BASE:-${KERNEL_SRC:+drm-misc-next}}
# Which demo a TOPIC means is for demo.sh alone.
unset TOPIC
. "$(dirname -- "$0")/lib.sh"

USAGE='[BASE=series] [MINUTES=N] [AGAIN=yes] [FULL=yes] tools/check.sh [PATTERN]
       tools/check.sh --list

Without BASE all series are checked at the same time. FULL=yes adds what takes hours: what
--list marks "full", and what it marks "alone" also without BASE. With PATTERN only the checks
whose name contains it are run. A check that passed is not run again until something
changes that it depends on (AGAIN=yes: it is), so a run that was stopped goes on.
After MINUTES the run ends and says what is left. What took much longer than
series/$BASE/check-times says is marked; the times of this run are in
build/$BASE/log/check/times.
Exit status: 0 all passed, 1 one failed, 3 MINUTES are over and some are left.'

# The list: name, tabs, command in tools/, and, unless it is for every series, a tab
# and the series that it is for, or "once", or "tools" (once, beside the series that has
# less to do), or "SERIES alone": only with BASE=SERIES, since both series together have
# to be done in 90 minutes, the time of CI, or "SERIES full" or "full": only with FULL=yes. Quick ones first: a mistake is known early.
checks() { sed -e 's/^[[:space:]]*//' -e '/^$/d' <<'LIST'
	the tools themselves				selftest.sh	tools
	recorded consoles				console-test.sh	tools
	export changes nothing				export-check.sh
	what is converted (STATUS.md)			table.sh --check
	table of postings (STATUS.md)			postings.sh --check
	postings apply on what they need		alone.sh --apply
	postings compile on what they need		alone.sh --objects	drm-misc-next alone
	postings compile on what they need		alone.sh --objects	linux-6.12.y alone
	the tests are one text				test-text.sh
	checkpatch					static-checkpatch.sh
	no warning in touched files, W=1		objects.sh series
	sparse						static-sparse.sh	drm-misc-next alone
	sparse						static-sparse.sh	linux-6.12.y alone
	kernel-doc					static-kernel-doc.sh
	coccinelle, the burn-down			static-cocci.sh
	litmus tests, the memory model			litmus.sh series	drm-misc-next
	KUnit on UML, two CPUs				kunit.sh uml series	drm-misc-next alone
	KUnit on UML, out fences, vblanks, writeback	kunit.sh uml series drm_[ovw][ubr]*	drm-misc-next alone
	KUnit on UML, scheduler fences			kunit.sh uml series drm_sched_lifetime*	drm-misc-next alone
	KUnit on UML, the pools of TTM			kunit.sh uml series ttm_*	drm-misc-next alone
	KUnit on UML, lockdep, transfers from DMABUFs	kunit.sh uml-debug series *_dmabuf	drm-misc-next
	KUnit on UML, lockdep, out fences		kunit.sh uml-debug series drm_[ovw][ubr]*	drm-misc-next
	KUnit on UML, lockdep, fences			kunit.sh uml-debug series	drm-misc-next
	KUnit on UML, lockdep, scheduler fences		kunit.sh uml-debug series drm_sched_lifetime*	drm-misc-next
	KUnit on UML, lockdep, xe			kunit.sh uml-debug series xe_fence_*	drm-misc-next
	KUnit on UML, lockdep, qxl			kunit.sh uml-debug series qxl_*	drm-misc-next
	KUnit on UML, lockdep, virtio_gpu		kunit.sh uml-debug series virtio_gpu_*	drm-misc-next
	KUnit on UML, virtio_gpu is suspended		kunit.sh uml-virtio series virtio_gpu_*	drm-misc-next alone
	KUnit on UML, lockdep, host1x			kunit.sh uml-soc series host1x_*	drm-misc-next alone
	KUnit on UML, lockdep, v3d			kunit.sh uml-soc series v3d_*	drm-misc-next alone
	outcomes of VMs are told apart			vm-selftest.sh	once
	tests in a VM					vm-test.sh vm series
	tests in a VM, KASAN, lockdep, kmemleak, amdgpu	vm-test.sh vm-debug series	drm-misc-next alone
	tests in a VM, KASAN, lockdep, kmemleak, amdgpu	vm-test.sh vm-debug series	linux-6.12.y alone
	tests in a VM, PREEMPT_RT			vm-test.sh vm-rt series	drm-misc-next alone
	tests in a VM, PREEMPT_RT			vm-test.sh vm-rt series	linux-6.12.y alone
	fences of xe in a VM, KASAN, lockdep		vm-test.sh vm-xe series modules	drm-misc-next full
	fences of xe in a VM, PREEMPT_RT		vm-test.sh vm-xe-rt series modules	drm-misc-next full
	modules from outside of the tree		dkms.sh	linux-6.12.y
	demo						demo.sh	drm-misc-next
	demo						demo.sh	linux-6.12.y alone
	tests fail without the fixes, kselftest		prove.sh kselftest	drm-misc-next
	tests fail without the fixes, kselftest		prove.sh kselftest	linux-6.12.y alone
	tests fail without the fixes, KUnit		prove.sh kunit	drm-misc-next alone
	tests fail without the fixes, KUnit		prove.sh kunit-vm	linux-6.12.y alone
	tests fail without the fixes, KASAN, lockdep	prove.sh kunit-debug kselftest-debug	drm-misc-next alone
	tests of no defect pass without the fixes	prove.sh kselftest-others	drm-misc-next alone
	tests of no defect pass without the fixes	prove.sh kselftest-others	linux-6.12.y alone
	the least configuration builds			kernel.sh minimal series
	postings pass their tests on what they need	alone.sh	drm-misc-next alone
	postings pass their tests on what they need	alone.sh	linux-6.12.y alone
	packages of Debian's source and the patches	debian.sh	linux-6.12.y alone
	demo of amdgpu					demo.sh amdgpu	drm-misc-next full
	demo of xe					demo.sh xe	drm-misc-next full
	demo with KASAN					demo.sh kasan	drm-misc-next full
	tests fail without the fixes, drivers		prove.sh kunit-xe kunit-qxl kunit-virtio kunit-soc kunit-amdgpu	drm-misc-next full
	all drivers build				kernel.sh drivers series	full
	all drivers build, arm64			kernel.sh drivers-arm64 series	full
	each patch builds and passes			bisect.sh	full
	faults are seen					mutate.sh	drm-misc-next full
LIST
}

# state SCRIPT: one sum of what a check depends on.
state() {
	local rev
	{
		compilers
		cd "$TOP"
		find tools vm kconfig Makefile -type f -print0 | sort -z | xargs -0 sha256sum
		find series/*/selftests* -type f -print0 | sort -z | xargs -0 sha256sum
		case $1 in selftest.sh|console-test.sh) return ;; esac
		for rev in base series tests; do
			kgit -C "$TREE" rev-parse -q --verify "$(rev_commit "$rev")^{tree}" || echo "no $rev"
		done
		find "series/$BASE" -maxdepth 1 -type f ! -name 'verdicts*' ! -name check-times -print0 |
			sort -z | xargs -0 sha256sum
		case $1 in export-check.sh|static-checkpatch.sh|table.sh|postings.sh|alone.sh|test-text.sh|debian.sh)
			find series -type f ! -name 'verdicts*' ! -name check-times -print0 |
				sort -z | xargs -0 sha256sum ;;
		esac
		case $1 in table.sh|postings.sh) cat STATUS.md ;; esac
	} | sha256sum | cut -c 1-16
}

# again LOG: what failed, once more at the end: it can be far up, or have been cut off.
again() {
	local name log
	[ -f "$1/check/failed" ] || return 0
	while IFS=$'\t' read -r name log; do
		printf 'failed: %s  log: %s\n' "$name" "$log"
		tail -n 30 -- "$log" | cut -c 1-150 | sed 's/^/    /'
	done <"$1/check/failed"
}

# One of several series, run by the one that was called for all.
together=no once="once tools"
case ${1:-} in
--together=*) together=yes once=${1#*=}; shift ;;
--list)	checks; exit 0 ;;
-*)	usage "$USAGE" ;;
esac
[ $# -le 1 ] || usage "$USAGE"
pattern=${1:-}
checks | cut -f 1 | grep -qF -- "$pattern" || die "no check is called *$pattern*; see tools/check.sh --list"
VERDICTS=$BUILD/verdicts
. "$TOP/tools/lib-verdicts.sh"

if [ -z "$only" ]; then
	start=$SECONDS passed=0 failed=0 left=0
	# The first one is that of the tools' own tests.
	bases="$BASE $(cd "$TOP/series" && ls -d -- */base | sed 's,/base,,' | grep -vxF "$BASE" | xargs || :)"
	# What they share.
	"$TOP/tools/deps.sh" check
	"$TOP/tools/sparse.sh" >/dev/null || :
	# What cannot be made fails again below. The litmus tests wait for herd7.
	"$TOP/tools/herd.sh" >/dev/null &
	herd=$!
	pids=
	for base in $bases; do
		BASE=$base "$TOP/tools/tree.sh" &
		pids="$pids $!"
	done
	# shellcheck disable=SC2086
	wait $pids || :
	if [ -n "$deadline" ]; then
		[ $SECONDS -lt "$deadline" ] || { say "MINUTES are over, no check was run"; exit 3; }
		MINUTES=$(((deadline - SECONDS + 59) / 60))
	fi
	pids=
	set -m
	for base in $bases; do
		rm -f -- "$BUILD_DIR/$base/log/check/total" "$BUILD_DIR/$base/log/check/failed"
		how=
		[ "$base" != "${bases%% *}" ] || how=once
		[ "$base" != "${bases##* }" ] || how="$how tools"
		(BASE=$base "$0" "--together=$how" "$@" 2>&1 | sed -u "s/^/$base: /") &
		pids="$pids $!"
	done
	set +m
	for pid in $pids; do
		wait "$pid" || [ $? -ne 130 ] || exit 130
	done
	wait "$herd" || :
	for base in $bases; do
		if read -r p f l 2>/dev/null <"$BUILD_DIR/$base/log/check/total"; then
			passed=$((passed + p)) failed=$((failed + f)) left=$((left + l))
		else
			echo "not ok $base: its checks did not come to an end, see above"
			failed=$((failed + 1))
		fi
	done
	for base in $bases; do
		again "$BUILD_DIR/$base/log"
	done
	say "$((SECONDS - start)) s in all"
	[ $left -eq 0 ] || echo "$left left"
	echo "$passed passed, $failed failed"
	[ $failed -eq 0 ] || exit 1
	[ $left -eq 0 ] || exit 3
	exit 0
fi

lock_build
"$TOP/tools/deps.sh" check
"$TOP/tools/tree.sh"
mkdir -p "$LOG/check"
rm -f -- "$LOG/check/total" "$LOG/check/failed"
times=$SERIES/check-times
declare -A states=()
key_of() {	# key_of COMMAND
	: "${states[${1%% *}]:=$(state "${1%% *}")}"
	key=$(sum_of "${states[${1%% *}]}" "$1")
}
recorded() { sed -n "s/^\([0-9]*\) $1\$/\1/p" "$times" 2>/dev/null || :; }

# Which are for this series, and how long those that have to be run usually take.
count=0 todo=0
: >"$LOG/check/list"
while IFS=$'\t' read -r name command where; do
	[[ $name == *"$pattern"* ]] || continue
	case ${where:-$BASE} in
	"$BASE") ;;
	"$BASE alone") [ $together = no ] || [ -n "${FULL:-}" ] || continue ;;
	full|"$BASE full") [ -n "${FULL:-}" ] || continue ;;
	*)	[[ " $once " == *" $where "* ]] || continue ;;
	esac
	count=$((count + 1))
	key_of "$command"
	s=0
	if [ -n "$pattern${AGAIN:-}" ] || ! holds "$key" "$name"; then
		s=$(recorded "$name")
		s=$(usual "${s:-60}" "$name")
	fi
	todo=$((todo + s))
	printf '%s\t%s\t%s\n' "$name" "$command" "$s" >>"$LOG/check/list"
done < <(checks | tr -s '\t')

# From the first of these to the last all checks are of the series, and build in one
# work tree. While a test sleeps, the kernels of the later ones are built.
of_series='^(kunit|vm-test)\.sh ([^ ]*) series'
build_ahead() {
	local config
	for config in $(cut -f 2 "$LOG/check/list" | sed -nE "s/$of_series.*/\2/p" | awk '!seen[$0]++'); do
		nice "$TOP/tools/kernel.sh" "$config" series >/dev/null 2>>"$LOG/check/ahead.log" || return
	done
}
ahead=

passed=0 failed=0 left=0
start=$SECONDS
: >"$LOG/check/times"
while IFS=$'\t' read -r name command expected; do
	log=$LOG/check/$(printf '%s' "$name" | tr -c 'A-Za-z0-9' -).log
	read -ra words <<<"$command"
	key_of "$command"
	if [ -z "$pattern${AGAIN:-}" ] && holds "$key" "$name"; then
		passed=$((passed + 1))
		printf 'ok %s (nothing has changed since it passed)\n' "$name"
		continue
	fi
	todo=$((todo - expected))
	if ! fits "$expected"; then
		left=$((left + 1))
		printf 'left: %s\n' "$name"
		continue
	fi
	since=$SECONDS rc=0
	if [ -z "$ahead" ] && [[ $command =~ $of_series ]]; then
		ahead=yes
		set -m
		build_ahead &
		set +m
	fi
	if [ -x "$TOP/tools/${words[0]}" ]; then
		watched "$name" "$log" "$TOP/tools/${words[0]}" "${words[@]:1}" || rc=$?
	else
		echo "tools/${words[0]} is missing" >"$log"
		rc=127
	fi
	took=$((SECONDS - since))
	case $rc in
	0)	passed=$((passed + 1))
		# Unless what it depends on was changed meanwhile.
		[ "${states[${words[0]}]}" != "$(state "${words[0]}")" ] || keep "$key" $took "$name"
		grew=$(recorded "$name")
		if [ -n "$grew" ] && [ $took -gt $((grew * 3 / 2 + 30)) ]; then
			grew=", GREW from $grew s"
		else
			grew=
		fi
		printf 'ok %s (%d s%s; %d of %d, about %s left)\n' "$name" $took "$grew" \
			$((passed + failed)) $count "$(minutes $todo)" ;;
	3|124)	left=$((left + 1))
		printf 'left: %s (stopped after %d s)\n' "$name" $took ;;
	130)	exit 130 ;;
	*)	failed=$((failed + 1))
		printf 'not ok %s (%d s)  log: %s\n' "$name" $took "$log"
		tail -n 5 -- "$log" | sed 's/^/    /'
		printf '%s\t%s\n' "$name" "$log" >>"$LOG/check/failed" ;;
	esac
	echo "$took $name" >>"$LOG/check/times"
done <"$LOG/check/list"
[ $((passed + failed + left)) -gt 0 ] || [ $together != no ] ||
	die "$BASE has no check that is called *$pattern*"
[ $together = yes ] || again "$LOG"
say "$((SECONDS - start)) s; logs: $LOG"
echo "$passed $failed $left" >"$LOG/check/total"
[ $left -eq 0 ] || echo "$left left; the next run goes on with them"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] || exit 1
[ $left -eq 0 ] || exit 3
