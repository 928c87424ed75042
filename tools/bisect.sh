#!/bin/bash
# Builds and tests after every patch: the UML kernel with the KUnit suites (the VM
# where series/$BASE/expected-failures has them there, as modules), for the drivers
# of which there are devices in a VM the kselftest, for xe its own suites, and
# with warnings made errors the objects of the files that the patch touches, also
# of those that UML does not build (config `drivers`, x86_64).
. "$(dirname -- "$0")/lib.sh"

USAGE="tools/bisect.sh [FIRST [LAST]]   (numbers of patches; default all)"
[ $# -le 2 ] || usage "$USAGE"
first=${1:-1}
total=$(series_patches | wc -l)
last=${2:-$total}
case $first$last in *[!0-9]*) usage "$USAGE" ;; esac
[ "$first" -ge 1 ] && [ "$last" -le "$total" ] && [ "$first" -le "$last" ] ||
	die "there are patches 1 to $total"
lock_build
"$TOP/tools/tree.sh"

passed=0 failed=0
verdict() {	# verdict NAME COMMAND...
	local name=$1 log
	log=$LOG/bisect/$(printf '%s' "$name" | tr -c 'A-Za-z0-9.\n' -).log
	shift
	mkdir -p "$LOG/bisect"
	if "$@" >"$log" 2>&1; then
		echo "ok $name"
		passed=$((passed + 1))
	else
		echo "not ok $name  log: $log"
		failed=$((failed + 1))
	fi
}
mapfile -t patches < <(series_patches)
for ((n = first; n <= last; n++)); do
	p=${patches[$((n - 1))]}
	if grep -q '^kunit-vm ' "$SERIES/expected-failures"; then
		verdict "$n modules ${p%.patch}" "$TOP/tools/vm-test.sh" vm "$n" modules
	else
		verdict "$n kunit ${p%.patch}" "$TOP/tools/kunit.sh" uml "$n"
	fi
	# xe_rtp provokes warnings on purpose.
	case $p in
	xe/*)	verdict "$n suites of xe ${p%.patch}" "$TOP/tools/kunit.sh" uml-xe "$n" 'xe_[!r]*' ;;
	virtio/*|qxl/*|drm/*)
		verdict "$n kselftest ${p%.patch}" "$TOP/tools/vm-test.sh" vm "$n" ;;
	esac
	verdict "$n objects ${p%.patch}" "$TOP/tools/objects.sh" "$n"
	# Only the summary is needed later.
	[ "$n" = "$total" ] || rm -rf "$KERNELS"/{uml,uml-xe,vm}-"$n" "$BUILD/kselftest-$n"
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
