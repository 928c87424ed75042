#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs one test, or a few, of the tree as it is.
. "$(dirname -- "$0")/lib.sh"

[ $# = 0 ] && [ -n "${TEST:-}" ] || usage 'TEST=TEST [REV=REV] [CONFIG=CONFIG] test.sh

Builds a kernel of REV and runs TEST on it, on UML or in a VM. TEST is

  SUITE or SUITE.CASE        of KUnit, in drivers/dma-buf, drivers/gpu/drm, f_fs or IIO; or a
                             pattern: TEST="dma_fence*", TEST="*.test_race_*"
  FIXTURE[.VARIANT].TEST     of the dma-buf kselftest, or how the name begins
                             (TEST=held.vgem), or a pattern
  sync                       tools/testing/selftests/sync, all of it

REV is wip (default: the work tree build/$BASE/linux as it is, with what is not
committed), base, tests, series or the number of a patch. CONFIG is a configuration
in kconfig/ that can be booted (uml, uml-debug, vm, vm-debug, ...). Without it a kselftest
runs in vm; KUnit in uml, suites of xe and qxl in uml-debug, of virtio in uml-virtio, of
host1x and v3d in uml-soc, of amdgpu in vm-debug, those of the scheduler that measure time
in vm, and on linux-6.12.y all in vm.

Prints pass, skip or fail for each case, for a failure also what the log says of it,
then "N passed, N skipped, N failed". Exit status 0 only if one passed and none failed.
Examples:

  make test TEST=dma_fence_lifetime.test_race_wait
  make test TEST=held.vgem_sync_file.close REV=base'

test=$TEST rev=${REV:-wip} config=${CONFIG:-}
case $test in
*[!][A-Za-z0-9_.*?!-]*) die "TEST='$test' is not the name of a test, which has letters, digits, '.', '_', '-', and in a pattern '*', '?' and '[...]'" ;;
esac
can_boot() { (cd "$TOP/kconfig" && echo uml* vm*); }
case $config in
'')	;;
uml*|vm*) [ -f "$TOP/kconfig/$config" ] ;;
*)	false ;;
esac || die "CONFIG=$config cannot be booted or is unknown; there are: $(can_boot)"
lock_build
known_rev "$rev"
if [ ! -d "$TREE" ]; then
	"$TOP/tools/tree.sh"
	known_rev "$rev"
fi
commit=$(rev_commit "$rev")
[ "$rev" != tests ] || [ "$(kgit -C "$TREE" rev-parse HEAD)" = "$(sed -n 's/^head //p' "$TREE/.git/series-state")" ] ||
	say "note: the tests are those of the last make tree or make export, not of the commits since"
temp_dir tmp

# --- which tests are there? The text tells, before anything is built ----------------
program=tools/testing/selftests/dma-buf/fence_unload.c
# What has no kselftest is tested with that of the series.
of=$rev
kgit -C "$TREE" cat-file -e "$commit:$program" 2>/dev/null && [ "$rev" != tests ] || of=series
case $rev in mutant|mutants) of=series ;; esac
mapfile -t files < <(kgit -C "$TREE" grep -lE '\<kunit_suite\>' "$commit" -- \
	'drivers/dma-buf/*.c' 'drivers/gpu/drm/*/tests/*.c' 'drivers/gpu/drm/tests/*.c' \
	'drivers/gpu/drm/amd/amdgpu/*.c' ':(exclude)drivers/gpu/drm/amd/display' \
	'drivers/gpu/host1x/tests/*.c' \
	'drivers/usb/gadget/function/*.c' drivers/iio/test/iio-test-dmabuf.c | sed 's/^[^:]*://')
