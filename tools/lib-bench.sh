# SPDX-License-Identifier: GPL-2.0
# Sourced by the benchmarks that boot a VM of base and one of the series in turn.
# shellcheck shell=bash

# pairs_to_measure "$@": sets pairs; the only argument is their number (default: 10).
pairs_to_measure() {
	pairs=${1:-10}
	[ $# -le 1 ] || usage "$USAGE"
	case $pairs in ''|*[!0-9]*|0*) usage "$USAGE" ;; esac
	. "$TOP/tools/lib-verdicts.sh"
}

# prepare_pairs CONFIG REV: builds the kernels of REV, the base, and of the series; sets
# out, tmp and done_pairs.
prepare_pairs() {
	local rev key name=${SELF%.sh}
	lock_build
	for rev in "$2" series; do
		for_pairs "kernel $1, $rev" "$TOP/tools/kernel.sh" "$1" "$rev"
	done
	out=$BUILD/$name
	mkdir -p -- "$out"
	temp_dir tmp
	key=$(sum_of "$(tools_sum "tools/$SELF" tools/lib-bench.sh tools/vm.sh)" \
		"$(vmtest_sum vmtest.sh vmtest/init.c)" \
		"$("$TOP/tools/kernel.sh" --key "$1" "$2")" "$("$TOP/tools/kernel.sh" --key "$1" series)")
	done_pairs=$(pairs_of "$out" "$key")
}

# measure_pairs REV WORDS: has measure() of the script measure REV and the series, what is
# first changes, so that a drift of the machine hits both alike. Leaves a line for each
# pair, of so many WORDS, in $out/results: those of REV, then those of the series.
measure_pairs() {
	local i since base series longest
	longest=$(cat "$out/seconds-for-a-pair" 2>/dev/null || echo 60)
	for ((i = 1; i <= pairs; i++)); do
		[ ! -e "$done_pairs/$i" ] || continue
		fits "$longest" || pairs_left $((i - 1)) "$pairs" "$done_pairs"
		since=$SECONDS
		if [ $((i % 2)) -eq 1 ]; then
			base=$(measure "$1")
			series=$(measure series)
		else
			series=$(measure series)
			base=$(measure "$1")
		fi
		say "  pair $i of $pairs: $base / $series"
		echo "$base $series" >"$tmp/pair"
		[ "$(wc -w <"$tmp/pair")" -eq "$2" ] ||
			die "pair $i has no result: $(cat "$tmp/pair"); log: $out/log"
		mv "$tmp/pair" "$done_pairs/$i"
		longest=$((SECONDS - since))
		echo $longest >"$out/seconds-for-a-pair"
	done
	for ((i = 1; i <= pairs; i++)); do
		cat "$done_pairs/$i"
	done >"$tmp/results"
	mv "$tmp/results" "$out/results"
	all_pairs "$done_pairs"
}

# For awk programs: median() of a[1..n], which it sorts.
# shellcheck disable=SC2034
MEDIAN='
	function sorted(a, n,  i, j, t) {
		for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++)
			if (a[j] < a[i]) { t = a[i]; a[i] = a[j]; a[j] = t }
	}
	function median(a, n) {
		sorted(a, n)
		return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
	}'
