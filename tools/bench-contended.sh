#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Measures two CPUs that signal fences of one context, for kernels whose UML has one.
. "$(dirname -- "$0")/lib.sh"

USAGE='bench-contended.sh [PAIRS]

Boots kernels of base and series in QEMU in turn, PAIRS times (default 10), with two
CPUs and the benchmark of bench/module. Prints the nanoseconds that a fence takes with
a lock that all share and, on the series, with a lock of its own, and the ratios pair
by pair with their spread. Where the machine is emulated, the time of an operation is
that of the emulator: only the ratio says something, and it is labelled so.
MINUTES and AGAIN: as in bench.sh.'

pairs=${1:-10}
[ $# -le 1 ] || usage "$USAGE"
case $pairs in ''|*[!0-9]*|0*) usage "$USAGE" ;; esac
[ "$(nproc)" -ge 2 ] || die "needs two CPUs: two of the guest spin against each other"
. "$TOP/tools/lib-verdicts.sh"
lock_build
for rev in base series; do
	for_pairs "kernel bench-vm, $rev" "$TOP/tools/kernel.sh" bench-vm $rev
done
out=$BUILD/bench-contended
mkdir -p -- "$out"
temp_dir tmp
key=$(sum_of "$(tools_sum tools/bench-contended.sh tools/vm.sh)" "$(vmtest_sum vmtest.sh vmtest/init.c)" \
	"$("$TOP/tools/kernel.sh" --key bench-vm base)" "$("$TOP/tools/kernel.sh" --key bench-vm series)")
done_pairs=$(pairs_of "$out" "$key")

# measure REV: "SHARED [OWN]", the medians of that boot in picoseconds.
measure() {
	echo 'bench insmod /test/test_modules/fence-bench.ko contended=1 && cat /proc/fence-bench' >"$tmp/cmd"
	"$TOP/tools/vm.sh" -t 300 "$KERNELS/bench-vm-$1" "$out/vm" <"$tmp/cmd" >"$out/log" 2>&1 ||
		die "fence-bench does not run on $1; log: $out/vm"
	awk '$1 == "op" { ns[$3] = $5 } END { print ns["extern"], ns["inline"] }' \
		"$out"/vm/*/output/bench
}

longest=$(cat "$out/seconds-for-a-pair" 2>/dev/null || echo 60)
for ((i = 1; i <= pairs; i++)); do
	[ ! -e "$done_pairs/$i" ] || continue
	fits $longest || pairs_left $((i - 1)) "$pairs" "$done_pairs"
	since=$SECONDS
	# Which is first changes, so that a drift of the machine hits both alike.
	if [ $((i % 2)) -eq 1 ]; then
		base=$(measure base)
		series=$(measure series)
	else
		series=$(measure series)
		base=$(measure base)
	fi
	say "  pair $i of $pairs: base $base, series $series"
	echo "${base%% *} $series" >"$tmp/pair"
	[ "$(wc -w <"$tmp/pair")" -eq 3 ] || die "pair $i has no result: $(cat "$tmp/pair"); log: $out/log"
	mv "$tmp/pair" "$done_pairs/$i"
	longest=$((SECONDS - since))
	echo $longest >"$out/seconds-for-a-pair"
done
for ((i = 1; i <= pairs; i++)); do cat "$done_pairs/$i"; done >"$tmp/results"
mv "$tmp/results" "$out/results"
all_pairs "$done_pairs"

awk '
	function sorted(a, n,  i, j, t) {
		for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++)
			if (a[j] < a[i]) { t = a[i]; a[i] = a[j]; a[j] = t }
	}
	function median(a, n) {
		sorted(a, n)
		return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
	}
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
