#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs commands in a virtual machine and says how each of them ended.
. "$(dirname -- "$0")/lib.sh"

help() {
	usage 'vm.sh [-1] [-i] [-k] [-j NUMBER] [-t SECONDS] KERNEL OUT [FILE...] <COMMANDS
       vm.sh -s [-k] KERNEL OUT [FILE...]

Boots KERNEL (a folder with bzImage and modules/, see kernel.sh) under QEMU and
runs COMMANDS there, one "NAME COMMAND..." a line, with FILEs in /test. A command
passes if it exits with 0; 4 means that it skipped itself.

  -1          a boot for each command; else all share one, and only what is left
              after the kernel died or hung is run in another
  -i          if the machine is emulated, an instruction takes a nanosecond of its
              time, however busy the host is
  -j NUMBER   with -1: so many VMs at a time (default: as many as CPUs)
  -k          keep the initramfs, which OUT/N/command needs
  -s          no commands: a shell on this terminal; or, if the standard input is
              none, a shell that runs what comes from there
  -t SECONDS  how long a boot may take (default: 120)

Each run has a folder of its own, build/$BASE/runs/NAME/DATE-TIME-…, NAME being made
of OUT. OUT becomes a symbolic link to it; the last ten runs of an OUT are kept. If
there is something else at OUT, vm.sh stops and changes nothing.

Writes OUT/results, "NAME<TAB>OUTCOME<TAB>TEXT" for each command, OUTCOME being
pass, skip, fail (of the command, or the kernel complained), died (the kernel
did), timeout or lost (no result came back). Where the kernel died in a command that
was not the first of its boot, that one is run again, as the first: if it passes then,
the death is that of "kernel", and TEXT says what ran before. And for each boot N OUT/N/console,
OUT/N/result and OUT/N/output/NAME. OUT/config is the configuration of the kernel,
OUT/N/command starts QEMU as boot N did. Exit status 0 only if none failed.'
}

boot_each='' count='' shell='' keep='' limit=120 at_a_time=$(nproc)
while getopts 1ij:kst:h opt; do
	case $opt in
	1) boot_each=yes ;;
	i) count="-icount shift=0,sleep=off" ;;
	j) at_a_time=$OPTARG ;;
	k) keep=yes ;;
	s) shell=yes ;;
	t) limit=$OPTARG ;;
	*) help ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || help
kernel=$1 out=$2
shift 2

# --- is all right? Until that is known, nothing is made ------------------------------
case $at_a_time in ''|0*|*[!0-9]*) die "-j $at_a_time: not a number of VMs" ;; esac
case $limit in ''|0*|*[!0-9]*) die "-t $limit: not a number of seconds" ;; esac
[ -d "$kernel" ] || die "there is no folder $kernel; make it with tools/kernel.sh"
[ -f "$kernel/bzImage" ] || die "no bzImage in $kernel; make it with tools/kernel.sh"
[ -d "$kernel/modules/lib/modules" ] || die "no modules/lib/modules in $kernel; make it with tools/kernel.sh"
kernel=$(cd -- "$kernel" && pwd -P)
for f; do
	[ -f "$f" ] && [ -r "$f" ] || die "FILE $f is not a file that can be read"
done
command -v qemu-system-x86_64 >/dev/null || die "no qemu-system-x86_64; install qemu-system-x86"
busybox=$(command -v busybox) || die "no busybox; install busybox-static"

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
# is_old DIR: whether it is what vm.sh and its callers left, below $BUILD, when it
# had no runs yet: results and numbered folders, and a summary of them, or nothing.
is_old() {
	local f
	case $1 in "$BUILD"/*) ;; *) return 1 ;; esac
	for f in "$1"/* "$1"/.[!.]*; do
		[ -e "$f" ] || [ -L "$f" ] || continue
		[ ! -L "$f" ] && [ -f "$1/results" ] || return 1
		case ${f##*/} in
		results|todo|summary|*.ktap|*.parsed) [ -f "$f" ] || return 1 ;;
		kvm) [ -d "$f" ] || return 1 ;;
		*[!0-9]*) return 1 ;;
		*) [ -d "$f" ] || return 1 ;;
		esac
	done
}
old=
if [ -L "$out" ]; then
	is_ours "$out" || die "OUT $out is a link that vm.sh did not make; move it away or give another OUT"
elif [ -d "$out" ]; then
	is_old "$out" || die "OUT $out is a folder that vm.sh did not make; move it away or give another OUT"
	old=yes
