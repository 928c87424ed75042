#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Shows that each posting passes alone on the base and on what it says that it needs.
. "$(dirname -- "$0")/lib.sh"

USAGE='[TOPIC=folder] [MINUTES=N] tools/alone.sh [--list|--apply|--objects]

For each posting (folder of series/$BASE) the patches of the postings that it needs,
then its own, are applied to the base, with no fuzz and nothing else in between, as a
maintainer does. Of that tree
  objects     the C files that the posting touches compile without a warning (W=1)
  tests       what series/$BASE/postings names for it

--list prints the postings in order: folder, what it needs, directly or not. --apply
only applies the patches, --objects also compiles, and runs no test.

series/$BASE/postings has a line for each folder, in the order of series/$BASE/series:
  FOLDER | TREE | NEEDS | WHAT IT FIXES | TESTS
TREE is where it is taken, NEEDS are folders that come before it, or "-". TESTS are
separated by ";", each is "kunit CONFIG [PATTERN]" (tools/kunit.sh) or "vm CONFIG
[PATTERN]" (tools/vm-test.sh), or "-" and the reason why there is none.

What passed is kept in series/$BASE/verdicts-alone with a key of all that it depends on.
Exit status: 0 all passed, 1 one failed, 3 MINUTES are over and some are left.'
only=
case $#${1:-} in
0)	;;
1--list|1--apply|1--objects) only=${1#--} ;;
*)	usage "$USAGE" ;;
esac
list=$SERIES/postings
[ -f "$list" ] || die "series/$BASE/postings is missing: what each posting needs, and its tests"
VERDICTS=$SERIES/verdicts-alone
. "$TOP/tools/lib-verdicts.sh"

# --- the list -----------------------------------------------------------------------
declare -A needs=() tests=()
order=
while IFS='|' read -r t tree n what run; do
	read -r t <<<"$t"; read -r tree <<<"$tree"; read -r n <<<"$n"; read -r what <<<"$what"; read -r run <<<"$run"
	[ -n "$run" ] && [ -n "$what" ] && [ -n "$tree" ] ||
		die "series/$BASE/postings: the line of $t is not FOLDER | TREE | NEEDS | WHAT IT FIXES | TESTS"
	[ -z "${tests[$t]:-}" ] || die "series/$BASE/postings names $t twice"
	if [ "$n" = - ]; then n=; fi
	for p in $n; do
		[ -n "${tests[$p]:-}" ] || die "series/$BASE/postings: $t needs $p, which does not come before it"
	done
	needs[$t]=$n tests[$t]=$run
	order+=$t$'\n'
done < <(sed -e '/^#/d' -e '/^[[:space:]]*$/d' "$list")
diff <(printf '%s' "$order") <(series_topics) >&2 ||
	die "series/$BASE/postings does not have the folders of series/$BASE/series in their order"
[ -z "${TOPIC:-}" ] || [ -n "${tests[$TOPIC]:-}" ] || die "TOPIC=$TOPIC is unknown; there are: $(series_topics | xargs)"

# all_needs FOLDER: what it needs, directly or not, in the order of the series.
all_needs() {
	local p
	for p in ${needs[$1]}; do all_needs "$p"; echo "$p"; done | sort -u |
		grep -xF -f - <(printf '%s' "$order") || :
}
chosen() { [ -z "${TOPIC:-}" ] || [ "$1" = "$TOPIC" ]; }
if [ "$only" = list ]; then
	for t in $order; do ! chosen "$t" || echo "$t: $(all_needs "$t" | xargs)"; done
	exit 0
fi
lock_build
"$TOP/tools/tree.sh"
temp_dir tmp

