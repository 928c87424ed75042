#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Writes the series for a packager of src:linux: build/$BASE/debian/patches/ has the
# patches, with DEP-3 fields, in features/all/dma-fence/, and `series`, which is to be
# added to that of the package.
#
# What is there works: quilt applies the patches, without fuzz, to the source package as
# Debian ships it, the result is the tree of the series, and bindeb-pkg of kconfig/minimal
# makes packages of it, which are kept beside the patches.
#
# Applied-Upstream names the commits of a paragraph "Mainline did this in commit ..." of
# the message.
BASE=${BASE:-linux-6.12.y}
. "$(dirname -- "$0")/lib.sh"
. "$TOP/tools/lib-tree.sh"

[ $# -eq 0 ] || usage "[BASE=linux-6.12.y] tools/debian.sh"
case $BASE in linux-*) ;; *) die "make debian is for the series that distributions take: BASE=linux-6.12.y" ;; esac
[ -z "${KERNEL_SRC:-}" ] || die "make debian is for the source package of Debian; leave out KERNEL_SRC="
lock_build
rm -rf -- "$BUILD/debian"
"$TOP/tools/deps.sh" debian
"$TOP/tools/tree.sh"
package=$(base_field package) key=$(state_field source)
tarball=$BUILD/source/$package.tar.xz
[ -f "$tarball" ] && [ "$(sha256sum <"$tarball" | cut -d' ' -f1)" = "${key##* }" ] ||
	die "$TREE was made from $key, not from $tarball; make distclean first"
free=$(df -Pk -- "$BUILD" | awk 'NR == 2 { print int($4 / 1048576) }')
[ "$free" -ge 4 ] ||
	die "only $free GB are free for $BUILD, make debian needs 4; make room or set BUILD_DIR=/another/folder"

# --- the patches -------------------------------------------------------------------
# dep3 PATCH: in the header of the mail, where git am passes over them. None has been
# posted. They are not backports: what mainline has as well is written anew.
dep3() {
	local upstream
	upstream=$(sed '/^---$/,$d' "$SERIES/$1" | awk -v RS= '/^Mainline did this in commit/' |
		tr '\n' ' ' | grep -oE 'commit [0-9a-f]{12,}' | paste -sd, | sed 's/commit /commit:/g; s/,/, /g') || :
	{
		echo "Origin: other, $GIT_COMMITTER_NAME, $BASE/$1"
		echo "Forwarded: no"
		[ -z "$upstream" ] || echo "Applied-Upstream: $upstream"
		echo "Last-Update: $(date -u -d "$(sed -n '/^$/q; s/^Date: //p' "$SERIES/$1")" +%F)"
	} >"$tmp/fields"
	sed -e '1{/^From [0-9a-f]* /d}' -e '1,/^$/s/^Subject: \[PATCH[^]]*\] /Subject: /' "$SERIES/$1" |
		awk -v fields="$tmp/fields" '/^$/ && !n++ { while ((getline line <fields) > 0) print line } { print }'
}
temp_dir tmp
src=$tmp/linux new=$tmp/debian patches=$tmp/debian/patches
mkdir -p "$src" "$patches" "$tmp/build/obj"
for p in $(series_patches); do
	f=features/all/dma-fence/$p
	mkdir -p "$(dirname -- "$patches/$f")"
	dep3 "$p" >"$patches/$f"
	echo "$f" >>"$patches/series"
done
count=$(wc -l <"$patches/series")

# --- they give the tree of the series --------------------------------------------------
logged debian-unpack tar -xf "$tarball" -C "$src" --strip-components=1 || exit 1
cp -R -- "$new" "$src/debian"
push() { cd "$src" && QUILT_PATCHES=debian/patches quilt --quiltrc=- push -a --fuzz=0; }
logged debian-quilt push ||
	die "quilt cannot apply the patches to $package without fuzz"
# tools/tree.sh leaves that block out, too.
sed -i '/^# Debian packaging: ignore everything/,$d' "$src/.gitignore"
rm -rf -- "$src/debian" "$src/.pc"
compare() {
	export GIT_INDEX_FILE=$tmp/index GIT_DIR=$TREE/.git GIT_WORK_TREE=$src
	cd "$src" && kgit read-tree series &&
	kgit diff --no-ext-diff --no-renames --name-status >"$tmp/differ" &&
	kgit ls-files --others | sed 's/^/?	/' >>"$tmp/differ" && cat "$tmp/differ"
}
logged debian-compare compare || exit 1
[ ! -s "$tmp/differ" ] ||
	die "with the patches, $package is not the tree of the series; files that differ: $(wc -l <"$tmp/differ"), log: $LOG/debian-compare.log"

# --- and packages ----------------------------------------------------------------------
cc=gcc
if command -v ccache >/dev/null; then
	cc="ccache gcc"
	export CCACHE_BASEDIR=$tmp CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
fi
export KBUILD_BUILD_TIMESTAMP="2000-01-01" KBUILD_BUILD_USER=series KBUILD_BUILD_HOST=localhost
export KBUILD_BUILD_VERSION=1 KDEB_CHANGELOG_DIST=UNRELEASED
export DEBFULLNAME=$GIT_COMMITTER_NAME DEBEMAIL=$GIT_COMMITTER_EMAIL
kmake() { make -C "$src" -j"$(nproc)" O="$tmp/build/obj" ARCH=x86_64 CC="$cc" LOCALVERSION=-dma-fence "$@"; }
configure() {
	KCONFIG_ALLCONFIG=$TOP/kconfig/minimal kmake allnoconfig &&
	! grep '^CONFIG_' "$TOP/kconfig/minimal" | grep -vxF -f "$tmp/build/obj/.config"
}
logged debian-config configure || die "$package cannot be configured as kconfig/minimal says"
logged debian-build kmake bindeb-pkg || exit 1
image=$(find "$tmp/build" -maxdepth 1 -name 'linux-image-*.deb')
[ -n "$image" ] && dpkg-deb -c "$image" | grep -E ' \./boot/vmlinuz-[^ ]+$' >/dev/null ||
	die "bindeb-pkg made no linux-image package with a kernel; log: $LOG/debian-build.log"

mv -- "$tmp/build"/*.deb "$new/"
mv -- "$new" "$BUILD/debian"
say "$BUILD/debian: patches/series with $count patches, and $(cd "$BUILD/debian" && echo *.deb)"