elif [ -e "$out" ]; then
	die "OUT $out is a file; give the name of a folder to be made"
fi
mkdir -p -- "$(dirname -- "$out")" 2>/dev/null && [ -w "$(dirname -- "$out")" ] ||
	die "cannot make OUT $out; give another"

# --- a folder for this run --------------------------------------------------------------
mkdir -p -- "$runs"
if [ "$old" ]; then
	# Moved, it counts as a run. An empty one goes.
	rmdir -- "$out" 2>/dev/null || {
		run=$(mktemp -d -- "$runs/$(date -r "$out" +%Y%m%d-%H%M%S)-XXXXXX")
		mv -T -- "$out" "$run"
		echo "$out" >"$run/out"
	}
fi
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
out=$run
cp -- "$kernel/config" "$out/config" 2>/dev/null || :
if [ "$shell" ]; then
	echo shell >"$out/todo"
else
	cat >"$out/todo"
fi
: >"$out/results"

temp_dir tmp

applets="sh cat echo grep ls ps sleep true false mount insmod rmmod lsmod modprobe reboot"
[ ! "$shell" ] || applets=$("$busybox" --list | grep -vx busybox)
# The part of the initramfs that is the same for every boot.
make_initramfs() {
	local root=$tmp/root f
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,test,lib}
	${CC:-gcc} -O2 -Wall -static -o "$root/init" "$TOP/vm/init.c" ||
		die "cannot build vm/init.c; install gcc and libc6-dev"
	cp "$busybox" "$root/bin/busybox"
	for f in $applets; do
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

# qemu_command DIR ACCEL: sets qemu, and makes DIR/initramfs. It is run in DIR.
# shellcheck disable=SC2054
qemu_command() {
	local dir=$1 accel=$2 cpu=max,la57=off icount=$count terminal=''
	# With five levels of page tables KASAN calls all memory wild for a moment when
	# the boot CPU is identified: an interrupt then, one boot of many, is a report.
	[ "$accel" = tcg ] || cpu=host icount=
	: >"$dir/console"
	: >"$dir/result"
	# A second archive, unpacked over the first.
	{ cat "$tmp/initramfs"; (cd "$dir" && echo commands | cpio -o -H newc --quiet); } >"$dir/initramfs"
	if [ ! "$shell" ]; then
		console=(-chardev file,id=console,path=console -serial chardev:console)
	elif [ -t 0 ]; then
		# The words with capitals are init's environment. It turns the console on.
		terminal="loglevel=1 SHELL_ON=tty TERM=${TERM:-vt100}$(stty size | sed -n 's/\([1-9].*\) \([1-9].*\)/ LINES=\1 COLUMNS=\2/p')"
		console=(-chardev stdio,id=console,mux=on,signal=off,logfile=console
			-serial chardev:console -mon chardev=console)
	else
		terminal="loglevel=1 SHELL_ON=pipe"
		console=(-chardev stdio,id=console,signal=off,logfile=console -serial chardev:console)
	fi
	# shellcheck disable=SC2206
	qemu=(qemu-system-x86_64 $icount
		-machine "q35,accel=$accel" -cpu "$cpu" -smp 2,sockets=2 -m "${VM_MEM:-1G}"
		-nodefaults -no-user-config -no-reboot -display none
		-device virtio-gpu-pci -device qxl -device bochs-display
		-kernel "$kernel/bzImage" -initrd initramfs
		-append "console=ttyS0 panic=-1 oops=panic no_timer_check printk.devkmsg=on${terminal:+ $terminal}${VM_APPEND:+ $VM_APPEND}"
		"${console[@]}" -chardev file,id=result,path=result -serial chardev:result)
	{
		echo '#!/bin/sh'
		echo "# To be run in a folder with the file initramfs, which vm.sh -k keeps beside this."
		printf 'exec'
		printf ' %q' "${qemu[@]}"
		echo
	} >"$dir/command"
	chmod +x "$dir/command"
}

# boot DIR ACCEL SECONDS: runs DIR/commands, leaves DIR/console and DIR/result,
# and DIR/timed-out when the time was over. To be called with "&": it is a process
# of its own, which takes the VM with it when it is told to end.
boot() {
	local dir=$1 seconds=$3 status=0 qemu console
	trap 'kill $! 2>/dev/null' EXIT
	trap 'exit 143' INT TERM
	qemu_command "$dir" "$2"
	cd -- "$dir"
	timeout -k 5 "$seconds" "${qemu[@]}" </dev/null >"$dir/qemu" 2>&1 &
	wait $! 2>/dev/null || status=$?
	trap - EXIT
	[ "$keep" ] || rm -f "$dir/initramfs"
	case $status in
	124|137) : >"$dir/timed-out" ;;
	esac
}

