#!/bin/bash
# Boots a UML kernel with KUnit suites and says how each case ended.
. "$(dirname -- "$0")/lib.sh"

USAGE='tools/kunit.sh [--list] CONFIG REV [SUITE.CASE]

Makes the UML kernel CONFIG (uml, uml-debug, uml-virtio) of REV with kernel.sh, boots
it with two CPUs and runs all its suites, or only what the pattern names. Writes one
line for each case to build/$BASE/kunit/CONFIG-REV/summary (with a pattern: …/PATTERN/summary):

  kunit SUITE.CASE passes|skips|fails|dies|lost
  kernel TEXT                what the console complains about, in any case

"dies": the kernel did not survive the case, or it did not end in time. "lost": no
result, since the kernel died before, or the text of REV declares a case that this
kernel does not have.
Exit status 0 only if none failed and at least one passed. --list prints the
cases that there are, "SUITE.CASE" each, and runs none.
KUNIT_TIMEOUT=SECONDS bounds the boot (default 600), KUNIT_APPEND=WORDS is added to
the command line of the kernel. KUNIT_READY=yes: the kernel has been made just before.'
list=
if [ "${1:-}" = --list ]; then list=yes; shift; fi
[ $# -eq 2 ] || [ $# -eq 3 ] || usage "$USAGE"
config=$1 rev=$2 glob=${3:-}
case $glob in */*) usage "$USAGE" ;; esac
limit=${KUNIT_TIMEOUT:-600}
[ "$(uname -m)" = x86_64 ] || die "UML runs on x86_64 only"
grep -q '^#arch um' "$TOP/kconfig/$config" 2>/dev/null || grep -q '^#include uml' "$TOP/kconfig/$config" 2>/dev/null ||
	die "no kconfig/$config for UML (#arch um)"
known_rev "$rev"
lock_build
kernel=$KERNELS/$config-$rev
[ "${KUNIT_READY:-}" = yes ] || "$TOP/tools/kernel.sh" "$config" "$rev" >/dev/null

# Without a third argument: all suites of drivers/dma-buf, and where they are
# declared. drm has many more, some of which provoke warnings on purpose.
suites=(drivers/dma-buf)
filter=${glob:-dma*}
# What suites provoke on purpose, with the base, too.
case $filter in
ttm*)	provoked='WARNING in ttm_device_init()
WARNING in ttm_bo_reserve_no_wait_ticket()' ;;
# qxl_surface_id_alloc() reserves other buffers while its caller has one reserved.
qxl*)	provoked='WARNING: possible recursive locking detected' ;;
*)	provoked='' ;;
esac

out=$BUILD/kunit/$config-$rev${glob:+/$glob}
temp_dir tmp

boot() {	# boot [PARAMETER...]
	local rc=0
	timeout --foreground -s KILL "$limit" "$kernel/linux" seccomp=on ncpus=2 mem=1G \
		console=tty kunit_shutdown=halt uml_dir="$tmp/" \
		"kunit.filter_glob=$filter" ${KUNIT_APPEND:-} "$@" || rc=$?
	# How it ended is judged by what it said; halting is no success yet.
	echo
	if [ $rc -eq 137 ]; then echo "harness: not over after $limit s"; fi
}
name=kunit-$config-$rev${glob:+-${glob//\*/all}}
console=$LOG/$name.log

# What there is to run, in its order.
case $glob in
''|*[*?[]*)
	logged "$name-list" boot kunit.action=list
	tr -d '\r' <"$LOG/$name-list.log" |
		sed -n 's/^\(\[[^]]*\] \)\{0,1\}\([A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\)$/\2/p' >"$tmp/listed"
	[ -s "$tmp/listed" ] ||
		die "no suite or case is called ${glob:-*} in $config-$rev, or it does not boot; log: $LOG/$name-list.log" ;;
*)	echo "$glob" >"$tmp/listed" ;;
esac
if [ -n "$list" ]; then
	cat "$tmp/listed"
	exit 0
fi

logged "$name" boot
# kunit.py reads the results, in which the console's other lines are mixed.
python3 "$TREE/tools/testing/kunit/kunit.py" parse --json="$tmp/json" "$console" \
	>"$tmp/parsed" 2>&1 || :
[ -s "$tmp/json" ] || echo '{"sub_groups": [], "test_cases": []}' >"$tmp/json"
halted=
! grep -q 'reboot: System halted' "$console" || halted=yes

python3 - "$tmp/json" "$tmp/listed" "$halted" >"$tmp/cases" <<'PY'
import json, sys
top = json.load(open(sys.argv[1]))
listed = [line.strip() for line in open(sys.argv[2])]
halted = sys.argv[3] == "yes"
words = {"PASS": "passes", "SKIP": "skips", "FAIL": "fails", "ERROR": "fails"}
rank = ["skips", "passes", "fails"]

def worst(group):	# of the parameters of one case
    seen = [words[c["status"]] for c in group["test_cases"]]
    seen += [worst(g) for g in group["sub_groups"]]
    return max(seen, key=rank.index) if seen else "fails"

result = {}
for suite in top["sub_groups"]:
    for case in suite["test_cases"]:
        result[suite["name"] + "." + case["name"]] = words[case["status"]]
    for case in suite["sub_groups"]:
        result[suite["name"] + "." + case["name"]] = worst(case)

# The first case without a result is the one that the kernel died in. If all
# have one, the last did it. No result and a clean end: there is no such case.
died = halted
for name in listed:
    what = result.get(name)
    if what is None:
        what = "lost" if died else "dies"
        died = True
    print("kunit", name, what)
if not died:
    print("kunit", listed[-1], "dies")
PY

{
	cat "$tmp/cases"
	if [ -z "$glob" ]; then
		# A case that the text declares and the kernel does not have is lost, too. One
		# suite has cases only for kernels that track fences.
		grep -qs '^CONFIG_DEBUG_DMA_FENCE=y' "$kernel/config" || suites+=(':!*/st-dma-fence-debug.c')
		kgit -C "$TREE" grep -hoE '^[[:space:]]*KUNIT_CASE[A-Z_]*\([a-zA-Z0-9_]+' \
			"$(rev_commit "$rev")" -- "${suites[@]}" |
			sed 's/.*(//' | sort -u >"$tmp/declared"
		sed 's/.*\.//' "$tmp/listed" | sort -u >"$tmp/seen"
		comm -23 "$tmp/declared" "$tmp/seen" | sed 's/.*/kunit any.& lost/'
	fi
	awk -f "$(vmtest)/vmtest/console.awk" "$console" | cut -f 3 | { grep -vxF -- "$provoked" || :; } | sed 's/^/kernel /'
	if grep -q '^harness: not over' "$console"; then echo "kernel not over after $limit s"; fi
} >"$tmp/summary"

rm -rf "$out"
mkdir -p "$out"
cp "$tmp/summary" "$out/summary"
awk -v log_="$console" -v summary="$out/summary" '
	{ what = $1 == "kernel" ? "complaints" : $3; n[what]++
	  if (what !~ /passes|skips/ && ++shown <= 12) print "  " $0 }
	END {
		if (shown > 12) print "  and " shown - 12 " more, see " summary
		printf "%d passed, %d skipped, %d failed, %d killed the kernel, %d lost, %d complaints; log: %s\n",
			n["passes"], n["skips"], n["fails"], n["dies"], n["lost"], n["complaints"], log_
		exit shown > 0 || !n["passes"]
	}' "$out/summary"
