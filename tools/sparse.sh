#!/bin/bash
# Builds a sparse that this kernel accepts from Debian's sid (Debian 12 packages
# one that the kernel refuses, and kbuild then silently checks nothing).
# Prints the path of the binary. Does nothing when it is there.
. "$(dirname -- "$0")/lib.sh"

[ $# -eq 0 ] || usage "tools/sparse.sh"
version=0.6.5~rc1-2
dir=$BUILD_DIR/sparse

if [ -x "$dir/sparse" ]; then
	echo "$dir/sparse"
	exit 0
fi
# Not a Debian system: that of the system, which tools/static-sparse.sh tries first.
command -v apt-get >/dev/null || ! command -v sparse || exit 0
temp_dir tmp
say "building sparse $version"
got=$("$TOP/tools/fetch.sh" deb-src sid sparse "$version" "$tmp/src") || exit 1
mkdir "$tmp/build"
tar -xf "$tmp"/src/sparse_*.orig.tar.* -C "$tmp/build" --strip-components=1
logged sparse make -C "$tmp/build" -j"$(nproc)" sparse || exit 1
mkdir "$tmp/new"
cp "$tmp/build/sparse" "$tmp/new/"
echo "$got" >"$tmp/new/version"
rm -rf "$dir"
mv "$tmp/new" "$dir"
echo "$dir/sparse"
