#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs the tests of the kselftest in random order, for as long as the user likes.
. "$(dirname -- "$0")/lib.sh"

case $#${1:-} in 0|1base|1tests|1series|1[0-9]*) ;; *) usage '[MINUTES=N] [SEED=N] [CONFIG=CONFIG] stress.sh [REV]

Boots, one after the other, the kernels vm-debug (KASAN, lockdep with PROVE_RCU,
failslab, kmemleak), vm-rt (PREEMPT_RT) and vm-kcsan (KCSAN) of REV (default: series),
each for a third of MINUTES (default: 10), and runs tests of the kselftest there in
random order, while a CPU goes and comes back, debugfs is read, fences are traced and,
in vm-debug, now and then there is no memory. See vm/stress.c. CONFIG is one of the three,
for all of MINUTES. SEED makes the order the same as in an earlier run, not the timing.
Prints what was done and what was reported. A kernel that ended without a report with this
SEED and these MINUTES is not run again. Without SEED a run that was stopped, or had a
report, goes on with the seed that it had.
Exit status 0 only if nothing was reported. Logs: build/$BASE/stress.' ;;
esac

rev=${1:-series}
out=$BUILD/stress
minutes=${MINUTES:-10} seed=${SEED:-}
case $minutes in ''|0*|*[!0-9]*) die "MINUTES=$minutes must be a number, such as MINUTES=10" ;; esac
if [ -z "$seed" ]; then
	seed=$(sed -n "s/^$rev $minutes //p" "$out/unfinished" 2>/dev/null || :)
	seed=${seed:-$((RANDOM * 32768 + RANDOM))}
fi
case $seed in ''|*[!0-9]*) die "SEED=$seed must be a number, such as SEED=1" ;; esac
case ${CONFIG:-} in
'')	configs='vm-debug vm-rt vm-kcsan' seconds=$((minutes * 20)) ;;
vm-debug|vm-rt|vm-kcsan) configs=$CONFIG seconds=$((minutes * 60)) ;;
*)	die "CONFIG=$CONFIG is not a kernel of this run; say vm-debug, vm-rt or vm-kcsan, or nothing for all" ;;
esac
known_rev "$rev"
VERDICTS=$out/verdicts
# Here they say how long the tests run, not when to stop.
unset MINUTES
. "$TOP/tools/lib-verdicts.sh"

lock_build
"$TOP/tools/deps.sh" demo
"$TOP/tools/tree.sh"
kselftest=$("$TOP/tools/kselftest.sh")
mkdir -p -- "$out"
echo "$rev $minutes $seed" >"$out/unfinished"
${CC:-gcc} -O2 -Wall -static -pthread -o "$out/stress" "$TOP/vm/stress.c" ||
	die "cannot build vm/stress.c; install gcc and libc6-dev"

bad=0
in_vm() {
	VM_MEM=2G VM_PROVOKED=$provoked "$TOP/tools/vm.sh" -t $((seconds + 300)) "$kernel" "$out/$config" \
		"$out/stress" "$out/tests" "$kselftest/fence_unload" <"$out/commands"
}
say "  SEED=$seed MINUTES=$minutes"
for config in $configs; do
	key=$(sum_of "$seed $seconds" "$("$TOP/tools/kernel.sh" --key "$config" "$rev")" "$(cat "$kselftest/stamp")" \
		"$(tools_sum tools/stress.sh tools/vm.sh vm/stress.c)" \
		"$(vmtest_sum vmtest.sh vmtest/{init.c,console.awk})")
	if holds "$key" "$config"; then
		echo "$config: ended without a report before, with this seed"
		continue
	fi
	kernel=$("$TOP/tools/kernel.sh" "$config" "$rev")
	kselftests_of "$kernel" "$kselftest" >"$out/tests"
	{
		[ "$config" != vm-kcsan ] || echo "kcsan.on echo on >/sys/kernel/debug/kcsan"
		echo "stress FENCE_UNLOAD_ROUNDS=10 /test/stress $seed $seconds /test/fence_unload /test/tests"
		[ "$config" != vm-kcsan ] || echo "kcsan.watched grep 'setup_watchpoints: [1-9]' /sys/kernel/debug/kcsan"
	} >"$out/commands"
	since=$SECONDS reported=
	# What a failed allocation provokes, with the base, too: a module with trace events
	# is loaded without memory for their fields, which the kernel warns of once.
	provoked=
	[ "$config" != vm-debug ] || provoked='WARNING in event_define_fields()'
	# If the VM does not even start, the results of the last run must not count.
	[ ! -L "$out/$config" ] || rm -f -- "$out/$config"
	watched "stress in $config" "$out/$config.log" in_vm || :
	echo "$config:"
	awk '/^[0-9]+ [a-zA-Z]/ { print "  " $0 }' "$out/$config"/*/output/stress 2>/dev/null || :
	awk -F'\t' '$2 != "pass" { print "  REPORTED: " $1 " " $2 ": " $3; bad = 1 }
		END { exit bad || !NR }' "$out/$config/results" || reported=yes
	if [ -n "$reported" ]; then
		bad=1
	else
		keep "$key" $((SECONDS - since)) "$config"
	fi
done
[ $bad != 0 ] || rm -f -- "$out/unfinished"
[ $bad = 0 ] || die "something was reported; logs: $out"
say "nothing was reported; logs: $out"
