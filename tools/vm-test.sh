#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs the kselftest and the KUnit suites in a VM.
. "$(dirname -- "$0")/lib.sh"

case $# in 2|3) [ -f "$TOP/kconfig/$1" ] ;; *) false ;; esac || usage 'vm-test.sh CONFIG REV [modules|PATTERN]

Makes the kernel CONFIG (vm, vm-debug, vm-rt, vm-xe) of REV with kernel.sh, boots it with
two CPUs and runs every test of the dma-buf kselftest, each by itself, and the
KUnit suites of drivers/dma-buf as modules, in vm-debug those of drm/scheduler and amdgpu
too, on 6.12 those of virtio_gpu and qxl as well, in vm-xe those of xe instead, which
it has built in; with "modules" only these, with an extended regular
expression only tests of the kselftest whose name it matches. Writes one line a test to build/$BASE/vm-test/CONFIG-REV/summary:

  kselftest FIXTURE[.VARIANT].TEST passes|skips|fails|dies [TEXT]
  kunit SUITE.CASE passes|skips|fails|dies [TEXT]
  selftest sync|dmabuf passes|fails|dies [TEXT]   those of selftests/sync, and of
                                     before KUnit, where there is CONFIG_DMABUF_SELFTESTS
  vm TEXT                            what belongs to no test, a leak for example

and prints how many there are of each kind. Exit status 0 only if none failed.'

config=$1 rev=$2 only=${3:-}
kernel=$KERNELS/$config-$rev
out=$BUILD/vm-test/$config-$rev

lock_build
known_rev "$rev"
"$TOP/tools/kernel.sh" "$config" "$rev" >/dev/null
# A patch is tested by the tests that there are with it.
case $only:$rev in modules:*) of=series ;; *:wip) of=wip ;; *:*[!0-9]*) of=series ;; *) of=$rev ;; esac
kselftest=$("$TOP/tools/kselftest.sh" "$of")
commit=$(rev_commit "$rev")

limit=1200 rounds=40
# KASAN in an emulator: everything takes some times as long.
case $config in
vm-debug|vm-xe)
	limit=2400 rounds=20
	export VM_MEM=${VM_MEM:-2G} ;;
esac

# 6.12 runs the suites that are built in when it boots, too, and only these are there then.
[ "$config:$BASE" != vm-xe:linux-6.12.y ] ||
	export VM_APPEND="${VM_APPEND:+$VM_APPEND }kunit.filter_glob=xe_fence_*"

# Has failslab fail the allocations of a task that asks for it, without a report.
failslab='cd /sys/kernel/debug/failslab && echo Y >task-filter && echo N >ignore-gfp-wait && echo 100 >probability && echo -1 >times && echo 0 >verbose && '

commands() {
	local module glob before remove modules="dmabuf_kunit drm_out_fence_test drm_vblank_wait_test"
	case $only in
	''|modules) ;;
	*)	kselftests "$only"; return ;;
	esac
	# The scheduler's suites sleep for a minute: once is enough. On 6.12 none does, and
	# all suites run here. That of qxl not under lockdep, which complains of the driver's
	# nested locks.
	case $config:$BASE in
	vm:linux-6.12.y) modules="$modules drm_sched_tests virtgpu_host_test qxl_test" ;;
	vm-debug:linux-6.12.y) modules="$modules drm_sched_tests virtgpu_host_test amdgpu_fence_test" ;;
	vm-debug:*) modules="$modules drm_sched_tests amdgpu_fence_test" ;;
	esac
	if [ "$config" = vm-xe ]; then
		modules=
		echo "kunit.xe ${failslab}for i in /sys/kernel/debug/kunit/xe_fence_*; do echo run >\$i/run && cat \$i/results || exit; done"
	fi
	for module in $modules; do
		# In front of its patch there is none. Without this condition it would not be
		# noticed that a configuration lacks one.
		kgit -C "$TREE" grep -q "${module//_/[-_]}\.o" "$commit" -- drivers/dma-buf drivers/gpu/drm || continue
		# Not drm_sched_scheduler_*, which measure time: this is an emulator.
		glob='*'
		[ "$module" != drm_sched_tests ] || glob='drm_sched_[bcl]*'
		before='' remove="modprobe -r $module"
		# There is none in vm.
		case $config:$module in vm:*) ;; *:drm_sched_tests|*:amdgpu_fence_test) before=$failslab ;; esac
		# It binds a device to the driver, which modprobe of busybox does not load for it,
		# and which uses drm.ko as well: modprobe -r would fail to remove that.
		[ "$module" != virtgpu_host_test ] || {
			before='modprobe virtio-gpu && '
			remove="rmmod $module && modprobe -r virtio-gpu"
		}
		# The results stay in debugfs as long as the module is loaded.
		echo "kunit.$module ${before}echo -n '$glob' >/sys/module/kunit/parameters/filter_glob && modprobe $module && cat /sys/kernel/debug/kunit/*/results && $remove"
	done
	# The tests of before KUnit run when the module is loaded. One of them wakes
	# 8 million times, which takes minutes elsewhere.
	[ "$config" != vm ] || ! built dmabuf_selftests ||
		echo "selftest.dmabuf modprobe dmabuf_selftests && modprobe -r dmabuf_selftests"
	# With KASAN and lockdep its stress tests take minutes.
	[ "$config$only" != vm ] || echo "selftest.sync /test/sync_test"
	[ -n "$only" ] || kselftests .
}
kselftests() {	# kselftests PATTERN
	kselftests_of "$kernel" "$kselftest" | awk -v rounds=$rounds -v pattern="$1" '$1 ~ pattern {
		print $1, "FENCE_UNLOAD_ROUNDS=" rounds, "/test/ksft.sh /test/fence_unload", $1
	}'
}
built() { built_in "$kernel" "$1"; }

