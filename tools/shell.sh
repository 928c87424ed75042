#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Opens a shell in a VM.
. "$(dirname -- "$0")/lib.sh"

[ $# = 0 ] || usage '[REV=REV] [CONFIG=CONFIG] shell.sh

Boots the kernel CONFIG (default: vm) of REV (default: wip) in a VM and opens a shell
there on this terminal. REV is wip (the work tree build/$BASE/linux as it is, with what
is not committed), base, tests, series or the number of a patch. The programs of the
tests are in /test, modules are loaded with modprobe. If the standard input is no
terminal, the shell runs what comes from there and does not prompt. Warnings of the
kernel are shown, what it says when it boots is in dmesg. Ends with "exit" or Ctrl-A X.
Exit status 0 unless the kernel died or did not boot. The console is kept:
build/$BASE/shell/1/console.'

rev=${REV:-wip} config=${CONFIG:-vm}
case $config in
vm|vm-*) [ -f "$TOP/kconfig/$config" ] ;;
*) false ;;
esac || die "CONFIG=$config is not for the VM; there are: $(cd "$TOP/kconfig" && echo vm*)"
known_rev "$rev"
lock_build
"$TOP/tools/deps.sh" demo
if [ ! -d "$TREE" ]; then "$TOP/tools/tree.sh"; fi
kernel=$("$TOP/tools/kernel.sh" "$config" "$rev")

# The selftest of the series where REV has none.
of=series
case $rev in wip|[0-9]*)
	! kgit -C "$TREE" cat-file -e "$(rev_commit "$rev"):tools/testing/selftests/dma-buf/fence_unload.c" 2>/dev/null || of=$rev ;;
esac
kselftest=$("$TOP/tools/kselftest.sh" "$of")

case $config in
vm-debug|vm-kcsan|vm-xe|vm-xe-rt) export VM_MEM=${VM_MEM:-2G} ;;
esac
say "  booting …"
exec "$TOP/tools/vm.sh" -s "$kernel" "$BUILD/shell" \
	"$kselftest/fence_unload" "$(vmtest)/vmtest/ksft.sh" "$(vmtest)/vmtest/kunit.sh"