[ ${#files[@]} = 0 ] || kgit -C "$TREE" archive "$commit" -- "${files[@]}" | tar -xf - -C "$tmp"
! kgit -C "$TREE" cat-file -e "$(rev_commit "$of"):$program" 2>/dev/null ||
	kgit -C "$TREE" archive "$(rev_commit "$of")" -- "$program" | tar -xf - -C "$tmp"

# Writes the tests that TEST means, in the order of the text: "kselftest NAME" or
# "kunit SUITE CASE FILE SYMBOL", SYMBOL being the option that builds it.
python3 - "$tmp" "$program" "$test" >"$tmp/chosen" <<'PY' || die "no test of $rev is called '$test'; $(cat "$tmp/near")"
import difflib, fnmatch, os, re, sys
top, program, wanted = sys.argv[1:]

def text(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return re.sub(r"/\*.*?\*/|//[^\n]*", "", f.read(), flags=re.S)

symbols = (("drivers/dma-buf/", "DMABUF_KUNIT_TEST"), ("drivers/gpu/drm/tests/", "DRM_KUNIT_TEST"),
           ("drivers/gpu/drm/scheduler/", "DRM_SCHED_KUNIT_TEST"), ("drivers/gpu/drm/xe/", "DRM_XE_KUNIT_TEST"),
           ("drivers/gpu/drm/ttm/tests/", "DRM_TTM_KUNIT_TEST"),
           ("drivers/gpu/drm/qxl/", "DRM_QXL_KUNIT_TEST"),
           ("drivers/gpu/drm/virtio/", "DRM_VIRTIO_GPU_KUNIT_TEST"),
           ("drivers/gpu/drm/amd/amdgpu/", "DRM_AMDGPU_KUNIT_TEST"),
           ("drivers/gpu/drm/v3d/", "DRM_V3D_KUNIT_TEST"),
           ("drivers/gpu/host1x/", "TEGRA_HOST1X_KUNIT_TEST"),
           ("drivers/usb/gadget/", "USB_F_FS_KUNIT_TEST"), ("drivers/iio/", "IIO_BUFFER_KUNIT_TEST"))
kunit = []
for folder, _, names in sorted(os.walk(os.path.join(top, "drivers"))):
    for name in sorted(names):
        path = os.path.join(folder, name)
        source = text(path)
        path = os.path.relpath(path, top)
        symbol = next((s for p, s in symbols if path.startswith(p)), None)
        if not symbol:
            continue
        arrays = dict(re.findall(r"struct\s+kunit_case\s+(\w+)\s*\[\]\s*=\s*\{(.*?)\n\};", source, re.S))
        for suite in re.findall(r"struct\s+kunit_suite\s+\w+\s*=\s*\{(.*?)\n\};", source, re.S):
            title = re.search(r"\.name\s*=\s*\"([^\"]+)\"", suite)
            cases = re.search(r"\.test_cases\s*=\s*(\w+)", suite)
            if not title or not cases:
                continue
            for case in re.findall(r"\bKUNIT_CASE[A-Z_]*\(\s*(\w+)", arrays.get(cases[1], "")):
                kunit.append((title[1], case, path, symbol))

kselftest = []
if os.path.exists(os.path.join(top, program)):
    source = text(os.path.join(top, program))
    variants = {}
    for fixture, variant in re.findall(r"^FIXTURE_VARIANT_ADD\(\s*(\w+)\s*,\s*(\w+)\s*\)", source, re.M):
        variants.setdefault(fixture, []).append(variant)
    for fixture, case in re.findall(r"^TEST_F\w*\(\s*(\w+)\s*,\s*(\w+)", source, re.M):
        for variant in variants.get(fixture, [None]):
            kselftest.append(".".join(filter(None, (fixture, variant, case))))
    kselftest += ["global." + case for case in re.findall(r"^TEST(?:_SIGNAL)?\(\s*(\w+)", source, re.M)]

def fits_kunit(suite, case):
    return fnmatch.fnmatchcase(suite + "." + case if "." in wanted else suite, wanted)
def fits_kselftest(name):
    return fnmatch.fnmatchcase(name, wanted) or any(
        name.startswith(wanted.rstrip("._") + c) for c in "._")
chosen = ["kunit " + " ".join(k) for k in kunit if fits_kunit(*k[:2])]
chosen += ["kselftest " + k for k in kselftest if fits_kselftest(k)]
if wanted == "sync":
    chosen = ["kselftest sync"]
if chosen:
    print("\n".join(dict.fromkeys(chosen)))
    sys.exit()

# None. What is there that is like it?
def plain(s):
    return re.sub(r"[^a-z0-9.]", "", s.lower())
all_names = list(dict.fromkeys([k[0] for k in kunit] + [k[0] + "." + k[1] for k in kunit] + kselftest))
by_plain = {}
for name in all_names:
    by_plain.setdefault(plain(name), name)
asked = plain(wanted)
near = [by_plain[p] for p in difflib.get_close_matches(asked, by_plain, 6, 0.7)]
near += [n for p, n in by_plain.items() if asked and asked in (p if "." in asked else p.split(".")[-1])][:6]
if "." not in wanted:	# or a case without its suite
    cases = {plain(n.rsplit(".", 1)[1]): n for n in all_names if "." in n}
    near += [cases[p] for p in difflib.get_close_matches(asked, cases, 3, 0.8)]
near = list(dict.fromkeys(near))[:8]
suites = list(dict.fromkeys([k[0] for k in kunit] + [k.split(".")[0] for k in kselftest]))
with open(os.path.join(top, "near"), "w") as f:
    f.write("near it: " + ", ".join(near) if near else "nothing is near it; there are: " + ", ".join(suites))
sys.exit(1)
PY
kinds=$(cut -d' ' -f1 "$tmp/chosen" | sort -u | xargs)
case $kinds in
*" "*) die "TEST='$test' means KUnit cases and kselftests; say more of the name" ;;
esac

# --- where do they run? --------------------------------------------------------------
# lines_of CONFIG: its lines as kernel.sh takes them, the last of a symbol counts.
lines_of() {
	local name
	while read -r name; do lines_of "$name"; done < <(sed -n 's/^#include[[:space:]]*//p' "$TOP/kconfig/$1")
	cat "$TOP/kconfig/$1"
	[ ! -f "$TOP/kconfig/$BASE/$1" ] || cat "$TOP/kconfig/$BASE/$1"
}
if [ "$kinds" = kselftest ]; then
	case $config in
	'')	# What issues the fences of a real driver is in a kernel of its own.
		config=vm
		for driver in amdgpu xe; do
			grep -qvE "\.${driver}[_.]" "$tmp/chosen" || config=vm-drivers
		done ;;
	uml*)	die "a kselftest does not run on UML; say CONFIG=vm or another of: $(can_boot)" ;;
	esac
