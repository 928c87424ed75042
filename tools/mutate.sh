#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Puts one fault at a time into the series and says whether a test sees it.
. "$(dirname -- "$0")/lib.sh"

[ $# = 0 ] || usage '[TOPIC=topic] [ID="ID..."] [MINUTES=N] [REV=series|wip] tools/mutate.sh

series/$BASE/mutations/TOPIC lists faults, with blank lines between them:

  ID FILE                    the ID is one to three capital letters and a number
  user: TEXT                 what the fault would do to a user; lines that begin with
                             a blank go on
  test: CONFIG NAME...       the tests that are to see it, on that kernel: names as
                             make test takes them; or "-": there is none. More than
                             one line for more than one kernel
  test: litmus NAME          for an order that no CPU here breaks: the fault has the same
                             change for that litmus test, and herd7 has to see it
  verdict: killed            one of the tests fails
  verdict: chance            in at least one of three runs
  verdict: survives: REASON
  verdict: equivalent: REASON	no test could ever see it
  build: alone               not chosen at run time: of a Makefile, of data, of a macro
  @@ FUNCTION                the fault, as a diff: lines that begin with a blank, - or +.
                             The old ones have to be in that function (without a name:
                             in the file) once; how they are indented does not matter
  +++ FILE                   before a @@ of another file

All faults of a CONFIG are in one kernel: each function has a copy for each fault, and
mutant=N on the command line of the kernel chooses, 3012 is C12. First mutant=0 has to pass. A fault
that is built alone has a kernel of its own. A test that hangs, and a kernel that dies or
complains, has seen the fault.

Prints how each fault ended, and a table. A verdict that differs from the list, in either
direction, is an error. What was as listed is kept in series/$BASE/verdicts-mutate with a
key of all that it depends on, and not run again. MINUTES bounds a run.
Exit status: 0 all as listed, 1 some not, 3 MINUTES are over and some are left.'

list=$SERIES/mutations rev=${REV:-series}
[ -d "$list" ] || die "there is no list of faults series/$BASE/mutations"
case $rev in series|wip) ;; *) die "REV=$rev: faults are put into series or wip only" ;; esac
VERDICTS=$SERIES/verdicts-mutate
. "$TOP/tools/lib-verdicts.sh"
lock_build
known_rev "$rev"
[ -d "$TREE" ] || "$TOP/tools/tree.sh"
commit=$(rev_commit "$rev")
mkdir -p "$BUILD/mutate"
temp_dir tmp

