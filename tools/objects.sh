#!/bin/bash
# Compiles, with W=1 and warnings made errors, the C files that the series (or
# patch NUMBER) touches, with the configuration kconfig/drivers, and what x86
# cannot compile with kconfig/drivers-arm64 by the cross compiler.
. "$(dirname -- "$0")/lib.sh"

USAGE='tools/objects.sh [--key] series|NUMBER|alone-TOPIC
  --key  only prints a sum of all that the result depends on'
key=
if [ "${1:-}" = --key ]; then key=yes; shift; fi
[ $# -eq 1 ] || usage "$USAGE"
case $1 in series|[0-9]*|alone-*) ;; *) usage "$USAGE" ;; esac
rev=$1
known_rev "$rev"
lock_build
temp_dir tmp
[ -n "$key" ] || "$TOP/tools/deps.sh" build
to=$(rev_commit "$rev") || die "no revision '$rev'; say series or a patch's number"
case $rev in
series)	from=$(rev_commit base) ;;
alone-*) from=$(rev_commit "needs-${rev#alone-}") ;;
*)	from=$(rev_commit $((rev - 1))) ;;
esac

mapfile -t files < <(kgit -C "$TREE" diff --name-only --diff-filter=d "$from" "$to" -- '*.c' |
	objects_of "$rev")

# What the compiler reads for these files: what is common to all, the folders of their
# drivers, and beside files of drivers/gpu/drm itself. As an extended regular expression.
reads='((.*/)?Kconfig[^/]*|([^/]*/){0,3}(Makefile|Kbuild)|(arch|include|init|kernel|lib|scripts|tools/(arch|build|include|lib|objtool))/.*'
for f in "${files[@]}"; do
	case $f in
	drivers/gpu/drm/*/*)	reads+="|$(cut -d/ -f1-4 <<<"$f")/.*" ;;
	drivers/gpu/drm/*)	reads+="|drivers/gpu/drm/[^/]*" ;;
	*)			reads+="|$(dirname "$f" | cut -d/ -f1-3)/.*" ;;
	esac
done
reads+=')'
if [ -n "$key" ]; then
	[ ${#files[@]} -gt 0 ] || exit 0	# nothing to compile, no key
	{
		printf '%s\n' "${files[@]}"
		kgit -C "$TREE" ls-tree -r "$to" | grep -E "	$reads\$"
		for cc in gcc aarch64-linux-gnu-gcc; do
			"$cc" --version 2>/dev/null | head -n 1 || :
		done
		cat "$TOP"/kconfig/drivers* "$TOP/kconfig/$BASE"/{drivers*,without} 2>/dev/null || :
	} | sha256sum | cut -c 1-16
	exit 0
fi
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
	x86)	x86_objects+=("$(object_of "$f")") ;;
	arm)	arm_objects+=("$(object_of "$f")") ;;
	esac
done

compile() {	# compile CONFIG OBJECT...
	local config=$1 words
	shift
	[ $# -gt 0 ] || return 0
	words=$("$TOP/tools/kernel.sh" --prepare "$config" "$rev") || return 1
	mapfile -t make <<<"$words"
	# Not KCFLAGS: scripts/kernel-doc of 6.12 takes that for its own warnings.
	logged "objects-$config-$rev" "${make[@]}" -k W=1 KCPPFLAGS=-Werror "$@" || return 1
	# --key has to name all that was read.
	local obj o other
	obj=$(printf '%s\n' "${make[@]}" | sed -n 's/^O=//p')
	for o; do printf '%s/%s/.%s.cmd\0' "$obj" "$(dirname "$o")" "$(basename "$o")"; done >"$tmp/cmds"
	other=$(xargs -0 grep -hoE "^  ([^ ]*/)?work/[^ ]*" <"$tmp/cmds" | sed -E 's,^.*[ /]work/,,' |
		grep -vxE "$reads" | head -n 1 || :)
	[ -z "$other" ] || die "the objects of $rev read $other; tools/objects.sh has to say so (reads=)"
}
err=0
compile drivers "${x86_objects[@]}" || err=1
compile drivers-arm64 "${arm_objects[@]}" || err=1
[ $err -eq 0 ] || exit 1
say "${#files[@]} files compile without a warning"