# --- one tree for each ----------------------------------------------------------------
# put FOLDER: its patches, upon the index. Applied, not picked: with the context that a
# mail has.
put() {
	local p
	# All in one call, since each writes the index; one by one to name what does not apply.
	series_patches | grep "^$1/" | sed "s,^,$SERIES/," |
		xargs -d '\n' git -C "$TREE" apply --cached --whitespace=nowarn 2>"$tmp/err" && return 0
	while IFS= read -r p; do
		kgit -C "$TREE" apply --cached --whitespace=nowarn "$SERIES/$p" 2>"$tmp/err" || {
			echo "$p does not apply: $(head -n 1 "$tmp/err")"
			return 1
		}
	done < <(series_patches | grep "^$1/")
}
commit() {	# commit REF PARENT MESSAGE
	local c
	c=$(echo "$3" | GIT_AUTHOR_NAME=$GIT_COMMITTER_NAME GIT_AUTHOR_EMAIL=$GIT_COMMITTER_EMAIL \
		GIT_AUTHOR_DATE="2000-01-01T00:00:00Z" GIT_COMMITTER_DATE="2000-01-01T00:00:00Z" \
		kgit -C "$TREE" commit-tree "$(kgit -C "$TREE" write-tree)" -p "$2")
	kgit -C "$TREE" update-ref "refs/series/$1" "$c"
	echo "$c"
}
# make_tree FOLDER: refs/series/needs-FOLDER and refs/series/alone-FOLDER
make_tree() {
	local p c
	export GIT_INDEX_FILE=$tmp/index
	rm -f -- "$GIT_INDEX_FILE"
	kgit -C "$TREE" read-tree base
	for p in $(all_needs "$1"); do put "$p" || return 1; done
	c=$(commit "needs-$1" base "what $1 needs") || return 1
	put "$1" || return 1
	commit "alone-$1" "$c" "$1" >/dev/null
	unset GIT_INDEX_FILE
}

passed=0 kept=0 failed=0 left=() jobs=()
result() {	# result NAME KEY COMMAND...
	local name=$1 key=$2 start=$SECONDS rc=0 log
	shift 2
	jobs+=("$key $name")
	if holds "$key" "$name"; then kept=$((kept + 1)); return; fi
	if ! fits "$(usual 120 "$name")"; then left+=("$name"); return; fi
	log=$LOG/alone/$(printf '%s' "$name" | tr -c 'A-Za-z0-9.\n' -).log
	watched "$name" "$log" "$@" || rc=$?
	case $rc in
	0)	keep "$key" $((SECONDS - start)) "$name"
		passed=$((passed + 1))
		echo "ok $name ($((SECONDS - start)) s)" ;;
	124)	left+=("$name") ;;
	130)	exit 130 ;;
	*)	failed=$((failed + 1))
		echo "not ok $name ($((SECONDS - start)) s)  log: $log" ;;
	esac
}
objects_tools=$(tools_sum tools/objects.sh)
tests_tools=$(tools_sum tools/kunit.sh tools/kselftest.sh tools/vm-test.sh tools/vm.sh)$(vmtest_sum vmtest.sh vmtest/{init.c,console.awk,ksft.sh,kunit.sh})
kselftest=$(kgit -C "$TREE" rev-parse -q --verify series:tools/testing/selftests || :)
for t in $order; do
	chosen "$t" || continue
	if ! make_tree "$t" >"$tmp/why"; then
		unset GIT_INDEX_FILE
		failed=$((failed + 1))
		echo "not ok $t apply  $(cat "$tmp/why")"
		continue
	fi
	if [ "$only" = apply ]; then
		passed=$((passed + 1))
		echo "ok $t apply, on $(all_needs "$t" | xargs | sed 's/^$/the base/')"
		continue
	fi
	key=$("$TOP/tools/objects.sh" --key "alone-$t")
	[ -z "$key" ] || result "$t objects" "$(sum_of "$key" "$objects_tools")" "$TOP/tools/objects.sh" "alone-$t"
	case $only${tests[$t]} in objects*|-*) continue ;; esac
	while IFS= read -r words; do
		read -ra word <<<"$words"
		case ${word[0]}${#word[@]} in
		kunit2|kunit3) run=kunit.sh ;;
		vm2|vm3)	run=vm-test.sh ;;
		*)	die "series/$BASE/postings: $t: '$words' is not a test" ;;
		esac
		key=$("$TOP/tools/kernel.sh" --key "${word[1]}" "alone-$t")
		result "$t $words" "$(sum_of "$key" "$kselftest" "$tests_tools" "$words")" \
			"$TOP/tools/$run" "${word[1]}" "alone-$t" "${word[@]:2}"
		rm -rf -- "$KERNELS/${word[1]}-alone-$t"
	done < <(tr ';' '\n' <<<"${tests[$t]}")
done
[ -n "$only${TOPIC:-}" ] || printf '%s\n' "${jobs[@]}" | forget_others
[ ${#left[@]} -eq 0 ] || { printf 'left for the next time: '; printf '%s, ' "${left[@]}" | sed 's/, $/\n/'; }
echo "$((passed + kept)) passed ($kept of them before), $failed failed, ${#left[@]} left"
[ $failed -eq 0 ] || exit 1
[ ${#left[@]} -eq 0 ] || exit 3
[ $((passed + kept)) -gt 0 ]
