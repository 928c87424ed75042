#!/bin/bash
# kernel-doc over the C files and headers that the series touches: no warning that
# the base does not have, with -Wall neither, and none at all of fences.
#
# Reads the tree's revisions base and series and writes nothing.
. "$(dirname -- "$0")/lib.sh"

[ $# -eq 0 ] || usage "tools/static-kernel-doc.sh"
[ -d "$TREE" ] || "$TOP/tools/tree.sh"
temp_dir tmp

kgit -C "$TREE" diff --name-only --no-renames --diff-filter=AM base series -- '*.[ch]' >"$tmp/files"
kgit -C "$TREE" diff --name-only --no-renames --diff-filter=M base series -- '*.[ch]' >"$tmp/old"
[ -s "$tmp/files" ] || die "the series touches no C file; run make tree"
mkdir "$tmp/base" "$tmp/series"
xargs -d '\n' git -C "$TREE" archive base -- <"$tmp/old" | tar -xf - -C "$tmp/base"
# The program, and where it came to be in python, its parts.
kgit -C "$TREE" ls-tree --name-only series scripts/kernel-doc tools/docs tools/lib/python >"$tmp/program"
cat "$tmp/program" "$tmp/files" | xargs -d '\n' git -C "$TREE" archive series -- |
	tar -xf - -C "$tmp/series"

# kernel_doc FOLDER OPTION... < files: its warnings, without line numbers.
kernel_doc() {
	local dir=$1
	shift
	(cd "$dir" && xargs -d '\n' "$tmp/series/scripts/kernel-doc" -none "$@" 2>&1) | sort -u |
		sed -e 's/^\(Warning: [^:]*\):[0-9]*/\1/' -e 's/^\([^: ]*\):[0-9]*: \(warning\|error\)/\1: \2/' \
			-e 's/ on line [0-9]* / on a line /'
}

# Does it warn at all?
printf '%s\n' '/**' ' * f() - a function' ' * @a: is there' ' */' 'void f(int a, int b)' '{' '}' >"$tmp/known.c"
echo "$tmp/known.c" | kernel_doc "$tmp" | grep -q "'b' not described" ||
	die "kernel-doc does not find a parameter that is not described; see whether scripts/kernel-doc runs in $TREE"

bad=0
kernel_doc "$tmp/series" <"$tmp/files" | sort >"$tmp/all"
kernel_doc "$tmp/base" <"$tmp/old" | sort >"$tmp/known"
comm -23 "$tmp/all" "$tmp/known" >"$tmp/plain"
grep -E '^(Warning: )?(drivers/dma-buf/|include/linux/dma-)' "$tmp/all" >>"$tmp/plain" || :
if [ -s "$tmp/plain" ]; then
	sort -u "$tmp/plain"
	bad=$(sort -u "$tmp/plain" | wc -l)
fi
kernel_doc "$tmp/series" -Wall <"$tmp/files" | sort >"$tmp/now"
kernel_doc "$tmp/base" -Wall <"$tmp/old" | sort >"$tmp/before"
comm -23 "$tmp/now" "$tmp/before" | grep -vxFf "$tmp/plain" >"$tmp/new" || :
if [ -s "$tmp/new" ]; then
	sed 's/^/new with -Wall: /' "$tmp/new"
	bad=$((bad + $(wc -l <"$tmp/new")))
fi
[ "$bad" -eq 0 ] || die "$bad kernel-doc warnings in files that the series touches; describe what they name"
echo "$(wc -l <"$tmp/files") files without a new warning; $(comm -12 "$tmp/all" "$tmp/known" | wc -l) of the base are left"
