#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Measures what amdgpu does for a fence of a ring, base against series.
. "$(dirname -- "$0")/lib.sh"

USAGE='bench-amdgpu.sh [PAIRS]

Boots kernels of base (with the exports for tests) and series in turn, PAIRS times
(default 10), each with one CPU and bench/amdgpu: a ring without hardware. Prints the
nanoseconds for a submission and for a fence that the interrupt signals, and the ratio
series / base pair by pair with its spread. Where the machine is emulated a nanosecond
is an instruction, whatever that one would cost. MINUTES and AGAIN: as in bench.sh.'

pairs=${1:-10}
[ $# -le 1 ] || usage "$USAGE"
case $pairs in ''|*[!0-9]*|0*) usage "$USAGE" ;; esac
config=vm-amdgpu-unload
. "$TOP/tools/lib-verdicts.sh"
lock_build
for rev in tests series; do
	for_pairs "kernel $config, $rev" "$TOP/tools/kernel.sh" $config $rev
done
out=$BUILD/bench-amdgpu
mkdir -p -- "$out"
temp_dir tmp
key=$(sum_of "$(tools_sum tools/bench-amdgpu.sh tools/vm.sh)" "$(vmtest_sum vmtest.sh vmtest/init.c)" \
	"$("$TOP/tools/kernel.sh" --key $config tests)" "$("$TOP/tools/kernel.sh" --key $config series)")
done_pairs=$(pairs_of "$out" "$key")

# measure REV: "SUBMIT FASTEST INTERRUPT FASTEST"
measure() {
	# insmod does not load what a module needs.
	echo 'bench modprobe amdgpu && insmod /test/test_modules/amdgpu-bench.ko' >"$tmp/cmd"
	# The time that one CPU waits for another is that of the host, not of the kernel.
	VM_APPEND=nr_cpus=1 "$TOP/tools/vm.sh" -i -t 180 "$KERNELS/$config-$1" "$out/vm" <"$tmp/cmd" >"$out/log" 2>&1 ||
		die "amdgpu-bench does not run on $1; log: $out/vm"
	sed -n 's/.*amdgpu-bench: submit //p; s/.*amdgpu-bench: interrupt //p' \
		"$out"/vm/*/console | tr -d '\r' | tr '\n' ' '
}

longest=$(cat "$out/seconds-for-a-pair" 2>/dev/null || echo 60)
for ((i = 1; i <= pairs; i++)); do
	[ ! -e "$done_pairs/$i" ] || continue
	fits $longest || pairs_left $((i - 1)) "$pairs" "$done_pairs"
	since=$SECONDS
	base=$(measure tests)
	series=$(measure series)
	say "  pair $i of $pairs: $base/ $series"
	echo "$base $series" >"$tmp/pair"
	[ "$(wc -w <"$tmp/pair")" -eq 8 ] || die "pair $i has no result: $(cat "$tmp/pair"); log: $out/log"
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