# --- the list ----------------------------------------------------------------------------
mutate() { python3 "$TOP/tools/mutate.py" "$@"; }
mutate list "$list" >"$tmp/faults" || die "series/$BASE/mutations has mistakes"
chosen() { [ -z "${TOPIC:-}" ] || [ "$1" = "$TOPIC" ] || return 1; [[ " ${ID:-$2} " == *" $2 "* ]]; }
declare -A number=() topic=() alone=() wanted=() tests=() texts=() key=() outcome=() by=() kills=() state=()
ids=()
while IFS=$'\t' read -r n id t a v f all text; do
	for pair in $all; do
		[[ $pair == - || $pair == litmus:* ]] || [ -f "$TOP/kconfig/${pair%%:*}" ] || die "$id: there is no kconfig/${pair%%:*}"
	done
	number[$id]=$n topic[$id]=$t alone[$id]=$a wanted[$id]=$v tests[$id]=${all#-} texts[$id]=$text
	# Built in whatever has one of its tests.
	chosen "$t" "$id" || continue
	ids+=("$id")
done <"$tmp/faults"
[ ${#ids[@]} -gt 0 ] || die "no fault is called ID=${ID:-*} in TOPIC=${TOPIC:-*}; there are: $(cd "$list" && echo *)"
for id in ${ID:-}; do [ -n "${number[$id]:-}" ] || die "no fault is called $id"; done

# --- the kernels ---------------------------------------------------------------------------
cut -f 6 "$tmp/faults" | tr ',' '\n' | sort -u >"$tmp/paths"
mkdir "$tmp/source"
echo kernel/params.c >>"$tmp/paths"
# Not all need be there, see below.
xargs -d '\n' git -C "$TREE" ls-tree -r --name-only "$commit" -- <"$tmp/paths" |
	xargs -d '\n' git -C "$TREE" archive "$commit" -- | tar -xf - -C "$tmp/source"

# faulty NAME HOW ID...: revision NAME (mutants or mutant) is $commit with those faults.
faulty() {
	local out=$tmp/put index=$tmp/index f
	rm -rf -- "$out" "$index"
	mkdir "$out"
	mutate put "$list" "$tmp/source" "$out" "${@:2}" || return 1
	GIT_INDEX_FILE=$index kgit -C "$TREE" read-tree "$commit"
	while IFS= read -r f; do
		GIT_INDEX_FILE=$index kgit -C "$TREE" update-index --cacheinfo \
			"100644,$(kgit -C "$TREE" hash-object -w "$out/$f"),$f"
	done < <(cd "$out" && find . -type f -printf '%P\n')
	f=$(GIT_INDEX_FILE=$index kgit -C "$TREE" write-tree)
	kgit -C "$TREE" update-ref "refs/series/$1" "$(echo faults |
		GIT_AUTHOR_NAME=$GIT_COMMITTER_NAME GIT_AUTHOR_EMAIL=$GIT_COMMITTER_EMAIL \
		GIT_AUTHOR_DATE="2000-01-01T00:00:00Z" GIT_COMMITTER_DATE="2000-01-01T00:00:00Z" \
		kgit -C "$TREE" commit-tree "$f" -p "$commit")"
}
# kernel CONFIG NAME WHAT
kernel() {
	local rc=0 log=$LOG/build-$1-$2.log
	rm -f -- "$log"
	watched "kernel $1 with $3" "$LOG/mutate/kernel-$1-$2.log" "$TOP/tools/kernel.sh" "$1" "$2" || rc=$?
	[ $rc -ne 124 ] || over
	[ $rc -ne 0 ] || return 0
	# The compiler names the fault, see mutate.py.
	grep -hE 'error: |undefined' "$log" | sed 's/^[^ ]*\/work\///' | sort -u | head -n 10 >&2 || :
	say "$SELF: kernel $1 with $3 does not build; log: $LOG/mutate/kernel-$1-$2.log"
	return 1
}

# Each chosen fault applies, also one that no test is there for.
mkdir "$tmp/try"
together=()
for id in "${ids[@]}"; do
	[ "${alone[$id]}" = alone ] || { together+=("$id"); continue; }
	mutate put "$list" "$tmp/source" "$tmp/try" one "$id" || exit 1
done
mutate put "$list" "$tmp/source" "$tmp/try" all "${together[@]}" || exit 1

# --- one run --------------------------------------------------------------------------------
export KUNIT_TIMEOUT=${KUNIT_TIMEOUT:-60} VM_TIMEOUT=${VM_TIMEOUT:-300}
# try CONFIG NAME REV NUMBER TITLE: sets seen to yes, no or error, and why.
try() {
	local rc=0 counts
	log=$LOG/mutate/$5-$1-${2//[^A-Za-z0-9_.-]/_}.log
	local command=(env TEST="$2" CONFIG="$1" REV="$3" KUNIT_APPEND="mutant=$4"
		VM_APPEND="mutant=$4" "$TOP/tools/test.sh")
	[ "$1" != litmus ] || command=("$TOP/tools/litmus.sh" "$3" "$2")
	watched "$5 $1 $2" "$log" "${command[@]}" || rc=$?
	[ $rc -ne 124 ] || over
	counts=$(tail -n 1 -- "$log")
	case $counts in
	*" 0 failed")	seen=no; [ "${counts%% *}" -gt 0 ] || seen=error ;;
	*" failed")	seen=yes ;;
	*)		seen=error ;;
	esac
	why=$(sed -n 's/^fail //p; s/^not ok //p; s/^  on the console: /the console: /p' "$log" | head -n 1)
	[ -n "$why" ] || why=$counts
}

