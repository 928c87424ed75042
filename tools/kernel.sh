#!/bin/bash
# Builds a kernel: CONFIG names kconfig/CONFIG, REV is base, tests, series, wip (the
# work tree of build/$BASE/linux as it is) or the number of a patch. Leaves
# build/$BASE/kernel/CONFIG-REV/ with
#   config, linux (UML) or bzImage, vmlinux, modules/ (a modules_install tree), stamp
# and does nothing when the stamp says that nothing it depends on has changed.
# Prints the folder. With --prepare only makes another object folder ready in
# which single objects can be compiled, and prints the make command for that, one
# word per line. With --key only prints a sum of all that the result depends on.
#
# kconfig/CONFIG: lines of a .config, over allnoconfig, then those of
# kconfig/$BASE/CONFIG, if there is one; a later line wins. An option named in
# kconfig/$BASE/without is left out if the kernel has no such option. And
#   #include NAME     the lines of kconfig/NAME first
#   #vmtest NAME      then those of vmtest/NAME, beside the vmtest.sh of the series
#   #arch um          the architecture (um, x86_64, arm64; default x86_64)
#   #target T...      what make builds (default: linux, bzImage modules or Image modules;
#                     "modules" alone only compiles them, nothing is kept)
#   #unread PATH...   folders and files that the build does not read, but for their
#                     Kconfig and topmost Makefile: a change there makes no new kernel. Checked after
#                     the build. Not taken over by #include.
#   #module FOLDER    also build this out-of-tree module, of the project, or of
#                     the series' tree (for every REV but wip, from the series' text)
. "$(dirname -- "$0")/lib.sh"

USAGE="tools/kernel.sh [--prepare|--key] CONFIG base|tests|series|wip|NUMBER"
prepare='' key=''
case ${1:-} in
--prepare) prepare=yes; shift ;;
--key)	key=yes; shift ;;
esac
[ $# -eq 2 ] || usage "$USAGE"
config=$1 rev=$2
case $config in *[!A-Za-z0-9._-]*|''|.*) usage "$USAGE" ;; esac
[ -f "$TOP/kconfig/$config" ] ||
	die "no kconfig/$config; there are: $(cd "$TOP/kconfig" && echo *)"
lock_build
known_rev "$rev"
[ -d "$TREE" ] || "$TOP/tools/tree.sh"
commit=$(rev_commit "$rev") || die "no revision '$rev'; say base, tests, series, wip or a patch's number"
[ -n "$key" ] || "$TOP/tools/deps.sh" build

out=$KERNELS/$config-$rev
obj=$BUILD/obj/$config${prepare:+-single}
temp_dir tmp
# The faults of mutate.sh are in headers, too: in folders of their own the other
# kernels need not be built again.
case $rev in mutant|mutants)
	WORK=$BUILD/mutate/work obj=$BUILD/mutate/obj/$config
	mkdir -p "$BUILD/mutate/obj" ;;
esac

# --- the fragment, includes first ----------------------------------------------
expand() {
	local name
	[ -f "$TOP/kconfig/$1" ] || die "kconfig/$1 is included but not there"
	case " $seen " in *" $1 "*) return 0 ;; esac
	seen="$seen $1"
	while read -r name; do expand "$name"; done < <(sed -n 's/^#include[[:space:]]*//p' "$TOP/kconfig/$1")
	while read -r name; do
		cat -- "$(vmtest)/vmtest/$name"
	done < <(sed -n 's/^#vmtest[[:space:]]*//p' "$TOP/kconfig/$1")
	grep -v '^#include\|^#vmtest' "$TOP/kconfig/$1" || :
	[ ! -f "$TOP/kconfig/$BASE/$1" ] || cat "$TOP/kconfig/$BASE/$1"
}
seen=
expand "$config" >"$tmp/all"
arch=$(sed -n 's/^#arch[[:space:]]*//p' "$tmp/all" | tail -n 1)
arch=${arch:-x86_64}
targets=$(sed -n 's/^#target[[:space:]]*//p' "$tmp/all" | tail -n 1)
modules=$(sed -n 's/^#module[[:space:]]*//p' "$tmp/all")
if [ -f "$TOP/kconfig/$BASE/without" ]; then
	# Of those that are asked for, which the kernel does not have.
	grep -oE '^CONFIG_[A-Za-z0-9_]+=' "$tmp/all" | sed 's/^CONFIG_//; s/=$//' |
		grep -xF -f <(grep -v '^#' "$TOP/kconfig/$BASE/without") | sort -u >"$tmp/asked" || :
	if [ -s "$tmp/asked" ]; then
		kgit -C "$TREE" grep -hE "^config ($(paste -sd'|' "$tmp/asked"))\$" "$commit" -- '*/Kconfig*' \
			>"$tmp/found" || [ $? -eq 1 ] || die "git cannot search the Kconfig files of $rev"
		sed 's/^config //' "$tmp/found" | sort -u >"$tmp/has"
		while read -r s; do
			sed -i "/^CONFIG_$s=/d" "$tmp/all"
		done < <(comm -23 "$tmp/asked" "$tmp/has")
	fi
