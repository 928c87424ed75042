#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds and tests after every patch.
. "$(dirname -- "$0")/lib.sh"

USAGE='[TOPIC=folder] [MINUTES=N] tools/bisect.sh [FIRST [LAST]]   (numbers of patches; default all)

After each patch, of the tree at that commit:
  kunit       the KUnit suites of dma-buf on UML, or as modules in the VM where
              series/$BASE/expected has them there
  xe          the suites of xe on UML, for patches of the topics xe and xe-fixes
  kselftest   in the VM, of vgem and of displays, for patches of the kselftest
  objects     the C files that the patch touches compile without a warning (W=1)

A part that passed is kept in series/$BASE/verdicts with a key of all that it depends
on: what the build reads of the tree at that commit, the configuration, the compiler
and the text of the tools that test it. It is run again only when one of them changes.
Exit status: 0 all parts hold, 1 one failed, 3 MINUTES are over and some are left.'
case ${1:-} in -*) usage "$USAGE" ;; esac
[ $# -le 2 ] || usage "$USAGE"
total=$(series_patches | wc -l)
first=${1:-1} last=${2:-$total}
case $first$last in *[!0-9]*) usage "$USAGE" ;; esac
[ "$first" -ge 1 ] && [ "$last" -le "$total" ] && [ "$first" -le "$last" ] ||
	die "there are patches 1 to $total"
[ -z "${TOPIC:-}" ] || series_topics | grep -qxF -- "$TOPIC" ||
	die "TOPIC=$TOPIC is unknown; there are: $(series_topics | xargs)"
VERDICTS=$SERIES/verdicts
. "$TOP/tools/lib-verdicts.sh"
lock_build
"$TOP/tools/tree.sh"

# Where DRM drivers issue or hold the fence.
displays='vgem|^(global|kms|rebind)[.]'
# What tests each part.
uml_tools=$(tools_sum tools/kunit.sh)$(vmtest_sum vmtest/console.awk)
vm_tools=$(tools_sum tools/kselftest.sh tools/vm-test.sh tools/vm.sh)$(vmtest_sum vmtest.sh vmtest/{init.c,console.awk,ksft.sh,kunit.sh})
objects_tools=$(tools_sum tools/objects.sh)
where=uml
! grep -q '^kunit-vm ' "$SERIES/expected" || where=vm

# add NAME KEY COMMAND...: a part of patch $n.
names=() keys=() numbers=() commands=()
add() {
	names+=("$1") keys+=("$(sum_of "$2" "$3 ${6:-}")") numbers+=("$n")
	shift 2
	commands+=("$*")
}
# key_of SCRIPT [CONFIG]: its --key for patch $n. Remembered for these trees, as it takes
# half a second.
mkdir -p "$BUILD/keys"
fixed=$(sum_of "$(tools_sum tools/objects.sh)" "$(cd "$TOP" && find kconfig -type f -print0 | sort -z | xargs -0 cat)" \
	"$(compilers)" "$(kgit -C "$TREE" rev-parse -q --verify series:tools/testing/selftests || :)")
key_of() {
	local file
	file=$BUILD/keys/$(sum_of "$fixed" "$*" "$(kgit -C "$TREE" rev-parse \
		"$(rev_commit "$n")^{tree}" "$(rev_commit $((n - 1)))^{tree}")")
	if [ ! -f "$file" ]; then
		"$TOP/tools/$1" --key "${@:2}" "$n" >"$file.new" ||
			die "tools/$1 has no key for patch $n"
		mv -- "$file.new" "$file"
	fi
	cat -- "$file"
}
# vm_key REV: of the VM, with the kselftest of that revision, "-" if it is not run.
vm_key() {
	local kernel commit text=
	kernel=$(key_of kernel.sh vm) || return 1
	if [ "$1" != - ]; then
		commit=$(rev_commit "$1")
		text=$(kgit -C "$TREE" rev-parse "$commit:tools/testing/selftests" "$commit:include/uapi") || return 1
	fi
	sum_of "${text:+kselftest}" "$kernel" "$text" "$vm_tools"
}

