#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds modules that Debian packages as DKMS against the base and the series.
. "$(dirname -- "$0")/lib.sh"

USAGE='tools/dkms.sh [PACKAGE...]

Each package of series/$BASE/dkms has to build against the series as it does against the
base, with the errors that gcc 14 has by default, with no new warning, and with no new
symbol that is exported to it by nobody. The kernels are configured by kconfig/dkms, but
not built: the exported symbols are taken from the text.

series/$BASE/dkms has lines
  PACKAGE | SUITE | VERSION | ARGUMENTS OF MAKE
where @src is the folder of the package, @work that of the kernel and @obj its object
folder.'
case ${1:-} in -*) usage "$USAGE" ;; esac
list=$SERIES/dkms
[ -f "$list" ] || die "series/$BASE/dkms is missing: the packages, their suites and versions"
lock_build
"$TOP/tools/deps.sh" build
"$TOP/tools/tree.sh"
temp_dir tmp

rows() { sed -e '/^#/d' -e '/^[[:space:]]*$/d' -e 's/[[:space:]]*|[[:space:]]*/|/g' -- "$list"; }
for p; do
	rows | cut -d'|' -f1 | grep -qxF -- "$p" ||
		die "series/$BASE/dkms has no $p; there are: $(rows | cut -d'|' -f1 | xargs)"
done
packages=()
while IFS='|' read -r p suite version words; do
	[ -n "$words" ] || die "series/$BASE/dkms: the line of $p is not PACKAGE | SUITE | VERSION | ARGUMENTS"
	[ $# -eq 0 ] || [[ " $* " == *" $p "* ]] || continue
	packages+=("$p|$version|$words")
	d=$BUILD/source/dkms/$p-$version
	[ ! -d "$d" ] || continue
	say "  $p of $suite"
	# If that version is gone, the newest one, and a note that says so.
	"$TOP/tools/fetch.sh" deb "$suite" "$p" "$version" "$tmp/deb" >/dev/null
	mkdir -p "$tmp/x" "$BUILD/source/dkms"
	dpkg-deb -x "$tmp"/deb/*.deb "$tmp/x"
	rm -rf -- "$d" "$tmp/deb"
	mv -- "$tmp/x" "$d"
done < <(rows)

# gcc 14 takes these for errors.
errors='-Werror=int-conversion -Werror=incompatible-pointer-types -Werror=implicit-function-declaration -Werror=implicit-int'

# undefined SRC COMMIT: symbols that its modules use and nothing exports to them.
undefined() {
	local m
	find "$1" -name '*.ko' -print0 | xargs -0 -r nm -u | awk 'NF == 2 { print $2 }' | sort -u >"$tmp/used"
	find "$1" -name '*.ko' -print0 | xargs -0 -r nm --defined-only | awk 'NF == 3 { print $3 }' | sort -u >"$tmp/own"
	kgit -C "$TREE" grep -hoE "EXPORT_(SYMBOL|TRACEPOINT_SYMBOL|STATIC_CALL)[A-Z_]*\([A-Za-z0-9_]+" "$2" >"$tmp/exports"
	# To a module that is not under the GPL.
	m=GPL
	for f in $(find "$1" -name '*.ko'); do
		modinfo -F license "$f" | grep -q GPL || m=other
	done
	[ $m = GPL ] || sed -i '/_GPL(/d' "$tmp/exports"
	comm -23 "$tmp/used" <(sed 's/.*(//' "$tmp/exports" | sort -u - "$tmp/own")
}

# build PACKAGE VERSION REV ARGUMENTS: leaves its outcome in $tmp/PACKAGE-REV.
build() {
	local p=$1 rev=$3 src log=$LOG/dkms-$1-$3.log rc=0 args
	src=$tmp/src
	rm -rf -- "$src"
	# Both revisions at the same place, since messages name it.
	cp -R "$(echo "$BUILD/source/dkms/$p-$2"/usr/src/*)" "$src"
	args=${4//@src/$src}; args=${args//@work/$WORK}; args=${args//@obj/$obj}
	read -ra args <<<"$args"
	watched "dkms $p, $rev" "$log" make -j"$(nproc)" ARCH=x86_64 CC="$cc" KBUILD_MODPOST_WARN=1 \
		KCFLAGS="$errors" "${args[@]}" || rc=$?
	if [ $rc -ne 0 ]; then
		grep -m 1 -E '(error|Error)[: ]' "$log" | sed "s,$src/,,g" >"$tmp/$p-$rev" || echo "make: exit status $rc" >"$tmp/$p-$rev"
		return 0
	fi
	{
		echo builds
		# That what it uses is not defined is told below.
		grep -E '(warning|WARNING): ' "$log" | grep -v 'modpost: ' | sed -e "s,$src/,,g" -e 's/:[0-9]*:[0-9]*:/:/' | sort -u || :
		undefined "$src" "$(rev_commit "$rev")" | sed 's/^/undefined: /'
		# What the package finds out about a kernel.
		if [ -d "$src/conftest" ]; then
			(cd "$src/conftest" && find . -maxdepth 1 -name '*.h' -print0 | sort -z | xargs -0 cat)
		fi
	} >"$tmp/$p-$rev"
}

cc=gcc
! command -v ccache >/dev/null || cc='ccache gcc'
# The base last: the checks that follow build it, too.
for rev in series base; do
	"$TOP/tools/kernel.sh" --prepare dkms "$rev" >"$tmp/make"
	obj=$(sed -n 's/^O=//p' "$tmp/make")
	for row in "${packages[@]}"; do
		IFS='|' read -r p version words <<<"$row"
		build "$p" "$version" "$rev" "$words"
	done
done

passed=0 failed=0
for row in "${packages[@]}"; do
	p=${row%%|*}
	read -r base <"$tmp/$p-base"
	read -r series <"$tmp/$p-series"
	if [ "$base" != builds ]; then
		echo "not ok $p does not build against the base: $base"
	elif [ "$series" != builds ]; then
		echo "not ok $p builds against the base, not with the series: $series"
	elif ! diff -U 0 "$tmp/$p-base" "$tmp/$p-series" >"$tmp/diff"; then
		echo "not ok $p finds another kernel with the series (-: base, +: series):"
		sed -n '/^[-+][^-+]/p' "$tmp/diff" | head -n 20 | sed 's/^/    /'
	else
		passed=$((passed + 1))
		echo "ok $p"
		continue
	fi
	failed=$((failed + 1))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