# --- what is left when the time is over ----------------------------------------------------
over() {
	local id left=()
	for id in "${ids[@]}"; do [ -n "${outcome[$id]:-}" ] || left+=("$id"); done
	say "MINUTES are over; left for the next time: ${left[*]}"
	table
	exit 3
}
table() {
	local id
	for id in "${ids[@]}"; do echo "${topic[$id]} ${outcome[$id]:-left} ${state[$id]:-left}"; done | awk '
		!($1 in n) { order[++topics] = $1 }
		{ n[$1]++; c[$1, $2]++; n["all"]++; c["all", $2]++; ended[$3]++ }
		function row(t) {
			live = n[t] - c[t, "equivalent"]
			printf "%-10s %6d %6d %9d %8d %10d %5s\n", t, n[t], c[t, "killed"], c[t, "chance"],
				c[t, "survives"], c[t, "equivalent"],
				live ? int(100 * (c[t, "killed"] + c[t, "chance"]) / live) " %" : "-"
		}
		END {
			print "topic      faults killed by chance survives equivalent seen"
			for (i = 1; i <= topics; i++) row(order[i])
			if (topics > 1) row("all")
			if (ended["left"]) print ended["left"] " left"
			print ended["ok"] + 0 " as listed, " ended["not"] + 0 " not"
		}'
}

# --- the run -----------------------------------------------------------------------------------
declare -A kernel_key=()
kernel_key_of() {
	[ -z "${kernel_key[$1]:-}" ] || return 0
	if [ "$1" = litmus ]; then
		kernel_key[litmus]=$(kgit -C "$TREE" rev-parse "$commit:Documentation/litmus-tests" "$commit:tools/memory-model" | sha256sum)
	else
		kernel_key[$1]=$("$TOP/tools/kernel.sh" --key "$1" "$rev")
	fi
}
# What a fault is judged by. Kernels have keys of their own.
selftests=tools/testing/selftests
sum=$(tools_sum tools/{mutate.py,litmus.sh,test.sh,kunit.sh,vm.sh,kselftest.sh})
sum=$(sum_of "$sum" "$(declare -f try kselftests_of)" "$(compilers)" \
	"$(vmtest_sum vmtest.sh vmtest/{init.c,console.awk,ksft.sh,kunit.sh})" \
	"$(kgit -C "$TREE" rev-parse "$commit:$selftests/dma-buf/"{fence_unload.c,Makefile} \
		"$commit:$selftests/"{sync,lib.mk,kselftest.h,kselftest_harness.h} 2>/dev/null || :)")
