#!/bin/bash
# Shows that each test of a defect fails on the base: the tests alone (revision
# `tests`), run as series/$BASE/expected-failures says, one a line:
#
#   kunit SUITE.CASE [fails|dies|races]		on UML
#   kunit-vm SUITE.CASE [fails|dies|hangs|races]	in a VM, of one of the modules named below
#   kunit-debug SUITE.CASE [fails|dies]		the same, with lockdep and the like
#   kunit-xe SUITE.CASE [fails|dies]		on UML, with xe
#   kunit-qxl SUITE.CASE [fails|dies]		on UML, with qxl and a host
#   kunit-virtio SUITE.CASE [fails|dies]	on UML, with virtio_gpu
#   kunit-amdgpu SUITE.CASE [fails|dies]	in a VM with amdgpu
#   kselftest FIXTURE.[VARIANT.]TEST [fails|dies|races]	in a VM
#   kselftest-debug FIXTURE.[VARIANT.]TEST [fails|dies]	the same, with KASAN, lockdep and the like
#   passes-vm SUITE				stands for no defect: what the base can do, the
#						series must not lose; in a VM with kunit-vm
#
# (default: fails or dies; hangs: one of these, or it does not end in time; races: a
# window that is not always hit, so it may pass too).
# Each of them has a boot of its own, since it may take the
# kernel with it. An expected failure that passes is a failure; so is any other
# case of those suites that does not pass.
. "$(dirname -- "$0")/lib.sh"

USAGE="tools/prove.sh [KIND...]   (default: all but kunit-xe, kunit-qxl, kunit-virtio and kunit-amdgpu, which have kernels of their own to build)"
kinds=${*:-kunit kunit-vm kunit-debug kselftest kselftest-debug}
for kind in $kinds; do
	case $kind in
	kunit|kunit-vm|kunit-debug|kunit-xe|kunit-qxl|kunit-virtio|kunit-amdgpu|kselftest|kselftest-debug) ;;
	*) usage "$USAGE" ;;
	esac
done
list=$SERIES/expected-failures
[ -f "$list" ] || die "series/$BASE/expected-failures is missing: the tests that must fail on the base"
[ -f "$SERIES/tests" ] || die "series/$BASE/tests is missing: the paths of the tests"
temp_dir tmp
sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$list" >"$tmp/all"
awk -v kinds=" $kinds " 'index(kinds, " " $1 " ")' "$tmp/all" >"$tmp/list"
bad=$(grep -vE '^(passes-vm [A-Za-z0-9_-]+|kunit(-debug|-vm|-xe|-qxl|-virtio|-amdgpu)? [A-Za-z0-9_-]+\.[A-Za-z0-9_-]+|kselftest(-debug)? [A-Za-z0-9_]+(\.[A-Za-z0-9_]+)+)( (fails|dies|hangs|races))?$' "$tmp/all" || :)
[ -z "$bad" ] || die "series/$BASE/expected-failures has a line that is not understood: $(head -n 1 <<<"$bad")"
[ -s "$tmp/list" ] || die "series/$BASE/expected-failures names no test of this kind"
awk '{ print $1, $2 }' "$tmp/all" | sort | uniq -d >"$tmp/twice"
[ ! -s "$tmp/twice" ] || die "series/$BASE/expected-failures names $(head -n 1 "$tmp/twice") twice"

lock_build
"$TOP/tools/tree.sh"
out=$BUILD/prove${1:+-$(printf '%s\n' "$@" | paste -sd+)}
rm -rf "$out"
mkdir -p "$out"
mv "$tmp/all" "$tmp/list" "$out/"

passed=0 failed=0
good() { say "  $1"; passed=$((passed + 1)); }
wrong() { echo "  $1"; failed=$((failed + 1)); }
expect() {	# expect KIND NAME WANTED OUTCOME LOG
	case $4 in
	hangs)	if [ "$3" = hangs ]; then
			good "$1 $2 hangs, as expected"
		else
			wrong "$1 $2 does not end in time, expected: $3; log: $5"
		fi ;;
	fails|dies)
		if [[ $3 =~ ^(any|races|hangs)$ || $3 = "$4" ]]; then
			good "$1 $2 $4, as expected"
		else
			wrong "$1 $2 $4, expected: $3; log: $5"
		fi ;;
	passes)	if [ "$3" = races ]; then
			good "$1 $2 passes this time"
			return
		fi
		wrong "$1 $2 passes on the base, but stands for a defect; log: $5" ;;
	*)	wrong "$1 $2: ${4:-no result}; log: $5" ;;
	esac
}

