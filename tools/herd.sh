#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds herd7, which runs litmus tests on the kernel's memory model, from Debian's
# sid (Debian 12 has no package of it). Only herd7, not the rest of herdtools7: three
# to six minutes, once. Prints the path of the binary. Does nothing when it is there.
. "$(dirname -- "$0")/lib.sh"

[ $# -eq 0 ] || usage "tools/herd.sh"
version=7.58-2
dir=$BUILD_DIR/herd

if [ -x "$dir/herd7" ]; then
	echo "$dir/herd7"
	exit 0
fi
for c in dune ocamlfind menhir; do
	command -v $c >/dev/null || die "$c is missing; tools/deps.sh check installs it"
done
# Both series at once: the second one waits for the first.
exec 8>"$BUILD_DIR/herd.lock"
flock 8
if [ -x "$dir/herd7" ]; then
	echo "$dir/herd7"
	exit 0
fi
temp_dir tmp
say "building herd7 $version"
got=$("$TOP/tools/fetch.sh" tar sid herdtools7 "$version" "$tmp/src") || exit 1
mkdir "$tmp/build"
tar -xf "$tmp"/src/herdtools7_*.orig.tar.* -C "$tmp/build" --strip-components=1
cd "$tmp/build"
# Debian 12's zarith is too old by two functions, for the vectors of Arm.
sed -i '/^module BV = struct/i\
module Z = struct\
  include Z\
  let of_int64_unsigned i = extract (of_int64 i) 0 64\
  let to_int64_unsigned x =\
    if sign x < 0 || numbits x > 64 then raise Overflow\
    else to_int64 (signed_extract x 0 64)\
end\
' lib/SVEScalar.ml
# Where herd7 looks for the files that every model includes.
sh ./version-gen.sh "$dir"
# dune would keep what it made in the cache of the user.
DUNE_CACHE=disabled logged herd nice dune build -j 2 --root . --profile release herd/herd.exe || exit 1
mkdir -p "$tmp/new/share/herdtools7"
cp _build/default/herd/herd.exe "$tmp/new/herd7"
cp -r herd/libdir "$tmp/new/share/herdtools7/herd"
echo "$got" >"$tmp/new/version"
rm -rf "$dir"
mv "$tmp/new" "$dir"
echo "$dir/herd7"