# If the VM does not even start, the results of the last run must not count.
[ ! -L "$out" ] || rm -f -- "$out"
commands | "$TOP/tools/vm.sh" -t $limit "$kernel" "$out" \
	"$kselftest/fence_unload" "$kselftest/sync_test" "$(vmtest)/vmtest/ksft.sh" || :

# One KTAP document out of one for each suite, for kunit.py.
ktap() {
	awk -v suites="$(grep -cE '^(not )?ok 1 ' "$1")" '
	BEGIN { print "KTAP version 1\n1.." suites }
	/^KTAP version |^1\.\./ { next }
	/^(not )?ok 1 / { n++; sub(/ok 1 /, "ok " n " ") }
	{ print }' "$1"
}

# The cases are indented once, below "# Subtest: SUITE". What failslab
# needs is in all VMs with KASAN.
kunit_cases() {
	awk -v config="$config" '
	/^    # Subtest: / { suite = $3 }
	/^    (ok|not ok) [0-9]/ {
		not = $1 == "not"
		name = $(not ? 4 : 3)
		if (config ~ /^vm-(debug|xe)$/ && / # SKIP needs failslab/) not = 1
		print "kunit " suite "." name, not ? "fails" : / # SKIP/ ? "skips" : "passes"
	}' "$1"
}

kunit() {	# kunit NAME OUTCOME TEXT
	local log
	log=$(echo "$out"/*/output/"kunit.$1")
	if [ -f "$log" ]; then
		ktap "$log" >"$out/$1.ktap"
		kunit_cases "$out/$1.ktap"
		{ "$WORK/tools/testing/kunit/kunit.py" parse "$out/$1.ktap" >"$out/$1.parsed" &&
			! grep -q 'Testing complete.*\(crashed\|errors\): [1-9]' "$out/$1.parsed"; } ||
			echo "kunit $1 fails: see $out/$1.parsed"
	fi
	case $2 in
	pass|skip) [ -f "$log" ] || echo "kunit $1 fails: no results" ;;
	died) echo "kunit $1 dies $3" ;;
	*) echo "kunit $1 fails: $2 $3" ;;
	esac
}

while IFS=$'\t' read -r name outcome text; do
	case $name in
	kunit.*) kunit "${name#kunit.}" "$outcome" "$text" ;;
	kernel|kmemleak) echo "vm $name $outcome $text" ;;
	*)
		case $outcome in
		pass) what=passes ;;
		# In this VM there is all that a test asks for.
		skip) what=fails ;;
		died) what=dies ;;
		fail) what=fails ;;
		*) what="fails $outcome" ;;
		esac
		case $name in
		selftest.*) echo "selftest ${name#selftest.} $what $text" ;;
		*) echo "kselftest $name $what $text" ;;
		esac ;;
	esac
done <"$out/results" | sed 's/ *$//' >"$out/summary"

# What the first kernel that died said of it, and then all in short.
if grep -q ' dies' "$out/summary"; then
	grep -m 1 -lE 'Kernel panic|Oops|kernel BUG' "$out"/*/console 2>/dev/null | head -n 1 |
		while read -r console; do
			echo "  $console:"
			grep -m 1 -A 12 -E 'BUG:|Oops|kernel BUG|Kernel panic' "$console" | cut -c 1-100 | sed 's/^/    /'
		done
fi
awk -v out="$out" '
	{
		kind = $1 == "vm" ? "fails" : $3
		n[kind]++
		if (kind ~ /fails|dies/ && ++bad <= 15)
			print "  " $0
	}
	END {
		if (bad > 15)
			printf "  and %d more, see %s/summary\n", bad - 15, out
		printf "%d passed, %d skipped, %d failed, %d killed the kernel; logs: %s\n",
			n["passes"], n["skips"], n["fails"], n["dies"], out
		exit !!(n["fails"] + n["dies"]) || !n["passes"]
	}' "$out/summary"
