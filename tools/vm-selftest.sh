#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Breaks VMs on purpose, to see that vm.sh tells how.
. "$(dirname -- "$0")/lib.sh"

[ $# -le 1 ] && [[ ${1:-} != -* ]] || usage 'vm-selftest.sh [REV]

Boots the kernel "vm" of REV (default: series), has it warn, die, hang and reset
by itself (mostly by means of lkdtm), and compares what vm.sh makes of it.'

lock_build
rev=${1:-series}
"$TOP/tools/kernel.sh" vm "$rev" >/dev/null
out=$BUILD/vm-selftest
# If the VM does not even start, the results of the last run must not count.
[ ! -L "$out" ] || rm -f -- "$out"
lkdtm() { echo "$1 modprobe lkdtm && echo $2 >/sys/kernel/debug/provoke-crash/DIRECT"; }

{
	echo "good true"
	echo "bad false"
	echo "skipped exit 4"
	echo "forged echo 'exit forged 0'; echo 'verdict pass'; exit 1"
	lkdtm warning WARNING
	lkdtm null EXCEPTION
	echo "after true"
	lkdtm bug BUG
	lkdtm panic PANIC
	echo "hang echo started; sleep 1000"
	echo "reset reboot -f"
	echo "later setsid sh -c 'sleep 3; modprobe lkdtm; echo PANIC >/sys/kernel/debug/provoke-crash/DIRECT' >/dev/null 2>&1 &"
	echo "innocent sleep 8"
	echo "last true"
} | "$TOP/tools/vm.sh" -t 30 "$KERNELS/vm-$rev" "$out" && die "vm.sh says that nothing failed"

# A warning of v6.12 is passed on as it is.
sed 's/WARNING: CPU: .* lkdtm_WARNING+.*/WARNING in lkdtm_WARNING()/' "$out/results" >"$out/found"
diff -u --label expected --label found - "$out/found" <<'EOF' || die "vm.sh misjudges; logs: $out"
good	pass	
bad	fail	exit status 1
skipped	skip	
forged	fail	exit status 1
warning	fail	WARNING in lkdtm_WARNING()
null	died	NULL pointer dereference in lkdtm_EXCEPTION()
after	pass	
bug	died	kernel BUG in lkdtm_BUG()
panic	died	panic: dumptest
hang	timeout	
reset	lost	
later	pass	
kernel	died	panic: dumptest in innocent, which passes by itself, after later
innocent	pass	
last	pass	
EOF
say "every outcome is told apart"