else
	in_vm=''
	! grep -q '^kunit-vm ' "$SERIES/expected" 2>/dev/null || in_vm=yes
	cut -d' ' -f2,5 "$tmp/chosen" | sort -u | while read -r suite symbol; do
		usual=uml
		case $symbol-$suite in
		DRM_AMDGPU_*)	usual=vm-debug ;;
		DRM_VIRTIO_*)	usual=uml-virtio ;;
		DRM_V3D_*|TEGRA_HOST1X_*) usual=uml-soc ;;
		DRM_QXL_*|DRM_XE_*)	usual=uml-debug ;;
		DRM_SCHED_*-drm_sched_lifetime*) ;;
		DRM_SCHED_*)	usual=vm ;;
		esac
		case $usual$in_vm in uml*yes) usual=vm ;; esac
		echo "$symbol $usual"
	done | sort -u >"$tmp/where"
	if [ -z "$config" ]; then
		config=$(cut -d' ' -f2 "$tmp/where" | sort -u | xargs)
		case $config in
		*" "*) die "TEST='$test' means suites for the configurations $config; say CONFIG=one of them, or more of the name" ;;
		esac
	fi
	# Only what this configuration builds.
	while read -r symbol usual; do
		case $(lines_of "$config" | sed -n "s/^CONFIG_$symbol=//p; s/^# CONFIG_$symbol is not set/n/p" | tail -n 1) in
		y|m)	echo "$symbol" ;;
		*)	other=$usual ;;
		esac
	done <"$tmp/where" >"$tmp/symbols"
	[ -s "$tmp/symbols" ] ||
		die "CONFIG=$config does not build the suite of '$test'; leave CONFIG out$([ "$other" = "$config" ] || echo ", or say CONFIG=$other")"
	grep -E " ($(paste -sd'|' "$tmp/symbols"))\$" "$tmp/chosen" >"$tmp/kept"
	mv "$tmp/kept" "$tmp/chosen"
