#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Gets herd7, which runs litmus tests on the kernel's memory model, from Debian's sid
# (Debian 12 has no package of it), with the C library that it was linked with. Prints
# the path of the program. Does nothing when it is there.
. "$(dirname -- "$0")/lib.sh"

[ $# -eq 0 ] || usage "tools/herd.sh"
version=7.58-2
dir=$BUILD_DIR/herd

if [ -x "$dir/herd7" ]; then
	echo "$dir/herd7"
	exit 0
fi
# Not a Debian system: that of the system.
command -v apt-get >/dev/null || ! command -v herd7 || exit 0
# Both series at once: the second one waits for the first.
exec 8>"$BUILD_DIR/herd.lock"
flock 8
if [ -x "$dir/herd7" ]; then
	echo "$dir/herd7"
	exit 0
fi
temp_dir tmp
say "downloading herd7 $version"
got=$("$TOP/tools/fetch.sh" deb sid herdtools7 "$version" "$tmp/debs" libc6 libgmp10) || exit 1
mkdir "$tmp/all" "$tmp/new"
for f in "$tmp"/debs/*.deb; do
	dpkg-deb -x "$f" "$tmp/all"
done
mv "$tmp/all/usr/bin/herd7" "$tmp/new/herd7.bin"
mv "$tmp/all/usr/share/herdtools7/herd" "$tmp/new/models"
# Links between the folders of the packages would not survive this.
mkdir "$tmp/new/lib"
find "$tmp/all" \( -name 'lib[cm].so.6' -o -name 'libgmp.so.10' -o -name 'ld-linux-x86-64.so.2' \) \
	-exec cp -L {} "$tmp/new/lib/" \;
cat >"$tmp/new/herd7" <<'EOF'
#!/bin/sh
d=$(dirname -- "$0")
exec "$d/lib/ld-linux-x86-64.so.2" --library-path "$d/lib" "$d/herd7.bin" -set-libdir "$d/models" "$@"
EOF
chmod +x "$tmp/new/herd7"
"$tmp/new/herd7" -version >/dev/null || die "herd7 of Debian's sid does not run here"
echo "$got" >"$tmp/new/version"
rm -rf "$dir"
mv "$tmp/new" "$dir"
echo "$dir/herd7"
