#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs the tests of the kselftest in random order, for as long as the user likes.
. "$(dirname -- "$0")/lib.sh"

case $#${1:-} in 0|1base|1tests|1series|1[0-9]*) ;; *) usage '[MINUTES=N] [SEED=N] stress.sh [REV]

Boots, one after the other, the kernels vm-debug (KASAN, lockdep with PROVE_RCU,
failslab, kmemleak), vm-rt (PREEMPT_RT) and vm-kcsan (KCSAN) of REV (default: series),
each for a third of MINUTES (default: 10), and runs tests of the kselftest there in
random order, while a CPU goes and comes back, debugfs is read, fences are traced and,
in vm-debug, now and then there is no memory. See vm/stress.c. SEED makes the order the
same as in an earlier run, not the timing. Prints what was done and what was reported.
Exit status 0 only if nothing was. Logs: build/$BASE/stress.' ;;
esac

rev=${1:-series}
minutes=${MINUTES:-10} seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
case $minutes in ''|0*|*[!0-9]*) die "MINUTES=$minutes is no number; say MINUTES=10" ;; esac
case $seed in ''|*[!0-9]*) die "SEED=$seed is no number; say SEED=1" ;; esac

lock_build
"$TOP/tools/deps.sh" demo
"$TOP/tools/tree.sh"
kselftest=$("$TOP/tools/kselftest.sh")
out=$BUILD/stress
rm -rf -- "$out"
mkdir -p -- "$out"
${CC:-gcc} -O2 -Wall -static -pthread -o "$out/stress" "$TOP/vm/stress.c" ||
	die "cannot build vm/stress.c; install gcc and libc6-dev"

seconds=$((minutes * 20)) bad=0
in_vm() {
	VM_MEM=2G "$TOP/tools/vm.sh" -t $((seconds + 300)) "$kernel" "$out/$config" \
		"$out/stress" "$out/tests" "$kselftest/fence_unload" <"$out/commands"
}
say "  SEED=$seed MINUTES=$minutes"
for config in vm-debug vm-rt vm-kcsan; do
	kernel=$("$TOP/tools/kernel.sh" "$config" "$rev")
	kselftests_of "$kernel" "$kselftest" >"$out/tests"
	{
		[ "$config" != vm-kcsan ] || echo "kcsan.on echo on >/sys/kernel/debug/kcsan"
		echo "stress FENCE_UNLOAD_ROUNDS=10 /test/stress $seed $seconds /test/fence_unload /test/tests"
		[ "$config" != vm-kcsan ] || echo "kcsan.watched grep 'setup_watchpoints: [1-9]' /sys/kernel/debug/kcsan"
	} >"$out/commands"
	watched "stress in $config" "$out/$config.log" in_vm || :
	echo "$config:"
	awk '/^[0-9]+ [a-zA-Z]/ { print "  " $0 }' "$out/$config"/*/output/stress
	awk -F'\t' '$2 != "pass" { print "  REPORTED: " $1 " " $2 ": " $3; bad = 1 }
		END { exit bad || !NR }' "$out/$config/results" || bad=1
done
[ $bad = 0 ] || die "something was reported; logs: $out"
say "nothing was reported; logs: $out"
