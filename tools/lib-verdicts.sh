# SPDX-License-Identifier: GPL-2.0
# Sourced by the scripts that run for long: verdicts that are kept, and an end in time.
# shellcheck shell=bash
#
# A verdict is one line "KEY SECONDS NAME" in the file VERDICTS. KEY is a sum of all
# that the outcome depends on, SECONDS the time that it took. Only a success is kept.
# A line is written when its job has ended, so a cut at any moment loses only the job
# that was running.
#
# MINUTES=N bounds a run: no job is started that is not expected to end by then, and
# watched() of lib.sh stops one that takes longer. What is left is listed, the exit
# status is 3.

deadline=
case ${MINUTES:-} in
'')	;;
0*|*[!0-9]*) die "MINUTES=$MINUTES is not a number of minutes; say MINUTES=30" ;;
*)	deadline=$((SECONDS + MINUTES * 60)) ;;
esac

# tools_sum FILE...: of the text of these tools, and of what builds their kernels.
tools_sum() {
	(cd "$TOP" && cat tools/kernel.sh "$@") | sha256sum | cut -c 1-16
}

# compilers: what the kernels are built with.
compilers() {
	local cc
	for cc in gcc aarch64-linux-gnu-gcc; do
		"$cc" --version 2>/dev/null | head -n 1 || :
	done
}

# vmtest_sum FILE...: of those beside vmtest.sh.
vmtest_sum() {
	local dir
	dir=$(vmtest) || exit 1
	(cd -- "$dir" && cat -- "$@") | sha256sum | cut -c 1-16
}

# sum_of TEXT...: the key of a job, of all that it depends on.
sum_of() { printf '%s\n' "$@" | sha256sum | cut -c 1-16; }

# holds KEY NAME: there is such a verdict. Lines that were cut off do not count.
holds() {
	[ -f "$VERDICTS" ] && awk -v key="$1" -v name="  $2" '
	$1 == key && $2 ~ /^[0-9]+$/ { $1 = $2 = ""; if ($0 == name) { found = 1; exit } }
	END { exit !found }' "$VERDICTS"
}

# keep KEY SECONDS NAME
keep() {
	# What a cut left of a line gets a line of its own.
	[ ! -s "$VERDICTS" ] || [ -z "$(tail -c 1 -- "$VERDICTS")" ] || echo >>"$VERDICTS"
	echo "$1 $2 $3" >>"$VERDICTS"
}

# forget_others: only the verdicts whose "KEY NAME" is on standard input stay, in that
# order, each once.
forget_others() {
	local new
	[ -f "$VERDICTS" ] || return 0
	new=$(mktemp "$BUILD/tmp/verdicts.XXXXXX")
	awk 'NR == FNR { if ($2 ~ /^[0-9]+$/ && NF > 2) { k = $1; s = $2; $1 = $2 = ""; time[k $0] = s }; next }
	     { k = $1; $1 = ""; n = k " " $0 }
	     n in time && !done[n]++ { print k, time[n] $0 }' "$VERDICTS" - >"$new"
	cat "$new" >"$VERDICTS.new" && mv -- "$VERDICTS.new" "$VERDICTS"
	rm -f -- "$new"
}

# usual SECONDS NAME: how long jobs of that name took on average, or else SECONDS.
usual() {
	{ cat -- "$VERDICTS" 2>/dev/null || :; } | awk -v unknown="$1" -v name="  $2" '
	$2 ~ /^[0-9]+$/ { s = $2; $1 = $2 = ""; if ($0 == name) { sum += s; n++ } }
	END { print n ? int(sum / n) : unknown }'
}

# fits SECONDS: a job that takes that long would end in time.
fits() { [ -z "$deadline" ] || [ $((SECONDS + $1)) -le "$deadline" ]; }

# minutes SECONDS: in words, for a reader.
minutes() {
	if [ "$1" -lt 90 ]; then echo "$1 s"; else echo "$((($1 + 30) / 60)) min"; fi
}

# pairs_of FOLDER KEY: the folder in FOLDER for what boots in turn have measured, one
# file for each pair, with kernels and tools of that KEY. A file is complete, since it
# comes there by mv. AGAIN=yes: an empty one, if all had been measured.
pairs_of() {
	local dir=$1/pairs-$2
	if [ -n "${AGAIN:-}" ] && [ -e "$dir/all" ]; then
		rm -rf -- "$dir.old"
		mv -- "$dir" "$dir.old"
	fi
	mkdir -p -- "$dir"
	echo "$dir"
}

# all_pairs FOLDER: all is measured, what was measured before is not needed any more.
all_pairs() {
	: >"$1/all"
	find "$(dirname -- "$1")" -mindepth 1 -maxdepth 1 -name 'pairs-*' ! -path "$1" -exec rm -rf -- {} +
}

# for_pairs WORK COMMAND...: runs it, as long as there is time.
for_pairs() {
	local rc=0
	watched "$1" "$LOG/$SELF.log" "${@:2}" || rc=$?
	case $rc in
	0)	return 0 ;;
	124)	say "MINUTES are over, $1 is not built yet; run it again to go on"; exit 3 ;;
	esac
	tail -n 5 -- "$LOG/$SELF.log" >&2
	exit 1
}

# pairs_left DONE WANTED FOLDER: says that the time is over, and what is there so far.
pairs_left() {
	say "MINUTES are over after $1 of $2 pairs, kept in $3; run it again to go on"
	exit 3
}
