#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs commands in a virtual machine and says how each of them ended.
. "$(dirname -- "$0")/lib.sh"

help() {
	usage 'vm.sh [-1] [-i] [-j NUMBER] [-t SECONDS] KERNEL OUT [FILE...] <COMMANDS

Boots KERNEL (a folder with bzImage and modules/, see kernel.sh) under QEMU and
runs COMMANDS there, one "NAME COMMAND..." a line, with FILEs in /test. A command
passes if it exits with 0; 4 means that it skipped itself.

  -1          a boot for each command; else all share one, and only what is left
              after the kernel died or hung is run in another
  -i          if the machine is emulated, an instruction takes a nanosecond of its
              time, however busy the host is
  -j NUMBER   with -1: so many VMs at a time (default: as many as CPUs)
  -t SECONDS  how long a boot may take (default: 120)

Writes OUT/results, "NAME<TAB>OUTCOME<TAB>TEXT" for each command, OUTCOME being
pass, skip, fail (of the command, or the kernel complained), died (the kernel
did), timeout or lost (no result came back); and for each boot N OUT/N/console,
OUT/N/result and OUT/N/output/NAME. Exit status 0 only if none failed.'
}

boot_each= count= limit=120 at_a_time=$(nproc)
while getopts 1ij:t:h opt; do
	case $opt in
	1) boot_each=yes ;;
	i) count="-icount shift=0,sleep=off" ;;
	j) at_a_time=$OPTARG ;;
	t) limit=$OPTARG ;;
	*) help ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || help
kernel=$1 out=$2
shift 2

[ -f "$kernel/bzImage" ] || die "no bzImage in $kernel; make it with tools/kernel.sh"
command -v qemu-system-x86_64 >/dev/null || die "no qemu-system-x86_64; install qemu-system-x86"
busybox=$(command -v busybox) || die "no busybox; install busybox-static"

rm -rf "$out"
mkdir -p "$out"
cat >"$out/todo"
: >"$out/results"

temp_dir tmp

# The part of the initramfs that is the same for every boot.
make_initramfs() {
	local root=$tmp/root f
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,test,lib}
	${CC:-gcc} -O2 -Wall -static -o "$root/init" "$TOP/vm/init.c" ||
		die "cannot build vm/init.c; install gcc and libc6-dev"
	cp "$busybox" "$root/bin/busybox"
	for f in sh cat echo grep ls ps sleep true false mount insmod rmmod lsmod modprobe reboot; do
		ln -s busybox "$root/bin/$f"
	done
	ln -s ../bin/busybox "$root/sbin/modprobe"
	cp -r "$kernel/modules/lib/modules" "$root/lib/"
	for f; do
		cp "$f" "$root/test/"
	done
	# A kselftest looks for its modules beside the program.
	ln -s "/lib/modules/$(ls "$root/lib/modules")/updates" "$root/test/test_modules"
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$tmp/initramfs"
	rm -rf "$root"
}

# boot DIR ACCEL SECONDS: runs DIR/commands, leaves DIR/console and DIR/result,
# and DIR/timed-out when the time was over. To be called with "&": it is a process
# of its own, which takes the VM with it when it is told to end.
boot() {
	local dir accel seconds cpu status icount
	dir=$1 accel=$2 seconds=$3 cpu=max,la57=off status=0 icount=$count
	trap 'kill $! 2>/dev/null' EXIT
	trap 'exit 143' INT TERM
	# With five levels of page tables KASAN calls all memory wild for a moment when
	# the boot CPU is identified: an interrupt then, one boot of many, is a report.
	[ "$accel" = tcg ] || cpu=host icount=
	: >"$dir/console"
	: >"$dir/result"
	# A second archive, unpacked over the first.
	{ cat "$tmp/initramfs"; (cd "$dir" && echo commands | cpio -o -H newc --quiet); } >"$dir/initramfs"
	# shellcheck disable=SC2086
	timeout -k 5 "$seconds" qemu-system-x86_64 $icount \
		-machine "q35,accel=$accel" -cpu "$cpu" -smp 2,sockets=2 -m "${VM_MEM:-1G}" \
		-nodefaults -no-user-config -no-reboot -display none \
		-device virtio-gpu-pci -device qxl -device bochs-display \
		-kernel "$kernel/bzImage" -initrd "$dir/initramfs" \
		-append "console=ttyS0 panic=-1 oops=panic no_timer_check printk.devkmsg=on ${VM_APPEND:-}" \
		-chardev "file,id=console,path=${dir//,/,,}/console" -serial chardev:console \
		-chardev "file,id=result,path=${dir//,/,,}/result" -serial chardev:result \
		</dev/null >"$dir/qemu" 2>&1 &
	wait $! 2>/dev/null || status=$?
	trap - EXIT
	rm -f "$dir/initramfs"
	case $status in
	124|137) : >"$dir/timed-out" ;;
	esac
}