# --- KUnit, on UML -----------------------------------------------------------------
# Each in a boot of its own; none needs long, some never end.
export KUNIT_TIMEOUT=${KUNIT_TIMEOUT:-60} KUNIT_READY=yes
# kunit_outcome CONFIG NAME: writes how the case ended to $out/NAME.outcome.
kunit_outcome() {
	local outcome=passes summary=$BUILD/kunit/$1-tests/$2/summary boots=1
	# On a busy machine a race may be missed in one boot.
	[[ $2 != *race* ]] || boots=5
	while [ "$outcome" = passes ] && [ $boots -gt 0 ]; do
		boots=$((boots - 1))
		rm -rf "${summary%/*}"
		"$TOP/tools/kunit.sh" "$1" tests "$2" >/dev/null 2>"$out/$2.err" || :
		outcome=
		[ -s "$summary" ] || break
		outcome=$(awk '$1 == "kunit" { print $3 }' "$summary" | sort | head -n 1)
		# A case that only makes the kernel complain has failed too.
		[[ $outcome != passes && $outcome != skips ]] || ! grep -q '^kernel ' "$summary" || outcome=fails
	done
	echo "$outcome" >"$out/$2.outcome"
}
# kunit_outcomes CONFIG: of the cases on standard input, as many at a time as there are CPUs.
kunit_outcomes() {
	local name
	while read -r name; do
		kunit_outcome "$1" "$name" </dev/null &
		[ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n || :
	done
	wait
}
prove_kunit() {	# prove_kunit KIND CONFIG
	local kind=$1 config=$2 name wanted
	grep -q "^$kind " "$out/list" || return 0
	"$TOP/tools/kernel.sh" "$config" tests >/dev/null
	awk -v kind="$kind" '$1 == kind { print $2 }' "$out/list" | kunit_outcomes "$config"
	while read -r _ name wanted; do
		expect "$kind" "$name" "${wanted:-any}" "$(cat "$out/$name.outcome")" "$LOG/kunit-$config-tests-$name.log"
	done < <(grep "^$kind " "$out/list")
}
prove_kunit kunit uml
prove_kunit kunit-xe uml-debug
prove_kunit kunit-qxl uml-debug
prove_kunit kunit-virtio uml-virtio

# The other cases of the same suites must pass on the base: they stand for what
# holds already.
sed -n 's/^kunit \([^.]*\)\..*/\1/p' "$out/list" | sort -u | while read -r suite; do
	"$TOP/tools/kunit.sh" --list uml tests "$suite.*" 2>/dev/null </dev/null || :
done | grep -vxF -f <(awk '$1 == "kunit" { print $2 }' "$out/list") >"$out/others-uml" || :
kunit_outcomes uml <"$out/others-uml"
while read -r name; do
	case $(cat "$out/$name.outcome") in
	passes|skips) good "kunit $name passes on the base too" ;;
	*) wrong "kunit $name fails on the base, which series/$BASE/expected-failures does not say; log: $LOG/kunit-uml-tests-$name.log" ;;
	esac
done <"$out/others-uml"

# vm_outcome RESULTS NAME: of a test in a VM, as expect() takes it. A kernel that stalls
# in memory that was freed is as dead as one that stops at once.
vm_outcome() {
	awk -F'\t' -v n="$2" '
		BEGIN { word["pass"] = "passes"; word["fail"] = "fails"; word["died"] = "dies"; word["timeout"] = "hangs" }
		$1 == n && $2 == "timeout" && $3 ~ /stall|lockup/ { $2 = "died" }
		$1 == n { print $2 in word ? word[$2] : $2 }' "$1" 2>/dev/null
}

