#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Measures what amdgpu does for a fence of a ring, base against series.
. "$(dirname -- "$0")/lib.sh"
. "$TOP/tools/lib-bench.sh"

USAGE='bench-amdgpu.sh [PAIRS]

Boots kernels of base (with the exports for tests) and series in turn, PAIRS times
(default 10), each with one CPU and bench/amdgpu: a ring without hardware. Prints the
nanoseconds for a submission and for a fence that the interrupt signals, and the ratio
series / base pair by pair with its spread. Where the machine is emulated a nanosecond
is an instruction, whatever that one would cost. MINUTES and AGAIN: as in bench.sh.'

pairs_to_measure "$@"
prepare_pairs vm-drivers tests

# measure REV: "SUBMIT FASTEST INTERRUPT FASTEST"
measure() {
	# insmod does not load what a module needs.
	echo 'bench modprobe amdgpu && insmod /test/test_modules/amdgpu-bench.ko' >"$tmp/cmd"
	# The time that one CPU waits for another is that of the host, not of the kernel.
	VM_APPEND=nr_cpus=1 "$TOP/tools/vm.sh" -i -t 180 "$KERNELS/vm-drivers-$1" "$out/vm" <"$tmp/cmd" >"$out/log" 2>&1 ||
		die "amdgpu-bench does not run on $1; log: $out/vm"
	sed -n 's/.*amdgpu-bench: submit //p; s/.*amdgpu-bench: interrupt //p' \
		"$out"/vm/*/console | tr -d '\r' | tr '\n' ' '
}

measure_pairs tests 8

awk "$MEDIAN"'
	function row(what, k,  i, b, s, r, f, m) {
		for (i = 1; i <= NR; i++) {
			b[i] = v[i, k]; s[i] = v[i, k + 4]
			r[i] = s[i] / b[i]; f[i] = v[i, k + 5] / v[i, k + 1]
		}
		m = median(r, NR)
		printf "%s: base %d ns, series %d ns; series / base %.3f (%.3f to %.3f), in the fastest batch %.3f\n",
			what, median(b, NR), median(s, NR), m, r[1], r[NR], median(f, NR)
	}
	{ for (i = 1; i <= NF; i++) v[NR, i] = $i }
	END { row("a submission", 1); row("a fence in the interrupt", 3) }' "$out/results"