fi
# A later line wins over an earlier one of the same symbol.
awk '{ sub(/[[:space:]]+$/, "") }
     /^CONFIG_[A-Za-z0-9_]+=/ { split($0, a, "="); s = a[1] }
     /^# CONFIG_[A-Za-z0-9_]+ is not set$/ { s = $2 }
     s != "" { if (!(s in v)) order[n++] = s; v[s] = $0; s = "" }
     END { for (i = 0; i < n; i++) print v[order[i]] }' "$tmp/all" |
	sed 's/^\(CONFIG_[A-Za-z0-9_]*\)=n$/# \1 is not set/' >"$tmp/fragment"

cross=
case $arch in
um)	targets=${targets:-linux} ;;
x86_64)	targets=${targets:-bzImage modules} ;;
arm64)	targets=${targets:-Image modules} cross=aarch64-linux-gnu- ;;
*)	die "kconfig/$config: arch $arch is not known here" ;;
esac
cc=${cross}gcc
command -v "$cc" >/dev/null || die "no $cc; install gcc-aarch64-linux-gnu"

# The modules of the tests are those of the series, for wip those of the work tree.
text=series
[ "$rev" != wip ] || text=$commit

# --- is it current? --------------------------------------------------------------
module_path() { [ -d "$TOP/$1" ] && echo "$TOP/$1"; }
{
	echo "inputs $(inputs "$config" "$commit")"
	echo "compiler $("$cc" --version | head -n 1)"
	echo "arch $arch targets $targets"
	for m in $modules; do
		if [ -d "$TOP/$m" ]; then
			echo "module $m $(cd "$TOP/$m" && cat -- * 2>/dev/null | sha256sum)"
		else
			id=$(kgit -C "$TREE" rev-parse -q --verify "$text:$m") ||
				die "kconfig/$config: no folder $m in the project or in the series"
			echo "module $m $id"
		fi
	done
	cat "$tmp/fragment"
} >"$tmp/stamp"
if [ -n "$key" ]; then
	sha256sum <"$tmp/stamp" | cut -c 1-16
	exit 0
fi
# check.sh builds some kernels ahead: who comes second waits for the first.
mkdir -p "$BUILD/obj"
exec 7>"$obj.lock"
flock 7
if [ -z "$prepare" ] && cmp -s "$tmp/stamp" "$out/stamp"; then
	echo "$out"
	exit 0
fi

# --- build -----------------------------------------------------------------------
free=$(df -Pk -- "$BUILD" | awk 'NR == 2 { print int($4 / 1048576) }')
[ "$free" -ge 2 ] ||
	die "only $free GB are free for $BUILD, a kernel needs 2; make room or set BUILD_DIR=/another/folder"
checkout_work "$rev"
mkdir -p "$obj" "$KERNELS"

if command -v ccache >/dev/null; then
	cc="ccache $cc"
	# kbuild asks for the dependencies anyway: with them ccache need not preprocess,
	# which takes a third of the time of an empty cache.
	export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$BUILD} CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
fi
# The same text always makes the same kernel.
export KBUILD_BUILD_TIMESTAMP="2000-01-01" KBUILD_BUILD_USER=series KBUILD_BUILD_HOST=localhost
export KBUILD_BUILD_VERSION=1
make=(make -C "$WORK" -j"$(nproc)" O="$obj" ARCH="$arch" CC="$cc" ${cross:+CROSS_COMPILE="$cross"})
kmake() { "${make[@]}" "$@"; }