# --- KUnit, in a VM for each, and one for those that pass ------------------------------
# kunit_in_vms KIND CONFIG [OPTION]: the cases on standard input; results in $out/KIND
kunit_in_vms() {
	local limit=900
	# One that hangs takes all of its time.
	case ${3:-}:$2 in
	-1:vm)	limit=120 ;;
	-1:*)	limit=300 ;;
	esac
	"$TOP/tools/kernel.sh" "$2" tests >/dev/null
	awk '
	{ module = "dmabuf_kunit" }
	/^drm_out_fence/ { module = "drm_out_fence_test" }
	/^amdgpu_/ { module = "amdgpu_fence_test" }
	/^qxl_/ { module = "qxl_test" }
	/^virtio_gpu_/ { module = "virtgpu_host_test" }
	{ print $1, "/test/kunit.sh", module, $1 }' |
		VM_MEM=2G "$TOP/tools/vm.sh" ${3:+"$3"} -t $limit "$KERNELS/$2-tests" "$out/$1" \
			"$(vmtest)/vmtest/kunit.sh" >"$out/$1.log" 2>&1 || :
}
prove_in_vms() {	# prove_in_vms KIND CONFIG
	local name wanted
	grep -q "^$1 " "$out/list" || return 0
	awk -v kind="$1" '$1 == kind { print $2 }' "$out/list" | kunit_in_vms "$1" "$2" -1
	while read -r _ name wanted; do
		expect "$1" "$name" "${wanted:-any}" "$(vm_outcome "$out/$1/results" "$name")" "$out/$1"
	done < <(grep "^$1 " "$out/list")
}
prove_in_vms kunit-vm vm
prove_in_vms kunit-debug vm-debug
prove_in_vms kunit-amdgpu vm-amdgpu-unload

if grep -q '^kunit-vm ' "$out/list"; then
	while read -r suite; do
		kgit -C "$TREE" grep -h '^[[:space:]]*KUNIT_CASE' refs/series/tests -- \
			"$(kgit -C "$TREE" grep -l "\.name = \"$suite\"" refs/series/tests -- \
				drivers | sed 's/^[^:]*://')" |
			sed -n "s/.*KUNIT_CASE[A-Z_]*(\([a-z0-9_]*\).*/$suite.\1/p"
	done < <(sed -n -e 's/^kunit-vm \([^.]*\)\..*/\1/p' -e 's/^passes-vm //p' "$out/all" | sort -u) |
		grep -vxF -f <(awk '$1 ~ /^kunit/ { print $2 }' "$out/list") >"$out/others.list"
	kunit_in_vms others vm <"$out/others.list"
	while read -r name; do
		case $(vm_outcome "$out/others/results" "$name") in
		passes|skip) good "kunit $name passes on the base too" ;;
		*) wrong "kunit $name fails on the base, which series/$BASE/expected-failures does not say; logs: $out/others" ;;
		esac
	done <"$out/others.list"
fi

# --- kselftest, in a VM for each ------------------------------------------------------
prove_kselftests() {	# prove_kselftests KIND CONFIG REV
	local name wanted kselftest
	grep -q "^$1 " "$out/list" || return 0
	"$TOP/tools/kernel.sh" "$2" "$3" >/dev/null
	kselftest=$("$TOP/tools/kselftest.sh")
	awk -v kind="$1" '$1 == kind { print $2, "/test/ksft.sh /test/fence_unload", $2 }' "$out/list" |
		"$TOP/tools/vm.sh" -1 -t 300 "$KERNELS/$2-$3" "$out/$1" \
			"$kselftest/fence_unload" "$(vmtest)/vmtest/ksft.sh" >"$out/$1.log" 2>&1 || :
	while read -r _ name wanted; do
		expect "$1" "$name" "${wanted:-any}" "$(vm_outcome "$out/$1/results" "$name")" "$out/$1"
	done < <(grep "^$1 " "$out/list")
}
prove_kselftests kselftest vm base
# The kernel that kunit-debug has.
VM_MEM=2G prove_kselftests kselftest-debug vm-debug tests

echo "$passed as expected on the base, $failed not"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
