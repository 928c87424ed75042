#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Shows what a held fence does after its issuer was unloaded, on the plain kernel
# and on the kernel with the series.
. "$(dirname -- "$0")/lib.sh"

[ $# = 0 ] || usage 'demo.sh

Boots the kernels "vm" of the revisions base and series, runs the kselftests that
series/$BASE/demo names, prints a table, and exits with 0 only if every outcome,
on either kernel, is the one that the file expects. Full logs: build/$BASE/demo.'

rows=$SERIES/demo
[ -f "$rows" ] || die "there is no series/$BASE/demo, the list of scenarios"
out=$BUILD/demo

lock_build
"$TOP/tools/deps.sh" demo
"$TOP/tools/tree.sh"
"$TOP/tools/kernel.sh" vm base >/dev/null
"$TOP/tools/kernel.sh" vm series >/dev/null
kselftest=$("$TOP/tools/kselftest.sh")

# field N: that column of the scenarios, blanks cut off.
field() {
	awk -F'|' -v n="$1" '!/^#/ && NF == 4 { gsub(/^[ \t]+|[ \t]+$/, "", $n); print $n }' "$rows"
}

# scenarios REV [OPTION]: becomes vm.sh, with all scenarios, on that revision.
scenarios() {
	exec "$TOP/tools/vm.sh" ${2:+"$2"} -t 300 "$KERNELS/vm-$1" "$out/$1" \
		"$kselftest/fence_unload" "$TOP/vm/ksft" \
		< <(field 2 | awk '{ print $1, "FENCE_UNLOAD_ROUNDS=20 /test/ksft /test/fence_unload", $1 }')
}

say "  $(field 2 | wc -l) scenarios in VMs …"
rm -rf -- "$out"
mkdir -p -- "$out"
# A plain kernel that survived a scenario is not fit for another one.
scenarios base -1 2>"$out/base.err" & base_pid=$!
scenarios series 2>"$out/series.err" & series_pid=$!
wait $base_pid || :
wait $series_pid || :
for rev in base series; do
	[ -s "$out/$rev/results" ] || die "no results for $rev: $(tail -n 1 "$out/$rev.err"); log: $out/$rev.err"
done

# outcome REV TEST: in words.
outcome() {
	awk -F'\t' -v test="$2" '
	$1 == test {
		what = $2 == "pass" ? "works" : $2 == "died" ? "kernel died" : \
		       $2 == "timeout" ? "timed out" : $2 == "lost" ? "no result" : \
		       $2 == "skip" ? "skipped" : "fails"
		print what ($3 == "" ? "" : ": " $3)
		found = 1
	}
	END { if (!found) print "no result" }' "$out/$1/results"
}

unexpected=0
{
	printf 'After the issuer was unloaded\tplain kernel\twith the series\n'
	paste <(field 1) <(field 2) <(field 3) <(field 4) |
	while IFS=$'\t' read -r title test plain series; do
		now_plain=$(outcome base "$test") now_series=$(outcome series "$test")
		printf '%s\t%s\t%s\n' "$title" "$now_plain" "$now_series"
		# The expectations are patterns.
		# shellcheck disable=SC2053
		[[ $now_plain == $plain ]] ||
			printf '! expected on the plain kernel\t%s\n' "$plain"
		# shellcheck disable=SC2053
		[[ $now_series == $series ]] ||
			printf '! expected with the series\t\t%s\n' "$series"
	done
} >"$out/table"
awk -F'\t' '
	{ for (i = 1; i <= 3; i++) { cell[NR, i] = $i; if (length($i) > w[i]) w[i] = length($i) } }
	END {
		for (r = 1; r <= NR; r++) {
			printf "%-" w[1] "s | %-" w[2] "s | %s\n", cell[r, 1], cell[r, 2], cell[r, 3]
			if (r == 1) {
				line = sprintf("%" (w[1] + w[2] + w[3] + 6) "s", "")
				gsub(/ /, "-", line)
				print line
			}
		}
	}' "$out/table"
unexpected=$(grep -c '^!' "$out/table" || :)
[ "$unexpected" = 0 ] || die "$unexpected outcomes are not as series/$BASE/demo expects; logs: $out"
say "as expected, on both kernels; full logs: $out"