kept=0 todo=()
end() {		# end ID WORD [TEXT]: how that fault ended
	local id=$1 listed=${wanted[$1]}
	outcome[$id]=${2// /-}
	# Nothing that is run can tell these two apart.
	[ "$2 $listed" != "survives equivalent" ] || outcome[$id]=equivalent
	if [ "${outcome[$id]}" = "$listed" ]; then
		state[$id]=ok
		echo "ok $id ${topic[$id]}: ${outcome[$id]}${3:+ $3}"
	else
		state[$id]=not
		echo "not ok $id ${topic[$id]}: $2${3:+ $3}, listed as $listed; log: $log"
	fi
}
for id in "${ids[@]}"; do
	if [ -z "${tests[$id]}" ]; then
		outcome[$id]=${wanted[$id]} state[$id]=ok
		continue
	fi
	all=$sum
	for pair in ${tests[$id]}; do
		kernel_key_of "${pair%%:*}"
		all="$all ${kernel_key[${pair%%:*}]}"
	done
	key[$id]=$(sum_of "$all" "${texts[$id]}")
	if holds "${key[$id]}" "$id"; then
		outcome[$id]=${wanted[$id]} state[$id]=ok kept=$((kept + 1))
	else
		todo+=("$id")
	fi
done
[ $kept = 0 ] || say "  $kept as listed before"

# run_of ID CONFIG REV NUMBER: its tests on that kernel, until one sees it. What it has
# on other kernels is pending then.
declare -A pending=()
none=()
run_of() {
	local id=$1 pair left=() round rounds=1 start=$SECONDS
	[ "${wanted[$id]}" != chance ] || rounds=3
	for pair in ${pending[$id]-${tests[$id]}}; do
		[ "${pair%%:*}" = "$2" ] || { left+=("$pair"); continue; }
		for ((round = 0; round < rounds; round++)); do
			case $useless in *" ${pair%.*}."*) end "$id" "no result" "(without it that test does not pass)"; return 0 ;; esac
			try "$2" "${pair#*:}" "$3" "$4" "$id"
			if [ $seen = error ]; then
				end "$id" "no result" "($why)"
				return 0
			fi
			[ $seen = no ] || { kills[$id]=$((${kills[$id]:-0} + 1)); by[$id]=$why; }
		done
		if [ -n "${kills[$id]:-}" ]; then
			if [ $rounds = 3 ]; then end "$id" chance "${kills[$id]} of 3 by ${by[$id]}"
			else end "$id" killed "by ${by[$id]}"; fi
			[ "${state[$id]}" != ok ] || keep "${key[$id]}" $((SECONDS - start)) "$id"
			return 0
		fi
	done
	pending[$id]=${left[*]}
	[ ${#left[@]} = 0 ] || return 0
	end "$id" survives
	[ "${state[$id]}" != ok ] || keep "${key[$id]}" $((SECONDS - start)) "$id"
}

configs=$(for id in "${todo[@]}"; do printf '%s\n' ${tests[$id]}; done | sed 's/:.*//' | awk '!seen[$0]++')
for config in $configs; do
	# All faults that have a test there, whatever was chosen: it stays the same kernel.
	mapfile -t all < <(awk -F'\t' -v c="$config:" '$4 == "-" && index(" " $7, " " c) { print $2 }' "$tmp/faults")
	here=() useless=
	for id in "${todo[@]}"; do
		[ "${alone[$id]}" = - ] && [ -z "${outcome[$id]:-}" ] && [[ " ${tests[$id]}" == *" $config:"* ]] || continue
		here+=("$id")
	done
	if [ ${#here[@]} -gt 0 ]; then
		faulty mutants all "${all[@]}" || die "these faults do not apply to $rev"
		kernel "$config" mutants "${#all[@]} faults" || exit 1
		own=$("$TOP/tools/kernel.sh" --key "$config" mutants)
		# Without a fault all has to pass: what suites there are, in one boot each.
		while IFS= read -r name; do
			none+=("$(sum_of "$own" "$sum" "$name")")
			holds "${none[-1]}" none && continue
			start=$SECONDS
			try "$config" "$name" mutants 0 none
			if [ $seen = no ]; then
				keep "${none[-1]}" $((SECONDS - start)) none
			else
				say "$SELF: $config: $name does not pass without a fault: $why; log: $log"
				useless="$useless $config:${name%.*}."
			fi
		done < <(for id in "${here[@]}"; do printf '%s\n' ${tests[$id]}; done | sed -n "s/^$config://p" |
			sed 's/^\([^.]*\)\.[^.]*$/\1.*/' | sort -u)
		for id in "${here[@]}"; do
			run_of "$id" "$config" mutants "${number[$id]}"
		done
	fi
	for id in "${todo[@]}"; do
		[ "${alone[$id]}" = alone ] && [ -z "${outcome[$id]:-}" ] && [[ " ${tests[$id]}" == *" $config:"* ]] || continue
		faulty mutant one "$id" || die "$id does not apply to $rev"
		if [ "$config" = litmus ] || kernel "$config" mutant "$id alone"; then run_of "$id" "$config" mutant 0
		else log=$LOG/mutate/kernel-$config-mutant.log; end "$id" "does not build"; fi
	done
done
table
# Of older kernels and tests nothing needs to be known any more.
if [ -z "${TOPIC:-}${ID:-}" ] && [ "$rev" = series ]; then
	{
		for id in "${ids[@]}"; do [ -z "${tests[$id]}" ] || echo "${key[$id]} $id"; done
		printf '%s none\n' "${none[@]}"
	} | forget_others
fi
for id in "${ids[@]}"; do [ "${state[$id]:-}" = ok ] || exit 1; done
