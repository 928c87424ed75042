#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Measures two CPUs that signal fences of one context, for kernels whose UML has one.
. "$(dirname -- "$0")/lib.sh"
. "$TOP/tools/lib-bench.sh"

USAGE='bench-contended.sh [PAIRS]

Boots kernels of base and series in QEMU in turn, PAIRS times (default 10), with two
CPUs and the benchmark of bench/module. Prints the nanoseconds that a fence takes with
a lock that all share and, on the series, with a lock of its own, and the ratios pair
by pair with their spread. Where the machine is emulated, the time of an operation is
that of the emulator: only the ratio says something, and it is labelled so.
MINUTES and AGAIN: as in bench.sh.'

pairs_to_measure "$@"
[ "$(nproc)" -ge 2 ] || die "needs two CPUs: two of the guest spin against each other"
prepare_pairs bench-vm base

# measure REV: "SHARED", and of the series "OWN", the medians of that boot in picoseconds.
measure() {
	echo 'bench insmod /test/test_modules/fence-bench.ko contended=1 && cat /proc/fence-bench' >"$tmp/cmd"
	"$TOP/tools/vm.sh" -t 300 "$KERNELS/bench-vm-$1" "$out/vm" <"$tmp/cmd" >"$out/log" 2>&1 ||
		die "fence-bench does not run on $1; log: $out/vm"
	awk -v rev="$1" '$1 == "op" { ns[$3] = $5 }
		END { print ns["extern"], rev == "base" ? "" : ns["inline"] }' "$out"/vm/*/output/bench
}

measure_pairs base 3

awk "$MEDIAN"'
	NF != 3 { bad = 1; next }
	{ b[NR] = $1; s[NR] = $2; own[NR] = $3; shared[NR] = $2 / $1; gain[NR] = $2 / $3 }
	END {
		if (bad || !NR) { print "no result"; exit 1 }
		print "two CPUs signal fences of one context, QEMU, ns of the emulator or of KVM:"
		printf "  a lock shared by all: base %.0f, series %.0f; a lock in each fence, series: %.0f\n",
			median(b, NR) / 1000, median(s, NR) / 1000, median(own, NR) / 1000
		m = median(shared, NR)
		printf "  shared lock, series / base: %.3f (%.3f to %.3f)\n", m, shared[1], shared[NR]
		m = median(gain, NR)
		printf "  own locks are %.2f times as fast (%.2f to %.2f), want 1.3\n", m, gain[1], gain[NR]
		exit m < 1.3
	}' "$out/results"