# /dev/kvm may exist and still not run a guest: only a boot can tell.
choose_accel() {
	local cache=$BUILD/vm-accel
	accel=tcg
	if [ -s "$cache" ]; then
		accel=$(cat "$cache")
		return
	fi
	if [ -w /dev/kvm ]; then
		mkdir -p "$out/kvm"
		echo "probe true" >"$out/kvm/commands"
		boot "$out/kvm" kvm 10 &
		wait $!
		! grep -q '^verdict pass' "$out/kvm/result" || accel=kvm
	fi
	echo $accel >"$tmp/accel"
	mv "$tmp/accel" "$cache"
}

# judge DIR: adds to OUT/results what is known after a boot and leaves in OUT/todo
# what has to be run again.
judge() {
	local dir=$1 timed_out=0
	[ -s "$dir/console" ] ||
		die "the VM did not start: $(head -n 1 "$dir/qemu"); log: $dir/qemu"
	[ ! -e "$dir/timed-out" ] || timed_out=1
	awk -f "$TOP/vm/console.awk" "$dir/console" >"$dir/findings"
	mkdir -p "$dir/output"
	awk -v timed_out="$timed_out" -v dir="$dir/output" -v todo="$out/todo" '
	BEGIN { FS = "\t" }
	FILENAME ~ /\/findings$/ {
		if ($2 == "died") dead = $3
		if (!($1 in bad)) bad[$1] = $3
		if ($2 == "died") bad[$1] = $3
		next
	}
	FILENAME ~ /\/commands$/ { split($0, w, " "); order[n++] = w[1]; line[w[1]] = $0; next }
	{ sub(/\r$/, "") }
	/^run / { now = substr($0, 5); started[now] = 1; next }
	/^exit / { split($0, w, " "); status[w[2]] = w[3]; now = ""; next }
	/^kmemleak / { leaks = substr($0, 10) + 0; next }
	/^verdict / { verdict = substr($0, 9); next }
	/^\| / { s = substr($0, 3); print s >(dir "/" (now == "" ? "kmemleak" : now)); next }
	function out(name, outcome, text) { print name "\t" outcome "\t" text }
	END {
		printf "" >todo
		for (i = 0; i < n; i++) {
			name = order[i]
			if (name in status) {
				if (name in bad) out(name, "fail", bad[name])
				else if (status[name] == 0) out(name, "pass", "")
				else if (status[name] == 4) out(name, "skip", "")
				else out(name, "fail", "exit status " status[name])
			} else if (name in started) {
				if (dead != "") out(name, "died", dead)
				else if (timed_out) out(name, "timeout", name in bad ? bad[name] : "")
				else out(name, "lost", name in bad ? bad[name] : "")
			} else if (!any() && i == 0) {
				# Not even the first was started: no use in trying again.
				out(name, dead != "" ? "died" : timed_out ? "timeout" : "lost", dead)
			} else
				print line[name] >todo
		}
		# After the last command: the leak scan and the way down.
		if (leaks) out("kmemleak", "fail", leaks " objects leaked")
		else if ("-" in bad) out("kernel", dead != "" ? "died" : "fail", bad["-"])
		else if (verdict == "" && n && (order[n - 1] in status))
			out("kernel", timed_out ? "timeout" : "lost", "no verdict")
	}
	function any(  k) { for (k in started) return 1; return 0 }
	' "$dir/findings" "$dir/commands" "$dir/result" >>"$out/results"
}

make_initramfs "$@"
choose_accel
boots=0
if [ "$boot_each" ]; then
	while IFS= read -r line; do
		boots=$((boots + 1))
		mkdir -p "$out/$boots"
		printf '%s\n' "$line" >"$out/$boots/commands"
		while [ "$(jobs -rp | wc -l)" -ge "$at_a_time" ]; do
			wait -n || :
		done
		boot "$out/$boots" "$accel" "$limit" &
	done <"$out/todo"
	wait
	for ((i = 1; i <= boots; i++)); do
		judge "$out/$i"
	done
else
	while [ -s "$out/todo" ]; do
		boots=$((boots + 1))
		mkdir -p "$out/$boots"
		cp "$out/todo" "$out/$boots/commands"
		boot "$out/$boots" "$accel" "$limit" &
		wait $!
		judge "$out/$boots"
	done
fi
rm -f "$out/todo"
! grep -qvP '\t(pass|skip)\t' "$out/results"