make_config() {
	KCONFIG_ALLCONFIG=$tmp/fragment kmake KCONFIG_CONFIG="$tmp/config" allnoconfig || return 1
	# Every line asked for must be in the result.
	local bad=0 line s
	while IFS= read -r line; do
		case $line in
		"# "*)	s=${line#\# }; s=${s%% *}
			! grep -q "^$s=[^n]" "$tmp/config" || { echo "not honoured: $line"; bad=1; } ;;
		*)	grep -qxF -- "$line" "$tmp/config" || { echo "not honoured: $line"; bad=1; } ;;
		esac
	done <"$tmp/fragment"
	[ $bad -eq 0 ]
}
[ -n "$prepare" ] || say "kernel $config, $rev ($arch)"
# The configuration made before is taken again if all that it depends on is the same.
{
	sed -n '/^compiler /p; /^arch /p' "$tmp/stamp"
	kgit -C "$TREE" ls-tree -r "$commit" |
		grep -E '	((.*/)?Kconfig[^/]*|Makefile|scripts/.*|arch/[^/]*/Makefile.*)$'
	cat "$tmp/fragment"
} >"$tmp/config-stamp"
if cmp -s "$tmp/config-stamp" "$obj.config-stamp"; then
	cp "$obj.config" "$tmp/config"
else
	logged "config-$config-$rev" make_config || {
		grep '^not honoured' "$LOG/config-$config-$rev.log" >&2 || exit 1
		die "kconfig/$config requests options that are not in the final .config"
	}
	rm -f "$obj.config-stamp"
	cp "$tmp/config" "$obj.config"
	cp "$tmp/config-stamp" "$obj.config-stamp"
fi
cmp -s "$tmp/config" "$obj/.config" || cp "$tmp/config" "$obj/.config"

if [ -n "$prepare" ]; then
	logged "prepare-$config-$rev" kmake prepare modules_prepare || exit 1
	printf '%s\n' "${make[@]}"
	exit 0
fi

# shellcheck disable=SC2086
logged "build-$config-$rev" kmake $targets || exit 1

# What "#unread" says has to be true. The paths are relative where ccache makes them so.
read_after_all() {
	local paths
	paths=$(unread "$config" | xargs -n 1 | sed 's,[.],\\.,g' | paste -sd'|')
	[ -n "$paths" ] || return 0
	find "$obj" -name '.*.o.cmd' -print0 |
		xargs -0 grep -hoE "(^  |^source_.* := )([^ ]*/)?work/($paths)(/[^ ]*)?( |\$)" |
		sed -E 's,^.*[ /]work/,,' | head -n 1
}
bad=$(read_after_all || :)
[ -z "$bad" ] || die "kconfig/$config says #unread, but the build reads $bad; correct that line"

# --- put the result aside, in a temporary name ------------------------------------
temp_dir new
cp "$obj/.config" "$new/config"
case $arch in
um)	cp "$obj/linux" "$new/linux" ;;
x86_64)	[ ! -f "$obj/arch/x86/boot/bzImage" ] || cp "$obj/arch/x86/boot/bzImage" "$new/" ;;
esac
[ ! -f "$obj/vmlinux" ] || cp "$obj/vmlinux" "$new/vmlinux"
if grep -q '^CONFIG_MODULES=y' "$obj/.config" && [[ " $targets " == *" modules "* && $targets != modules ]]; then
	logged "modules-$config-$rev" kmake INSTALL_MOD_PATH="$new/modules" modules_install || exit 1
	for m in $modules; do
		d=$obj-modules/$(basename "$m")
		rm -rf "$d"; mkdir -p "$d"
		if [ -d "$TOP/$m" ]; then
			cp -R "$TOP/$m/." "$d/"
		else
			kgit -C "$TREE" archive "$text:$m" | tar -xf - -C "$d"
		fi
		# Not in one call: with -j it would install before there is something.
		logged "module-$(basename "$m")-$config-$rev" kmake M="$d" modules || exit 1
		logged "module-$(basename "$m")-install-$config-$rev" kmake M="$d" \
			INSTALL_MOD_PATH="$new/modules" modules_install || exit 1
	done
	rm -f "$new"/modules/lib/modules/*/build "$new"/modules/lib/modules/*/source
fi
cp "$tmp/stamp" "$new/stamp"
rm -rf "$out"
mv "$new" "$out"
echo "$out"
