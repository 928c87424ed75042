#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Shows what a held fence does after its issuer was unloaded, on the plain kernel
# and on the kernel with the series.
. "$(dirname -- "$0")/lib.sh"

[ $# -le 1 ] && [[ ${1:-} != -* ]] || usage '[TOPIC=amdgpu|kasan|xe] demo.sh [TOPIC]

Runs the kselftests that have a title in series/$BASE/expected on a plain kernel and on
one with the series, prints a table, and exits with 0 only if every outcome, on either
kernel, is the expected one. With TOPIC those of the kind kselftest-TOPIC, on kernels that
take longer to build. Full logs: build/$BASE/demo[-TOPIC].'

topic=${1:-${TOPIC:-}}
kind=kselftest${topic:+-$topic}
expectations "$kind" | awk -F'\t' '$3 != ""' | grep -q . ||
	die "TOPIC=$topic has no row in series/$BASE/expected; there are: $(sed -n 's/^kselftest-\([a-z]*\) .*|.*/\1/p' "$SERIES/expected" | sort -u | xargs)"
read -r config plain < <(kernels_of "$kind")
out=$BUILD/demo${topic:+-$topic}

lock_build
"$TOP/tools/deps.sh" demo
"$TOP/tools/tree.sh"
"$TOP/tools/kernel.sh" "$config" "$plain" >/dev/null
"$TOP/tools/kernel.sh" "$config" series >/dev/null
kselftest=$("$TOP/tools/kselftest.sh")

# scenarios REV [OPTION]: becomes vm.sh, with all scenarios, on that revision.
scenarios() {
	exec "$TOP/tools/vm.sh" ${2:+"$2"} -t 300 "$KERNELS/$config-$1" "$out/$1" \
		"$kselftest/fence_unload" "$(vmtest)/vmtest/ksft.sh" \
		< <(awk -F'\t' '{ print $1, "FENCE_UNLOAD_ROUNDS=20 /test/ksft.sh /test/fence_unload", $1 }' "$out/rows")
}

rm -rf -- "$out"
mkdir -p -- "$out"
expectations "$kind" | awk -F'\t' '$3 != ""' >"$out/rows"
say "  $(wc -l <"$out/rows") scenarios in VMs …"
# A plain kernel that survived a scenario is not fit for another one.
scenarios "$plain" -1 2>"$out/$plain.err" & plain_pid=$!
scenarios series 2>"$out/series.err" & series_pid=$!
wait $plain_pid || :
wait $series_pid || :
for rev in "$plain" series; do
	[ -s "$out/$rev/results" ] || die "no results for $rev: $(tail -n 1 "$out/$rev.err"); log: $out/$rev.err"
done

# words OUTCOME TEXT
words() {
	case $1 in
	passes)	echo works ;;
	dies)	echo "kernel died${2:+: $2}" ;;
	hangs)	echo "does not end${2:+: $2}" ;;
	lost)	echo "no result${2:+: $2}" ;;
	*)	echo "$1${2:+: $2}" ;;
	esac
}

{
	printf 'After the issuer was unloaded\tplain kernel\twith the series\n'
	while IFS=$'\t' read -r test wanted title pattern; do
		IFS=$'\t' read -r on_plain plain_text < <(vm_outcome "$out/$plain/results" "$test")
		IFS=$'\t' read -r on_series series_text < <(vm_outcome "$out/series/results" "$test")
		printf '%s\t%s\t%s\n' "$title" "$(words "$on_plain" "$plain_text")" "$(words "$on_series" "$series_text")"
		as_expected "$on_plain" "$wanted" "$plain_text" "${pattern:-*}" ||
			printf '! expected on the plain kernel\t%s\n' "$(words "$wanted" "$pattern")"
		[ "$on_series" = passes ] || printf '! expected with the series\t\tworks\n'
	done <"$out/rows"
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
[ "$unexpected" = 0 ] || die "$unexpected outcomes are not as series/$BASE/expected says; logs: $out"
say "as expected, on both kernels; full logs: $out"
