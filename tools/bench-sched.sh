#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Measures what a job of the DRM scheduler costs, base against series.
. "$(dirname -- "$0")/lib.sh"
. "$TOP/tools/lib-bench.sh"

USAGE='bench-sched.sh [PAIRS]

Boots kernels of base and series in turn, PAIRS times (default 10), each
with one CPU and bench/sched: jobs that do nothing go through the whole scheduler,
in batches, and schedulers with a job each are made and ended. Prints the nanoseconds
for a job, the mean over all of them, and in the fastest batch, the ratio base / series
pair by pair with its spread, the same for a scheduler, the longest drm_sched_fini(),
and what memory the fences of a job take. Where the machine is emulated a nanosecond is an
instruction, whatever that one would cost. MINUTES and AGAIN: as in bench.sh.'

pairs_to_measure "$@"
prepare_pairs bench-sched base

# measure REV: "NS FASTEST BYTES OBJECT NS-OF-SCHEDULER LONGEST-FINI"
measure() {
	# insmod does not load what a module needs.
	echo 'bench modprobe gpu-sched && insmod /test/test_modules/sched-bench.ko' >"$tmp/cmd"
	# The time that one CPU waits for another is that of the host, not of the kernel.
	VM_APPEND=nr_cpus=1 "$TOP/tools/vm.sh" -i -t 120 "$KERNELS/bench-sched-$1" "$out/vm" <"$tmp/cmd" >"$out/log" 2>&1 ||
		die "sched-bench does not run on $1; log: $out/vm"
	sed -n 's/.*sched-bench: \(jobs\|schedulers\|fence\) //p' \
		"$out"/vm/*/console | tr -d '\r' | tr '\n' ' '
}

measure_pairs base 12

sort -n "$out/results" | awk "$MEDIAN"'
	NF != 12 { bad = 1; next }
	{
		b[NR] = $1; s[NR] = $7; r[NR] = $1 / $7; fast[NR] = $2 / $8
		base = $3 " bytes in " $4; series = $9 " bytes in " $10
		bn[NR] = $5; sn[NR] = $11; end[NR] = $11 / $5
		if ($6 > blong) blong = $6
		if ($12 > slong) slong = $12
	}
	END {
		if (bad || !NR) { print "no result"; exit 1 }
		m = median(r, NR); f = median(fast, NR); e = median(end, NR)
		printf "ns for a job: base %d, series %d\n", median(b, NR), median(s, NR)
		printf "jobs per second, series / base: %.3f (%.3f to %.3f); in the fastest batch %.3f (%.3f to %.3f)\n",
			m, r[1], r[NR], f, fast[1], fast[NR]
		printf "ns for a scheduler with one job: base %d, series %d; series / base: %.3f (%.3f to %.3f)\n",
			median(bn, NR), median(sn, NR), e, end[1], end[NR]
		printf "ns for the longest drm_sched_fini(): base %d, series %d\n", blong, slong
		printf "struct drm_sched_fence: base %s, series %s\n", base, series
	}'
