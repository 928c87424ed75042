#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs vmtest.sh of the series on a kernel of kernel.sh, and keeps the last runs.
. "$(dirname -- "$0")/lib.sh"

help() {
	usage 'vm.sh [-1] [-i] [-k] [-j NUMBER] [-t SECONDS] KERNEL OUT [FILE...] <COMMANDS
       vm.sh -s [-k] KERNEL OUT [FILE...]

Boots KERNEL (a folder with bzImage and modules/, see kernel.sh) under QEMU and
runs COMMANDS there, one "NAME COMMAND..." a line, with FILEs in /test, by
tools/testing/selftests/dma-buf/vmtest.sh of the series (of the work tree, where that is
what is tested); its -h tells more of the options and of what it leaves in OUT.

  -1          a boot for each command; else all share one, and only what is left
              after the kernel died or hung is run in another
  -i          if the machine is emulated, an instruction takes a nanosecond of its
              time, however busy the host is
  -j NUMBER   with -1: so many VMs at a time (default: as many as CPUs)
  -k          keep the initramfs, which OUT/N/command needs
  -s          no commands: a shell on this terminal; or, if the standard input is
              none, a shell that runs what comes from there
  -t SECONDS  how long a boot may take (default: 120)

VM_MEM is the memory of the VM, VM_APPEND more parameters of the kernel, VM_PROVOKED
what the kernel may complain of.

Each run has a folder of its own, build/$BASE/runs/NAME/DATE-TIME-…, NAME being made
of OUT. OUT becomes a symbolic link to it; the last ten runs of an OUT are kept. If
there is something else at OUT, vm.sh stops and changes nothing. Exit status 0 only if
no command failed.'
}

options=(-x) limit=120 shell=''
while getopts 1ij:kst:h opt; do
	case $opt in
	1|i) options+=("-$opt") ;;
	j) options+=(-j "$OPTARG") ;;
	k) options+=(-K) ;;
	s) options+=(-s) shell=yes ;;
	t) limit=$OPTARG ;;
	*) help ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || help
kernel=$1 out=$2
shift 2
options+=(-T "$limit" -m "${VM_MEM:-1G}" -p "${VM_APPEND:-}")
for f; do
	options+=(-a "$f")
	# That one of its tests runs.
	case $f in */fence_unload)
		f=$(vmtest)/fence_holders.sh
		[ ! -f "$f" ] || options+=(-a "$f") ;;
	esac
done

# --- is all right? Until that is known, nothing is made ------------------------------
[ -d "$kernel" ] || die "there is no folder $kernel; make it with tools/kernel.sh"
vmtest=$(vmtest)/vmtest.sh
options+=(-b "$BUILD/vmtest" -k "$kernel")
"$vmtest" -n "${options[@]}"
case $out in ''|*/|*/.|*/..|.|..|*[[:space:]]*) die "OUT '$out' is no name for a folder of results" ;; esac
case $out in /*) ;; *) out=$PWD/$out ;; esac
# Without the last component: that may be our own link.
out=$(realpath -m -- "$(dirname -- "$out")")/$(basename -- "$out")
case $out in
"$BUILD"/*)	name=${out#"$BUILD/"} ;;
*)		name=${out#/} ;;
esac
name=${name//\//-}
runs=$BUILD/runs/$name
case $out/ in "$BUILD/runs"/*) die "OUT $out is in the folder of the runs themselves; give another" ;; esac

# is_ours LINK: whether its text is one that we write. The run may be gone.
is_ours() {
	[[ $(readlink -- "$1") =~ (^|/)runs/([^/]+)/[0-9]{8}-[0-9]{6}-[A-Za-z0-9]+$ ]] &&
		[ "${BASH_REMATCH[2]}" = "$name" ]
}
if [ -L "$out" ]; then
	is_ours "$out" || die "OUT $out is a link that vm.sh did not make; move it away or give another OUT"
elif [ -d "$out" ]; then
	die "OUT $out is a folder that vm.sh did not make; move it away or give another OUT"
elif [ -e "$out" ]; then
	die "OUT $out is a file; give the name of a folder to be made"
fi
mkdir -p -- "$(dirname -- "$out")" 2>/dev/null && [ -w "$(dirname -- "$out")" ] ||
	die "cannot make OUT $out; give another"

# --- a folder for this run --------------------------------------------------------------
mkdir -p -- "$runs"
run=$(mktemp -d -- "$runs/$(date +%Y%m%d-%H%M%S-%N)XXXXXX")
chmod 755 "$run"
echo "$out" >"$run/out"
# Below $BUILD a relative link: it stays right when the build folder is moved.
case $out in
"$BUILD"/*)	to=$(realpath -m --relative-to="$(dirname -- "$out")" -- "$run") ;;
*)		to=$run ;;
esac
ln -s -- "$to" "$run/link"
mv -T -- "$run/link" "$out"
# Only those of this OUT: another may have the same NAME.
find "$runs" -mindepth 2 -maxdepth 2 -name out -printf '%h\n' | sort -r | while IFS= read -r f; do
	[ "$(cat -- "$f/out")" != "$out" ] || printf '%s\n' "$f"
done | tail -n +11 | while IFS= read -r f; do
	# The file "out" last: cut in the middle, the next run goes on with it.
	find "$f" -mindepth 1 -maxdepth 1 ! -name out -exec rm -rf -- {} +
	rm -rf -- "$f"
done
export VMTEST_EXPECTED=${VM_PROVOKED:-}
if [ "$shell" ]; then
	# Others may build while the shell is open: the VM has all that it needs. Until then
	# this keeps the lock.
	(until [ -s "$run/1/result" ] || ! kill -0 $$ 2>/dev/null; do sleep 0.1; done) </dev/null >/dev/null 2>&1 &
	exec 9>&-
fi
exec "$vmtest" -r "$run" "${options[@]}"
