#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds the kselftest program, static, for the VM.
. "$(dirname -- "$0")/lib.sh"

rev=${1:-series}
case $#$rev in 0series|1series|1wip|1[0-9]*) ;; *) usage 'kselftest.sh [REV]

Builds tools/testing/selftests/dma-buf and sync of REV (default: series; or wip, the
work tree build/$BASE/linux as it is, or the number of a patch) into
build/$BASE/kselftest[-REV]: fence_unload and tests, the names of all its tests as
"-r" takes them, and sync_test.
Does nothing when that is current. Prints the folder.
(The module it needs is built with each kernel: "#module" in kconfig/vm.)' ;;
esac

lock_build
known_rev "$rev"
[ -d "$TREE" ] || "$TOP/tools/tree.sh"
out=$BUILD/kselftest
[ "$rev" = series ] || out=$out-$rev
dir=tools/testing/selftests/dma-buf
sync=tools/testing/selftests/sync
temp_dir tmp

commit=$(rev_commit "$rev") && kgit -C "$TREE" rev-parse "$commit:$dir" "$commit:$sync" \
	"$commit:tools/testing/selftests/kselftest_harness.h" \
	"$commit:tools/testing/selftests/kselftest.h" "$commit:tools/testing/selftests/lib.mk" \
	"$commit:include/uapi" >"$tmp/stamp" || die "revision $rev has no $dir"
# The same text of another revision will do.
for same in "$out" "$BUILD"/kselftest*; do
	if cmp -s "$tmp/stamp" "$same/stamp"; then
		echo "$same"
		exit 0
	fi
done

# In the worktree of REV, by the rules of its own Makefile.
checkout_work "$rev"
headers=$BUILD/obj/headers
mkdir -p "$headers"
logged kselftest-headers make -C "$WORK" O="$headers" headers || exit 1
logged kselftest make -C "$WORK/$dir" OUTPUT="$tmp" USERLDFLAGS=-static \
	KHDR_INCLUDES="-isystem $headers/usr/include" "$tmp/fence_unload" || exit 1
mkdir -- "$tmp/sync"
logged kselftest-sync make -C "$WORK/$sync" OUTPUT="$tmp/sync" USERLDFLAGS=-static \
	LDFLAGS="-pthread -static" KHDR_INCLUDES="-isystem $headers/usr/include" "$tmp/sync/sync_test" || exit 1
mv -- "$tmp/sync/sync_test" "$tmp"
rm -r -- "$tmp/sync"

# -l prints for each fixture its variants and, beside them, its tests; it ends
# with 4, as if it had skipped them.
{ "$tmp/fence_unload" -l 2>&1 || [ $? -eq 4 ]; } | awk '
	function flush(  v, t) {
		for (t = 1; t <= nt; t++)
			for (v = nv ? 1 : 0; v <= nv; v++)
				print fixture "." (v ? variant[v] "." : "") test[t]
		nv = nt = 0
	}
	/^#/ { next }
	/^---/ { flush(); next }
	{
		f = substr($0, 1, 20); v = substr($0, 22, 25); t = substr($0, 48)
		gsub(/ /, "", f); gsub(/ /, "", v); gsub(/ /, "", t)
		if (f != "") fixture = f
		if (v != "") variant[++nv] = v
		if (t != "") test[++nt] = t
	}
	END { flush() }' >"$tmp/tests"
[ -s "$tmp/tests" ] || die "fence_unload lists no test"

rm -rf -- "$out"
mv -- "$tmp" "$out"
echo "$out"
