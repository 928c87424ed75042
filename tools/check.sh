#!/bin/bash
# Every test there is. One line each; the last one is "N passed, N failed".
# Exit status 0 only if nothing failed and something ran. For every series, or
# only for the one that BASE (or KERNEL_SRC) is about.
only=${BASE:-${KERNEL_SRC:+drm-misc-next}}
. "$(dirname -- "$0")/lib.sh"

USAGE='[BASE=series] tools/check.sh [PATTERN]   (only the checks whose name contains PATTERN)
       tools/check.sh --list'

# The list: name, tabs, command in tools/, and, unless it is for every series, a tab
# and the series that it is for, or "once", or "SERIES alone": only with BASE=SERIES,
# since both series together have to be done in 90 minutes, CI's time. Quick ones
# first: a mistake is known early. One after the other: each builds, or boots, with
# all CPUs.
checks() { sed -e 's/^[[:space:]]*//' -e '/^$/d' <<'LIST'
	the tools themselves				selftest.sh	once
	recorded consoles				console-test.sh	once
	export changes nothing				export-check.sh
	README's table					table.sh --check
	the tests are one text				test-text.sh
	checkpatch					static-checkpatch.sh
	sparse						static-sparse.sh
	kernel-doc					static-kernel-doc.sh
	coccinelle, the burn-down			static-cocci.sh
	no warning in touched files, W=1		objects.sh series
	KUnit on UML, two CPUs				kunit.sh uml series	drm-misc-next
	KUnit on UML, out fences, vblanks		kunit.sh uml series drm_[ov][ub]*	drm-misc-next
	KUnit on UML, scheduler fences			kunit.sh uml series drm_sched_lifetime*	drm-misc-next
	the tests fail without the fixes		prove.sh
	outcomes of VMs are told apart			vm-selftest.sh	once
	demo						demo.sh
	tests in a VM					vm-test.sh vm series
	tests in a VM, PREEMPT_RT			vm-test.sh vm-rt series	drm-misc-next
	tests in a VM, PREEMPT_RT			vm-test.sh vm-rt series	linux-6.12.y alone
	tests in a VM, KASAN, lockdep, kmemleak		vm-test.sh vm-debug series	drm-misc-next
	tests in a VM, KASAN, lockdep, kmemleak		vm-test.sh vm-debug series	linux-6.12.y alone
	the least configuration builds			kernel.sh minimal series
LIST
}

# What boots the series is run each time, since a race may show only now. All else
# says the same of the same text, and is not repeated while nothing has changed,
# unless it is asked for by a PATTERN.
repeated() {	# repeated SCRIPT
	[ -n "$pattern" ] || case $1 in kunit.sh|vm-test.sh|demo.sh) ;; *) return 1 ;; esac
}
# What a check depends on: the project, the kernel trees, the compiler.
state() {
	{
		kgit -C "$TREE" show-ref
		gcc --version | head -n 1
		cd "$TOP" && find . \( -path ./.git -o -path "./${BUILD_DIR#"$TOP"/}" \) -prune \
			-o -type f -print0 | sort -z | xargs -0 sha256sum
	} | sha256sum
}

pattern=
case ${1:-} in
--list)	checks; exit 0 ;;
-*)	usage "$USAGE" ;;
*)	pattern=${1:-} ;;
esac
[ $# -le 1 ] || usage "$USAGE"

bases=$only
if [ -z "$bases" ]; then
	# The first one is that of the tools' own tests.
	bases="$BASE $(cd "$TOP/series" && ls -d -- */base | sed 's,/base,,' | grep -vxF "$BASE" || :)"
fi
"$TOP/tools/deps.sh" check

passed=0 failed=0
start=$SECONDS
once=once
for base in $bases; do
	unset LIFETIME_LOCKED
	BASE=$base
	. "$TOP/tools/lib.sh"
	lock_build
	"$TOP/tools/tree.sh"
	mkdir -p "$LOG/check"
	state=$(state)
	[ "$bases" = "$base" ] || echo "# $base"
	while IFS=$'\t' read -r name command where; do
		[[ $name == *"$pattern"* ]] || continue
		case ${where:-$base} in
		"$base"|"$once"|"$only alone") ;;
		*)	continue ;;
		esac
		log=$LOG/check/$(printf '%s' "$name" | tr -c 'A-Za-z0-9' -).log
		since=$SECONDS
		read -ra words <<<"$command"
		if ! repeated "${words[0]}" && [ "$state" = "$(cat -- "$log.passed" 2>/dev/null)" ]; then
			passed=$((passed + 1))
			printf 'ok %s (nothing has changed since it passed)\n' "$name"
			continue
		fi
		rm -f -- "$log.passed"
		rc=0
		if [ -x "$TOP/tools/${words[0]}" ]; then
			watched "$name" "$log" "$TOP/tools/${words[0]}" "${words[@]:1}" || rc=$?
		else
			echo "tools/${words[0]} is missing" >"$log"
			rc=127
		fi
		[ $rc -ne 130 ] || exit 130
		if [ $rc -eq 0 ]; then
			passed=$((passed + 1))
			echo "$state" >"$log.passed"
			printf 'ok %s (%d s)\n' "$name" $((SECONDS - since))
		else
			failed=$((failed + 1))
			printf 'not ok %s (%d s)  log: %s\n' "$name" $((SECONDS - since)) "$log"
			tail -n 5 -- "$log" | sed 's/^/    /'
		fi
	done < <(checks | tr -s '\t')
	once=
done
[ $((passed + failed)) -gt 0 ] || die "no check is called *$pattern*; see tools/check.sh --list"
say "$((SECONDS - start)) s; logs: $LOG"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
