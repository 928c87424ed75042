#!/bin/bash
# Compiles, with W=1 and warnings made errors, the C files that the series (or
# patch NUMBER) touches, with the configuration kconfig/drivers, and what x86
# cannot compile with kconfig/drivers-arm64 by the cross compiler.
. "$(dirname -- "$0")/lib.sh"

USAGE="tools/objects.sh series|NUMBER"
[ $# -eq 1 ] || usage "$USAGE"
case $1 in -*) usage "$USAGE" ;; esac
rev=$1
lock_build
"$TOP/tools/deps.sh" build
to=$(rev_commit "$rev") || die "no revision '$rev'; say series or a patch's number"
case $rev in
series)	from=$(rev_commit base) ;;
[0-9]*)	from=$(rev_commit $((rev - 1))) ;;
*)	usage "$USAGE" ;;
esac

mapfile -t files < <(kgit -C "$TREE" diff --name-only --diff-filter=d "$from" "$to" -- '*.c' |
	objects_of "$rev")
if [ ${#files[@]} -eq 0 ]; then
	say "$rev touches no C file"
	exit 0
fi

# A line "#files GLOB..." in kconfig/drivers-arm64 names what x86 cannot compile.
arm=$TOP/kconfig/drivers-arm64
x86_objects=() arm_objects=()
for f in "${files[@]}"; do
	to=x86
	if [ -f "$arm" ]; then
		for glob in $(sed -n 's/^#files[[:space:]]*//p' "$arm"); do
			# shellcheck disable=SC2053
			[[ $f != $glob ]] || to=arm
		done
	fi
	case $to in
	x86)	x86_objects+=("${f%.c}.o") ;;
	arm)	arm_objects+=("${f%.c}.o") ;;
	esac
done

compile() {	# compile CONFIG OBJECT...
	local config=$1 words
	shift
	[ $# -gt 0 ] || return 0
	words=$("$TOP/tools/kernel.sh" --prepare "$config" "$rev") || return 1
	mapfile -t make <<<"$words"
	# Not KCFLAGS: scripts/kernel-doc of 6.12 takes that for its own warnings.
	logged "objects-$config-$rev" "${make[@]}" -k W=1 KCPPFLAGS=-Werror "$@"
}
err=0
compile drivers "${x86_objects[@]}" || err=1
compile drivers-arm64 "${arm_objects[@]}" || err=1
[ $err -eq 0 ] || exit 1
say "${#files[@]} files compile without a warning"
