#!/bin/bash
# Measures what operations on a dma_fence cost, on the base and on the series.
. "$(dirname -- "$0")/lib.sh"

USAGE='tools/bench.sh [--null] [CONFIG...]
  CONFIG  bench-preempt, bench-nopreempt (default: both, see kconfig/)
  --null  the base against itself: shows how much of a ratio is noise
  PAIRS=N boot each kernel N times, in turn (default 10)
  MINUTES=N stop in time; the next run goes on, as after any cut
  AGAIN=yes measure anew what was measured with the same kernels before
Exit status: 1 a target was missed, 3 MINUTES are over and pairs are left.'

null=
configs=()
for arg; do
	case $arg in
	--null)	null=yes ;;
	bench-preempt|bench-nopreempt) configs+=("$arg") ;;
	*)	usage "$USAGE" ;;
	esac
done
[ ${#configs[@]} -gt 0 ] || configs=(bench-preempt bench-nopreempt)
pairs=${PAIRS:-10}
case $pairs in
''|0*|*[!0-9]*) die "PAIRS=$pairs must be a number, such as PAIRS=10" ;;
esac
. "$TOP/tools/lib-verdicts.sh"
[ "$(uname -m)" = x86_64 ] || die "UML needs an x86_64 machine"
[ "$(nproc)" -ge 2 ] || die "needs two CPUs: two of the guest spin against each other"

series=series
[ -z "$null" ] || series=base
out=$BUILD/bench
lock_build
mkdir -p "$out"
tmp=
temp_dir tmp

# boot CONFIG REV FILE [KIND]: one run of the benchmark, its lines into FILE; with
# a KIND, how many slab objects that needs.
boot() {
	local name=$1-$2 root=$tmp/root
	rm -rf "$root"
	mkdir -p "$root/proc" "$root/dev"
	cp "$tmp/init" "$root/init"
	cp "$KERNELS/$name"/modules/lib/modules/*/updates/fence-bench.ko "$root/"
	timeout --foreground -s KILL 120 "$KERNELS/$name/linux" seccomp=on ncpus=2 mem=256M \
		rootfstype=hostfs rootflags="$root" rw init=/init ${4:+-- "$4"} \
		</dev/null >"$LOG/bench/$name-console.log" 2>&1 || :
	if [ "$(tail -n 1 "$root/result" 2>/dev/null)" != end ]; then
		tail -n 5 "$LOG/bench/$name-console.log" >&2
		die "the benchmark did not end on $name; log: $LOG/bench/$name-console.log"
	fi
	cp "$root/result" "$3"
}

mkdir -p "$LOG/bench"
"${CC:-gcc}" -O2 -Wall -static -o "$tmp/init" "$TOP/bench/init.c" ||
	die "cannot build bench/init.c; install gcc and libc6-dev"
for config in "${configs[@]}"; do
	for rev in base "$series"; do
		for_pairs "kernel $config, $rev" "$TOP/tools/kernel.sh" "$config" "$rev"
	done
done

key=$(sum_of "$series" "$(tools_sum tools/bench.sh bench/init.c)" \
	"$(for config in "${configs[@]}"; do
		for rev in base "$series"; do "$TOP/tools/kernel.sh" --key "$config" "$rev"; done
	done)")
done_pairs=$(pairs_of "$out" "$key")

# Base and series in turn, and which is first changes from pair to pair: a drift
# of the machine's speed hits both alike.
longest=$(cat "$out/seconds-for-a-pair" 2>/dev/null || echo 20)
for config in "${configs[@]}"; do
	start=$SECONDS
	for pair in $(seq "$pairs"); do
		[ ! -e "$done_pairs/$config.$pair" ] || continue
		fits $longest || pairs_left "$((pair - 1))" "$pairs" "$done_pairs"
		since=$SECONDS
		sides=(base series)
		[ $((pair % 2)) -eq 1 ] || sides=(series base)
		: >"$tmp/pair"
		for side in "${sides[@]}"; do
			rev=base
			[ "$side" = base ] || rev=$series
			boot "$config" "$rev" "$tmp/result"
			sed "s/^/$pair $config $side /" "$tmp/result" >>"$tmp/pair"
		done
		mv "$tmp/pair" "$done_pairs/$config.$pair"
		longest=$((SECONDS - since))
		echo $longest >"$out/seconds-for-a-pair"
		say "  $config: pair $pair of $pairs, $((SECONDS - start)) s, about $(minutes $((longest * (pairs - pair)))) left"
	done
	[ ! -e "$done_pairs/$config.sizes" ] || continue
	fits $((longest * 3)) || pairs_left "$pairs" "$pairs" "$done_pairs"
	: >"$tmp/sizes"
	for side in base series; do
		rev=base
		[ "$side" = base ] || rev=$series
		for kind in fence array chain; do
			boot "$config" "$rev" "$tmp/result" "$kind"
			sed "s/^/1 $config $side /" "$tmp/result" >>"$tmp/sizes"
		done
		size "$KERNELS/$config-$rev/vmlinux" |
			awk -v head="1 $config $side" 'NR == 2 { print head, "text", $1 }' >>"$tmp/sizes"
	done
	mv "$tmp/sizes" "$done_pairs/$config.sizes"
done
for config in "${configs[@]}"; do
	for pair in $(seq "$pairs") sizes; do cat "$done_pairs/$config.$pair"; done
done >"$tmp/samples"

name=results
[ -z "$null" ] || name=null
mv "$tmp/samples" "$out/$name.samples"
all_pairs "$done_pairs"
status=0
awk -v null="$null" -f "$TOP/bench/report.awk" "$out/$name.samples" >"$tmp/report" || status=$?
cat "$tmp/report"
mv "$tmp/report" "$out/$name"
say "  report: $out/$name; every boot: $out/$name.samples"
# Where UML has one CPU, two of QEMU.
[ -n "$null" ] || grep -q ' op two-cpus/' "$out/$name.samples" || {
	rc=0
	[ -z "$deadline" ] || MINUTES=$(((deadline - SECONDS + 59) / 60))
	[ "${MINUTES:-1}" -gt 0 ] || { say "MINUTES are over; two CPUs are left"; exit 3; }
	"$TOP/tools/bench-contended.sh" "$pairs" || rc=$?
	[ $rc -ne 3 ] || exit 3
	[ $rc -eq 0 ] || status=1
}
exit "$status"
