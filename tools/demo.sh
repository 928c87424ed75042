#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Shows what a held fence does after its issuer was unloaded, on the plain kernel
# and on the kernel with the series.
. "$(dirname -- "$0")/lib.sh"

[ $# = 0 ] || usage '[TOPIC=amdgpu|kasan|xe] demo.sh

Runs the kselftests that series/$BASE/demo names on a plain kernel and on one with
the series, prints a table, and exits with 0 only if every outcome, on either
kernel, is the one that the file expects. Full logs: build/$BASE/demo.

The file names the kernels, too: "#kernels CONFIG REV", of kernel.sh. REV is the plain
one: base, or "tests" where the base needs what issues the fences of a driver without
its hardware. With TOPIC it is series/$BASE/demo-TOPIC, of kernels that take longer to
build.'

topic=${TOPIC:-}
rows=$SERIES/demo${topic:+-$topic}
[ -f "$rows" ] ||
	die "there is no ${rows#"$TOP/"}, the list of scenarios; there are: $(cd "$SERIES" && echo demo*)"
read -r config plain < <(sed -n 's/^#kernels //p' "$rows") || :
[ -n "$plain" ] ||
	die "${rows#"$TOP/"} does not say for which kernels it is (#kernels CONFIG REV)"
out=$BUILD/demo${topic:+-$topic}

lock_build
"$TOP/tools/deps.sh" demo
"$TOP/tools/tree.sh"
"$TOP/tools/kernel.sh" "$config" "$plain" >/dev/null
"$TOP/tools/kernel.sh" "$config" series >/dev/null
kselftest=$("$TOP/tools/kselftest.sh")

# field N: that column of the scenarios, blanks cut off.
field() {
	awk -F'|' -v n="$1" '!/^#/ && NF == 4 { gsub(/^[ \t]+|[ \t]+$/, "", $n); print $n }' "$rows"
}

# scenarios REV [OPTION]: becomes vm.sh, with all scenarios, on that revision.
scenarios() {
	exec "$TOP/tools/vm.sh" ${2:+"$2"} -t 300 "$KERNELS/$config-$1" "$out/$1" \
		"$kselftest/fence_unload" "$(vmtest)/vmtest/ksft.sh" \
		< <(field 2 | awk '{ print $1, "FENCE_UNLOAD_ROUNDS=20 /test/ksft.sh /test/fence_unload", $1 }')
}

say "  $(field 2 | wc -l) scenarios in VMs …"
rm -rf -- "$out"
mkdir -p -- "$out"
# A plain kernel that survived a scenario is not fit for another one.
scenarios "$plain" -1 2>"$out/$plain.err" & plain_pid=$!
scenarios series 2>"$out/series.err" & series_pid=$!
wait $plain_pid || :
wait $series_pid || :
for rev in "$plain" series; do
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
	while IFS=$'\t' read -r title test want_plain want_series; do
		now_plain=$(outcome "$plain" "$test") now_series=$(outcome series "$test")
		printf '%s\t%s\t%s\n' "$title" "$now_plain" "$now_series"
		# The expectations are patterns.
		# shellcheck disable=SC2053
		[[ $now_plain == $want_plain ]] ||
			printf '! expected on the plain kernel\t%s\n' "$want_plain"
		# shellcheck disable=SC2053
		[[ $now_series == $want_series ]] ||
			printf '! expected with the series\t\t%s\n' "$want_series"
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
[ "$unexpected" = 0 ] || die "$unexpected outcomes are not as ${rows#"$TOP/"} expects; logs: $out"
say "as expected, on both kernels; full logs: $out"