fi

# --- build ----------------------------------------------------------------------------
say "  $(wc -l <"$tmp/chosen") of $rev in $config"
touch "$tmp/before"
# not_built: the errors of the compiler and of what comes after it, in the user's tree.
not_built() {
	find "$LOG" -maxdepth 1 -name "*-$config-$rev.log" -newer "$tmp/before" -print0 |
		xargs -0 -r grep -hE -A 3 '(^|[^a-z])(fatal )?error: |undefined reference|^ERROR: |multiple definition' |
		sed "s,^$WORK/,,; s,^[^ ]*/work/,," | grep -vE '^(--$|  (CC|LD|AR|GEN|MODPOST) |make)' | head -n 30 >&2 || :
	die "$rev does not build in $config; logs: $LOG/*-$config-$rev.log"
}
case $config in
vm*)
	"$TOP/tools/deps.sh" demo
	kernel=$("$TOP/tools/kernel.sh" "$config" "$rev") || not_built ;;
esac

# --- run ------------------------------------------------------------------------------
# Each leaves "OUTCOME NAME" lines in $tmp/outcomes, OUTCOME being pass, skip or fail,
# the latter followed by lines with blanks before them.
ktap() {	# ktap KIND LOG...: what the logs say of the chosen KUnit cases
	python3 - "$tmp/chosen" "$@" >"$tmp/outcomes" <<'PY'
import re, sys
chosen, how = sys.argv[1:3]
stamp = re.compile(r"^(<\d+>)?\[ *\d+\.\d+\](\[ *[TC]\d+\])? ")
result, why, last = {}, {}, None
for path in sys.argv[3:]:
    suite, block = None, []
    for line in open(path, encoding="utf-8", errors="replace"):
        line = stamp.sub("", line.rstrip("\r\n"))
        m = re.match(r"    # Subtest: (\S+)", line)
        if m:
            suite, block, last = m[1], [], m[1]
            continue
        m = re.match(r"    (not ok|ok) \d+ (?:- )?([^\s#]+)(.*)", line)
        if m and suite:
            name = suite + "." + m[2]
            result[name] = "skip" if "# SKIP" in m[3] else "pass" if m[1] == "ok" else "fail"
            why[name] = block
            block = []
        elif re.match(r"(not )?ok \d+ ", line):
            suite = None
        elif suite and not re.match(r"\s*(KTAP version |1\.\.\d|# Subtest: |ok \d)", line):
            block.append(line)
    left = block if suite else []
died = how in ("died", "timeout", "lost")
for line in open(chosen):
    _, suite, case = line.split()[:3]
    name = suite + "." + case
    what = result.get(name)
    print(what or "fail", name)
    if what == "fail":
        print("".join("    " + l.strip() + "\n" if l[:1].isspace() else "    " + l + "\n"
                      for l in why[name][-25:]), end="")
    elif what is None and died and suite == last:
        print({"died": "    the kernel died in it", "timeout": "    it did not end in time"}.get(
              how, "    the machine ended in it"))
        # From the last oops on, without what only the log needs.
        oops = [i for i, l in enumerate(left) if re.search(
            "kernel BUG|^BUG: |^Unable to handle|general protection fault|^Kernel panic", l)]
        left = [l for l in left[oops[0] if oops else 0:] if not re.match(
            r" *(Code|R[A-Z0-9][A-Z0-9]|EFLAGS|FS|CS|CR2|DR0|DR3|Modules linked in|Tainted|Hardware name|CPU): (?!0010)| *</?TASK>| *\? ", l)]
        print("".join("    " + l.strip() + "\n" for l in left[:16]), end="")
        last = None
    elif what is None:
        print("    no result: " + ("the kernel ended before" if died else "this kernel does not have it"))
PY
}