mapfile -t patches < <(series_patches)
head=$(kgit -C "$TREE" rev-parse series)
say "  what holds already …"
for ((n = first; n <= last; n++)); do
	p=${patches[$((n - 1))]}
	[ -z "${TOPIC:-}" ] || [ "${p%%/*}" = "$TOPIC" ] || continue
	if [ $where = vm ]; then
		key=$(vm_key -)
		add "kunit vm" "$key" vm-test.sh vm "$n" modules
	else
		key=$(key_of kernel.sh uml)
		add "kunit uml" "$(sum_of "$key" "$uml_tools")" kunit.sh uml "$n"
	fi
	# xe_rtp provokes warnings on purpose.
	case $p in
	xe/*|xe-fixes/*)
		key=$(key_of kernel.sh uml-debug)
		add "xe uml-debug" "$(sum_of "$key" "$uml_tools")" kunit.sh uml-debug "$n" 'xe_[!r]*' ;;
	selftests*/*)
		key=$(vm_key "$n")
		add "kselftest vm" "$key" vm-test.sh vm "$n" "$displays" ;;
	esac
	# None if it touches no C file.
	key=$(key_of objects.sh)
	[ -z "$key" ] || add objects "$(sum_of "$key" "$objects_tools")" objects.sh "$n"
done

# rest FROM: how long the parts from that one on will take; a key counts once.
rest() {
	local i sum=0 s=
	local -A seen=() time=()
	for ((i = $1; i < ${#names[@]}; i++)); do
		holds "${keys[$i]}" "${names[$i]}" || [ -n "${seen[${keys[$i]}]:-}" ] && continue
		seen[${keys[$i]}]=yes
		s=${time[${names[$i]}]:-}
		[ -n "$s" ] || s=$(usual 90 "${names[$i]}")
		time[${names[$i]}]=$s
		sum=$((sum + s))
	done
	echo $sum
}

count=${#names[@]} passed=0 kept=0 failed=0 left=()
declare -A failed_at=()
for ((i = 0; i < count; i++)); do
	name=${names[$i]} key=${keys[$i]} n=${numbers[$i]}
	title="$n ${name%% *} ${patches[$((n - 1))]%.patch}"
	if holds "$key" "$name"; then
		kept=$((kept + 1))
		continue
	fi
	if [ -n "${failed_at[$key]:-}" ]; then
		failed=$((failed + 1))
		echo "not ok $title (the same as after patch ${failed_at[$key]})"
		continue
	fi
	if [ ${#left[@]} -gt 0 ] || ! fits "$(usual 90 "$name")"; then
		left+=("$n ${name%% *}")
		continue
	fi
	log=$LOG/bisect/$(printf '%s' "$title" | tr -c 'A-Za-z0-9.\n' -).log
	start=$SECONDS rc=0
	read -ra words <<<"${commands[$i]}"
	watched "$title" "$log" "$TOP/tools/${words[0]}" "${words[@]:1}" || rc=$?
	case $rc in
	0)	# It may be the tree that somebody works in.
		[ "$(kgit -C "$TREE" rev-parse series)" = "$head" ] ||
			die "the commits of $TREE have changed meanwhile; call it again"
		keep "$key" $((SECONDS - start)) "$name"
		passed=$((passed + 1))
		echo "ok $title ($((SECONDS - start)) s; $((i + 1)) of $count, about $(minutes "$(rest $((i + 1)))") left)" ;;
	124)	left+=("$n ${name%% *}") ;;
	130)	exit 130 ;;
	*)	failed=$((failed + 1))
		failed_at[$key]=$n
		echo "not ok $title ($((SECONDS - start)) s)  log: $log" ;;
	esac
	# Only the summary is needed later.
	[ "$n" = "$total" ] || rm -rf "$KERNELS"/{uml,uml-debug,vm}-"$n" "$BUILD/kselftest-$n"
done
# When all of the series was asked for, what no patch of it depends on is forgotten.
if [ "$first-$last${TOPIC:-}" = "1-$total" ]; then
	for ((i = 0; i < count; i++)); do echo "${keys[$i]} ${names[$i]}"; done | forget_others
fi
if [ ${#left[@]} -gt 0 ]; then
	say "left for the next time, about $(minutes "$(rest 0)"):"
	printf '%s, ' "${left[@]}" | sed 's/, $/\n/' | fold -s -w 76 | sed 's/^/  /' >&2
fi
echo "$((passed + kept)) passed ($kept of them before), $failed failed, ${#left[@]} left"
[ $failed -eq 0 ] || exit 1
[ ${#left[@]} -eq 0 ] || exit 3
[ $((passed + kept)) -gt 0 ]
