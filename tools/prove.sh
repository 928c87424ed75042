#!/bin/bash
# Shows that each test of a defect fails on the base: the tests alone (revision
# `tests`), run as series/$BASE/expected says, one a line:
#
#   KIND TEST [OUTCOME] [| TITLE [| TEXT]]
#
# KIND, and where its tests run:
#   kunit SUITE.CASE		on UML
#   kunit-xe, -qxl, -virtio, -soc	on UML, with the driver and, where it needs one, a host
#   kunit-vm			in a VM, of one of the modules named below
#   kunit-debug			the same, with lockdep and the like
#   kunit-amdgpu		in a VM with amdgpu
#   kselftest FIXTURE.[VARIANT.]TEST	in a VM
#   kselftest-debug, -kasan	the same, with KASAN, lockdep and the like
#   kselftest-amdgpu, -xe	the same, with a module that issues fences of the driver
#   (kselftest-others: what no line names; it must pass on the base, all in one VM)
#   passes-vm SUITE		stands for no defect: what the base can do, the series must not
#				lose; in a VM with kunit-vm
# OUTCOME on the base (with the series all pass):
#   fails, dies			(default: one of the two)
#   hangs			one of these, or it does not end in time, which also counts as `dies`
#   races			a window that is not always hit, so it may pass too
#   passes			the base can do that
# TITLE makes it a row of `make demo`, of that kind; TEXT is a pattern of what the harness
# says of the failure.
#
# Each of them has a boot of its own, since it may take the kernel with it. An expected
# failure that passes is a failure; so is any other case of those suites that does not pass.
. "$(dirname -- "$0")/lib.sh"

all="kunit kunit-vm kunit-debug kunit-xe kunit-qxl kunit-virtio kunit-soc kunit-amdgpu"
all="$all kselftest kselftest-debug kselftest-kasan kselftest-amdgpu kselftest-xe kselftest-others"
USAGE="tools/prove.sh [KIND...]   (default: kunit kunit-vm kunit-debug kselftest kselftest-debug; the others have kernels of their own to build)"
kinds=${*:-kunit kunit-vm kunit-debug kselftest kselftest-debug}
for kind in $kinds; do
	[[ " $all " == *" $kind "* ]] || usage "$USAGE"
done
list=$SERIES/expected
[ -f "$list" ] || die "series/$BASE/expected is missing: how tests end on the base"
[ -f "$SERIES/tests" ] || die "series/$BASE/tests is missing: the paths of the tests"
temp_dir tmp
bad=$(sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$list" | grep -vE \
	-e '^passes-vm [A-Za-z0-9_-]+$' \
	-e "^(${all// /|}) [A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+( (fails|dies|hangs|races|passes))?( \|.*)?\$" || :)
[ -z "$bad" ] || die "series/$BASE/expected has a line that is not understood: $(head -n 1 <<<"$bad")"
for kind in $all; do
	expectations "$kind" >"$tmp/$kind"
	twice=$(cut -f 1 "$tmp/$kind" | sort | uniq -d | head -n 1)
	[ -z "$twice" ] || die "series/$BASE/expected names $kind $twice twice"
done
n=0
for kind in $kinds; do
	n=$((n + $(wc -l <"$tmp/$kind")))
done
[ $n -gt 0 ] || [[ " $kinds " == *" kselftest-others "* ]] ||
	die "series/$BASE/expected names no test of this kind"

lock_build
"$TOP/tools/tree.sh"
out=$BUILD/prove${1:+-$(printf '%s\n' "$@" | paste -sd+)}
rm -rf "$out"
mkdir -p "$out"
for kind in $kinds; do mv "$tmp/$kind" "$out/$kind.list"; done
# named KIND...: all of these kinds, whether they are to be run or not.
named() { local kind; for kind; do expectations "$kind" | cut -f 1; done; }

passed=0 failed=0
good() { say "  $1"; passed=$((passed + 1)); }
wrong() { echo "  $1"; failed=$((failed + 1)); }
# expect KIND NAME WANTED PATTERN OUTCOME TEXT LOG
expect() {
	local said="$1 $2 $5${6:+ ($6)}"
	if as_expected "$5" "$3" "$6" "${4:-*}"; then
		good "$said, as expected"
	elif [ "$5" = passes ]; then
		wrong "$1 $2 passes on the base, but stands for a defect; log: $7"
	elif [ "$5" = lost ]; then
		wrong "$1 $2: no result${6:+ ($6)}; log: $7"
	else
		wrong "$said, expected: $3${4:+ ($4)}; log: $7"
	fi
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
	local kind=$1 config=$2 name wanted outcome
	[ -s "$out/$kind.list" ] || return 0
	"$TOP/tools/kernel.sh" "$config" tests >/dev/null
	cut -f 1 "$out/$kind.list" | kunit_outcomes "$config"
	while IFS=$'\t' read -r name wanted _; do
		outcome=$(cat "$out/$name.outcome")
		expect "$kind" "$name" "$wanted" "" "${outcome:-lost}" "" "$LOG/kunit-$config-tests-$name.log"
	done <"$out/$kind.list"
}
prove_kunit kunit uml
prove_kunit kunit-xe uml-debug
prove_kunit kunit-qxl uml-debug
prove_kunit kunit-virtio uml-virtio
prove_kunit kunit-soc uml-soc

# The other cases of the same suites must pass on the base: they stand for what
# holds already.
{ [ ! -f "$out/kunit.list" ] || sed 's/\..*//' "$out/kunit.list"; } | sort -u | while read -r suite; do
	"$TOP/tools/kunit.sh" --list uml tests "$suite.*" 2>/dev/null </dev/null || :
done | grep -vxF -f <(named kunit) >"$out/others-uml" || :
kunit_outcomes uml <"$out/others-uml"
while read -r name; do
	case $(cat "$out/$name.outcome") in
	passes|skips) good "kunit $name passes on the base too" ;;
	*) wrong "kunit $name fails on the base, which series/$BASE/expected does not say; log: $LOG/kunit-uml-tests-$name.log" ;;
	esac
done <"$out/others-uml"

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
	[ -s "$out/$1.list" ] || return 0
	cut -f 1 "$out/$1.list" | kunit_in_vms "$1" "$2" -1
	compare "$1"
}
# compare KIND: the results with the list.
compare() {
	local name wanted pattern outcome text
	while IFS=$'\t' read -r name wanted _ pattern; do
		IFS=$'\t' read -r outcome text < <(vm_outcome "$out/$1/results" "$name")
		expect "$1" "$name" "$wanted" "$pattern" "$outcome" "$text" "$out/$1"
	done <"$out/$1.list"
}
prove_in_vms kunit-vm vm
prove_in_vms kunit-debug vm-debug
prove_in_vms kunit-amdgpu vm-drivers