# The glob of KUnit: a suite alone is all its cases.
glob=$test
case $glob in *.*) ;; *) glob="$glob.*" ;; esac

on_uml() {
	local text how=pass
	rm -rf -- "$BUILD/kunit/$config-$rev/$glob"
	text=$("$TOP/tools/kunit.sh" "$config" "$rev" "$glob") || :
	[ -f "$BUILD/kunit/$config-$rev/$glob/summary" ] || not_built
	log=$(sed -n 's/.*; log: //p' <<<"$text" | tail -n 1)
	! grep -qE ' (dies|lost)$' "$BUILD/kunit/$config-$rev/$glob/summary" || how=died
	! grep -q '^kernel not over' "$BUILD/kunit/$config-$rev/$glob/summary" || how=timeout
	ktap $how "$log"
	sed -n 's/^kernel //p' "$BUILD/kunit/$config-$rev/$glob/summary" >"$tmp/complaints"
}

limit=600
case $config in
vm-debug|vm-kcsan|vm-xe|vm-xe-rt)
	limit=1800
	export VM_MEM=${VM_MEM:-2G} ;;
esac
limit=${VM_TIMEOUT:-$limit}
out=$BUILD/test/$config-$rev
in_vm() { "$TOP/tools/vm.sh" -t $limit "$kernel" "$out" "$@" <"$tmp/commands"; }
vm() {	# vm FILE...: runs $tmp/commands
	[ ! -L "$out" ] || rm -f -- "$out"
	watched "$test in the VM" "$LOG/test-$config-$rev.log" in_vm "$@" || :
	[ -s "$out/results" ] || die "$(tail -n 1 "$LOG/test-$config-$rev.log"); log: $LOG/test-$config-$rev.log"
	run=$(cd -- "$out" && pwd -P)
}

# module_of SUITE FILE: the module of this kernel that holds it; none if it is built in.
module_of() {
	local m
	m=$(basename "$2" .c)
	if built_in "$kernel" "$m"; then echo "$m"; return; fi
	find "$kernel/modules" -name '*.ko' -exec grep -lF .kunit_test_suites {} + | tr '\n' '\0' |
		xargs -r -0 grep -laP "(?<![A-Za-z0-9_])$1\\x00" | head -n 1 | sed 's,.*/,,; s/\.ko$//' || :
}

kunit_in_vm() {
	local suite file module how outputs
	while read -r suite file; do
		module=$(module_of "$suite" "$file")
		if [ -z "$module" ] && ! grep -qaP "(?<![A-Za-z0-9_])$suite\\x00" "$kernel/vmlinux"; then
			die "the suite $suite is not in the kernel $kernel; say another CONFIG of: $(can_boot)"
		fi
		echo "${module:--} $suite"
	done < <(cut -d' ' -f2,4 "$tmp/chosen" | uniq) >"$tmp/modules"
	# Suites that are built in take the filter when the kernel boots.
	! grep -q '^- ' "$tmp/modules" || export VM_APPEND="${VM_APPEND:-} kunit.filter_glob=$glob"
	# Some cases have allocations fail; that needs failslab, if there is.
	awk -v glob="$glob" '
		!($1 in suites) { order[n++] = $1 }
		{ suites[$1] = suites[$1] " " $2 }
		END {
			for (i = 0; i < n; i++) {
				m = order[i]
				printf "kunit.%s if cd /sys/kernel/debug/failslab 2>/dev/null; then echo Y >task-filter; echo N >ignore-gfp-wait; echo 100 >probability; echo -1 >times; echo 0 >verbose; fi; ", m == "-" ? "builtin" : m
				if (m != "-")
					printf "echo -n '\''%s'\'' >/sys/module/kunit/parameters/filter_glob && modprobe %s && ", glob, m
				printf "for i in%s; do cd /sys/kernel/debug/kunit/$i || exit; grep -qE \"^ +(not )?ok \" results || echo run >run; cat results; done", suites[m]
				print m != "-" ? " && cd / && modprobe -r " m : ""
			}
		}' "$tmp/modules" >"$tmp/commands"
	vm
	how=$(awk -F'\t' '$2 ~ /died|timeout|lost/ { print $2; exit }' "$run/results")
	# The console tells where the kernel died, the results are not mixed with other lines.
	mapfile -t outputs < <(find "$run" -path '*/output/kunit.*')
	ktap "${how:-pass}" "$run"/[0-9]*/console "${outputs[@]}"
	cat "$run"/[0-9]*/findings | cut -f 3 >"$tmp/complaints"
	awk -F'\t' '$2 != "pass" && $2 != "died" { print $1 ": " $2 " " $3 }' "$run/results" >>"$tmp/complaints"
	log=$(printf '%s ' "$run"/[0-9]*/console)
}

