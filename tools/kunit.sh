#!/bin/bash
# Boots a UML kernel with KUnit suites and says how each case ended.
. "$(dirname -- "$0")/lib.sh"

USAGE='tools/kunit.sh [--list] CONFIG REV [SUITE.CASE]

Makes the UML kernel CONFIG (uml, uml-debug) of REV with kernel.sh, boots it with
two CPUs and runs all its suites, or only what the pattern names. Writes one line
a case to build/$BASE/kunit/CONFIG-REV/summary (with a pattern: …/PATTERN/summary):

  kunit SUITE.CASE passes|skips|fails|dies
  kernel TEXT                what the console complains about, in any case

"dies": the kernel did not survive the case, or it did not end in time. Without a
pattern a case that the text of REV declares and that gave no result is "lost".
Exit status 0 only if none failed and at least one passed. --list prints the
cases that there are, "SUITE.CASE" each, and runs none.
KUNIT_TIMEOUT=SECONDS bounds the boot (default 600).'
list=
if [ "${1:-}" = --list ]; then list=yes; shift; fi
[ $# -eq 2 ] || [ $# -eq 3 ] || usage "$USAGE"
config=$1 rev=$2 glob=${3:-}
case $glob in */*) usage "$USAGE" ;; esac
limit=${KUNIT_TIMEOUT:-600}
[ "$(uname -m)" = x86_64 ] || die "UML runs on x86_64 only"
lock_build
kernel=$("$TOP/tools/kernel.sh" "$config" "$rev")
[ -x "$kernel/linux" ] || die "kconfig/$config is not for UML (#arch um)"

# Where suites and cases are declared.
suites=(drivers/dma-buf drivers/gpu/drm/scheduler/tests drivers/gpu/drm/tests)

out=$BUILD/kunit/$config-$rev${glob:+/$glob}
temp_dir tmp

boot() {
	local rc=0
	timeout --foreground -s KILL "$limit" "$kernel/linux" seccomp=on ncpus=2 mem=1G \
		console=tty kunit_shutdown=halt uml_dir="$tmp/" \
		${glob:+"kunit.filter_glob=$glob"} ${list:+kunit.action=list} || rc=$?
	# The console told how it ended; halting is no failure and no success.
	echo
	if [ $rc -eq 137 ]; then echo "harness: not over after $limit s"; fi
}
log=kunit-$config-$rev${glob:+-${glob//\*/all}}${list:+-list}
logged "$log" boot || exit 1
console=$LOG/$log.log
if [ -n "$list" ]; then
	tr -d '\r' <"$console" | sed -n 's/^\(\[[^]]*\] \)\{0,1\}\([A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\)$/\2/p'
	exit 0
fi

# kunit.py reads the results, the tools' own words are in the same log.
python3 "$TREE/tools/testing/kunit/kunit.py" parse --json="$tmp/json" "$console" \
	>"$tmp/parsed" 2>&1 || :
[ -s "$tmp/json" ] ||
	die "no KUnit results in the console of $config-$rev; log: $console"
halted=yes
grep -q 'reboot: System halted' "$console" || halted=

python3 - "$tmp/json" "$halted" >"$tmp/cases" <<'PY'
import json, sys
top = json.load(open(sys.argv[1]))
halted = sys.argv[2] == "yes"
words = {"PASS": "passes", "SKIP": "skips", "FAIL": "fails", "ERROR": "dies"}
rank = ["skips", "passes", "fails", "dies"]

def worst(group):	# the parameters of one case
    seen = [words[c["status"]] for c in group["test_cases"]]
    seen += [worst(g) for g in group["sub_groups"]]
    return max(seen, key=rank.index) if seen else "dies"

lines = []
for suite in top["sub_groups"]:
    for case in suite["test_cases"]:
        lines.append((suite["name"], case["name"], words[case["status"]]))
    for case in suite["sub_groups"]:
        lines.append((suite["name"], case["name"], worst(case)))
for case in top["test_cases"]:	# a suite that ended before its first case
    if case["status"] not in ("PASS", "SKIP"):
        lines.append((case["name"], "any", "dies"))
# A kernel that did not come to its end died in the last case it spoke of.
if not halted and lines and lines[-1][2] not in ("dies",):
    suite, case, what = lines[-1]
    if what == "passes" or what == "skips":
        lines.append((suite, "after_" + case, "dies"))
    else:
        lines[-1] = (suite, case, "dies")
for suite, case, what in lines:
    print("kunit", suite + "." + case, what)
PY

{
	cat "$tmp/cases"
	if [ -z "$glob" ]; then
		# Every declared case has to be there.
		kgit -C "$TREE" grep -hoE '^[[:space:]]*KUNIT_CASE[A-Z_]*\([a-zA-Z0-9_]+' \
			"$(rev_commit "$rev")" -- "${suites[@]}" |
			sed 's/.*(//' | sort -u >"$tmp/declared"
		sed 's/^kunit [^.]*\.\([^ ]*\) .*/\1/' "$tmp/cases" | sort -u >"$tmp/seen"
		comm -23 "$tmp/declared" "$tmp/seen" | sed 's/.*/kunit any.& lost/'
	fi
	awk -f "$TOP/vm/console.awk" "$console" | cut -f 3 | sed 's/^/kernel /'
	if grep -q '^harness: not over' "$console"; then echo "kernel not over after $limit s"; fi
} >"$tmp/summary"

rm -rf "$out"
mkdir -p "$out"
cp "$tmp/summary" "$out/summary"
awk -v log_="$console" '
	{ what = $1 == "kernel" ? "fails" : $3; n[what]++
	  if (what !~ /passes|skips/) print "  " $0 }
	END {
		printf "%d passed, %d skipped, %d failed, %d lost, %d killed the kernel; log: %s\n",
			n["passes"], n["skips"], n["fails"], n["lost"], n["dies"], log_
		exit n["fails"] + n["dies"] + n["lost"] > 0 || !n["passes"]
	}' "$out/summary"