if [ -s "$out/kunit-vm.list" ]; then
	while read -r suite; do
		kgit -C "$TREE" grep -h '^[[:space:]]*KUNIT_CASE' refs/series/tests -- \
			"$(kgit -C "$TREE" grep -l "\.name = \"$suite\"" refs/series/tests -- \
				drivers | sed 's/^[^:]*://')" |
			sed -n "s/.*KUNIT_CASE[A-Z_]*(\([a-z0-9_]*\).*/$suite.\1/p"
	done < <({ named kunit-vm | sed 's/\..*//'; sed -n 's/^passes-vm //p' "$list"; } | sort -u) |
		grep -vxF -f <(named kunit kunit-vm kunit-debug kunit-amdgpu) >"$out/others.list"
	kunit_in_vms others vm <"$out/others.list"
	while read -r name; do
		case $(vm_outcome "$out/others/results" "$name") in
		passes*|skips*) good "kunit $name passes on the base too" ;;
		*) wrong "kunit $name fails on the base, which series/$BASE/expected does not say; logs: $out/others" ;;
		esac
	done <"$out/others.list"
fi

# --- kselftest, in a VM for each ------------------------------------------------------
for kind in $kinds; do
	[[ $kind == kselftest* ]] && [ -s "$out/$kind.list" ] || continue
	read -r config rev < <(kernels_of "$kind")
	"$TOP/tools/kernel.sh" "$config" "$rev" >/dev/null
	kselftest=$("$TOP/tools/kselftest.sh")
	[ "$config" = vm ] || export VM_MEM=2G
	awk -F'\t' '{ print $1, "/test/ksft.sh /test/fence_unload", $1 }' "$out/$kind.list" |
		"$TOP/tools/vm.sh" -1 -t 300 "$KERNELS/$config-$rev" "$out/$kind" \
			"$kselftest/fence_unload" "$(vmtest)/vmtest/ksft.sh" >"$out/$kind.log" 2>&1 || :
	compare "$kind"
done

# The kselftests that no line names must pass on the base, all in one VM.
if [[ " $kinds " == *" kselftest-others "* ]]; then
	"$TOP/tools/kernel.sh" vm base >/dev/null
	kselftest=$("$TOP/tools/kselftest.sh")
	kselftests_of "$KERNELS/vm-base" "$kselftest" >"$tmp/kselftests"
	named kselftest kselftest-debug kselftest-kasan | grep -vxF -f - "$tmp/kselftests" >"$out/kselftest-others.list" || :
	awk '{ print $1, "/test/ksft.sh /test/fence_unload", $1 }' "$out/kselftest-others.list" |
		VM_MEM=1G "$TOP/tools/vm.sh" -t 600 "$KERNELS/vm-base" "$out/kselftest-others" \
			"$kselftest/fence_unload" "$(vmtest)/vmtest/ksft.sh" >"$out/kselftest-others.log" 2>&1 || :
	while read -r name; do
		outcome=$(vm_outcome "$out/kselftest-others/results" "$name")
		case $outcome in
		passes*) good "kselftest $name passes on the base too" ;;
		*) wrong "kselftest $name ${outcome%%$'\t'*} on the base, which series/$BASE/expected does not say; logs: $out/kselftest-others" ;;
		esac
	done <"$out/kselftest-others.list"
fi

echo "$passed as expected on the base, $failed not"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