kselftest_in_vm() {
	local kselftest outcome text name
	kselftest=$("$TOP/tools/kselftest.sh" "$of") || not_built
	{ grep -x sync <<<"$test" || kselftests_of "$kernel" "$kselftest"; } |
		grep -xF -f <(cut -d' ' -f2 "$tmp/chosen") >"$tmp/names" ||
		die "CONFIG=$config has not what issues the fences of '$test'; say CONFIG=vm-drivers"
	sed 's,.*,& FENCE_UNLOAD_ROUNDS=20 /test/ksft.sh /test/fence_unload &,; s,^sync .*,sync /test/sync_test,' \
		"$tmp/names" >"$tmp/commands"
	vm "$kselftest/fence_unload" "$kselftest/sync_test" "$(vmtest)/vmtest/ksft.sh"
	: >"$tmp/complaints"
	while IFS=$'\t' read -r name outcome text; do
		case $name in
		kernel|kmemleak) echo "$name: $outcome $text" >>"$tmp/complaints"; continue ;;
		esac
		case $outcome in
		pass|skip) echo "$outcome $name"; continue ;;
		died)	echo "fail $name"; echo "    the kernel died: $text" ;;
		timeout) echo "fail $name"; echo "    it did not end in time${text:+: $text}" ;;
		*)	echo "fail $name"; echo "    ${text:-the machine ended in it}" ;;
		esac
		for text in "$run"/[0-9]*/output/"$name"; do
			[ -f "$text" ] || continue
			grep -vE '^(TAP version|1\.\.|# (Starting|PASSED|FAILED|Totals)|#  (RUN|OK|FAIL) |ok )|^#( +| -+)$' "$text" |
				tail -n 20 | sed 's/^/    /' || :
		done
		echo "    log: $(grep -l "^$name " "$run"/[0-9]*/commands | tail -n 1 | sed 's/commands$/console/')"
	done <"$run/results" >"$tmp/outcomes"
	log=$run
}

log='' run=''
case $kinds-$config in
kselftest-*)	kselftest_in_vm ;;
kunit-uml*)	on_uml ;;
kunit-*)	kunit_in_vm ;;
esac

# --- the verdict ------------------------------------------------------------------------
cat "$tmp/outcomes"
passed=$(grep -c '^pass ' "$tmp/outcomes" || :)
skipped=$(grep -c '^skip ' "$tmp/outcomes" || :)
failed=$(grep -c '^fail ' "$tmp/outcomes" || :)
sort -u "$tmp/complaints" | grep . | sed 's/^/  on the console: /' || :
# A kernel that only complains has failed, too.
if [ -s "$tmp/complaints" ] && [ "$failed" = 0 ]; then
	failed=1
fi
if [ "$failed" -gt 0 ]; then echo "  log: ${log% }"; fi
echo "$passed passed, $skipped skipped, $failed failed"
[ "$passed" -gt 0 ] && [ "$failed" = 0 ]