# shell_in DIR: the same with this terminal. Not over until the shell is.
shell_in() {
	local dir=$1 qemu console pid status=0 tty=''
	qemu_command "$dir" "$accel"
	if [ -t 0 ]; then
		tty=$(stty -g)
		(cd -- "$dir" && exec "${qemu[@]}") <&0 2>"$dir/qemu" 9>&- &
	else
		mkfifo "$tmp/in"
		exec 3<&0
		feed "$dir" >"$tmp/in" 9>&- &
		(cd -- "$dir" && exec "${qemu[@]}") <"$tmp/in" 2>"$dir/qemu" 3<&- 9>&- |
			sed -u 's/\r$//; /reboot: Restarting system$/d' 9>&- &
	fi
	pid=$!
	until [ -s "$dir/result" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.1; done
	# Others may build while the shell is open: the VM has all that it needs.
	exec 9>&-
	wait $pid || status=$?
	[ -z "$tty" ] || stty "$tty" || :
	[ "$keep" ] || rm -f "$dir/initramfs"
	[ $status -eq 0 ] || die "QEMU ended with status $status: $(tail -n 1 "$dir/qemu"); log: $dir/qemu"
	find_in "$dir/console" >"$dir/findings"
	! grep -q '	died	' "$dir/findings" ||
		die "the kernel died: $(sed -n 's/.*	died	//p' "$dir/findings" | head -n 1); log: $dir/console"
}

# find_in CONSOLE: what vm/console.awk finds, without what VM_PROVOKED names.
find_in() {
	awk -f "$TOP/vm/console.awk" "$1" | awk -F'\t' '
		BEGIN { n = split(ENVIRON["VM_PROVOKED"], text, "\n"); while (n) provoked[text[n--]] = 1 }
		!($2 == "bad" && $3 in provoked)'
}

# feed DIR: gives the shell in the VM what comes from file descriptor 3, and ^D at its
# end. What would come before there is a shell would be lost.
feed() {
	trap 'kill $! 2>/dev/null; exit 0' TERM
	trap '' PIPE
	until grep -q '^run ' "$1/result" 2>/dev/null; do
		sleep 0.1 &
		wait $!
	done
	cat <&3 2>/dev/null &
	wait $!
	printf '\n\004' 2>/dev/null
}

# /dev/kvm may exist and still not run a guest: only a boot can tell.
choose_accel() {
	local cache=$BUILD/vm-accel shell=''
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
	find_in "$dir/console" >"$dir/findings"
	mkdir -p "$dir/output"
	awk -v timed_out="$timed_out" -v dir="$dir/output" -v todo="$out/todo" -v again="$out/again" '
	BEGIN { FS = "\t" }
	FILENAME ~ /\/findings$/ {
		if ($2 == "died") dead = $3
		if (!($1 in bad)) bad[$1] = $3
		if ($2 == "died") bad[$1] = $3
		next
	}
	FILENAME ~ /\/again$/ { death[$1] = $2; next }
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
			if (name in death && name in status && status[name] ~ /^[04]$/ && !(name in bad))
				out("kernel", "died", death[name])
			if (name in status) {
				if (name in bad) out(name, "fail", bad[name])
				else if (status[name] == 0) out(name, "pass", "")
				else if (status[name] == 4) out(name, "skip", "")
				else out(name, "fail", "exit status " status[name])
			} else if (name in started) {
				if (dead != "" && i && !(name in death)) {
					print line[name] >todo
					print name "\t" dead " in " name ", which passes by itself, after" before(i) >>again
				} else if (dead != "") out(name, "died", dead)
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
	function before(i,  k, s) {
		for (k = i > 3 ? i - 3 : 0; k < i; k++) s = s " " order[k]
		return s
	}
	function any(  k) { for (k in started) return 1; return 0 }
	' "$out/again" "$dir/findings" "$dir/commands" "$dir/result" >>"$out/results"
}

make_initramfs "$@"
choose_accel
: >"$out/again"
if [ "$shell" ]; then
	mkdir "$out/1"
	mv "$out/todo" "$out/1/commands"
	shell_in "$out/1"
	exit 0
fi
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
rm -f "$out/todo" "$out/again"
! grep -qvP '\t(pass|skip)\t' "$out/results"
