#!/bin/bash
# sparse on drivers/dma-buf and on every C file that the series touches, of the
# base and of the series, as kconfig/drivers (and drivers-arm64) configure them:
# no message that the base does not have, and none about address spaces (__rcu,
# __user, __iomem) in drivers/dma-buf.
#
# kbuild goes on without sparse when it does not like its version, so it has to
# find a known mistake first and to have looked at every file.
#
# Reads: the tree's revisions, and the base's messages from series/$BASE/sparse-base, if
# they are of the same files, or from build/$BASE/sparse, where they are kept for the next
# time. Writes: object folders of tools/kernel.sh --prepare.
# SPARSE=/path/to/sparse uses that one. --record writes series/$BASE/sparse-base.
. "$(dirname -- "$0")/lib.sh"

USAGE="[SPARSE=/path/to/sparse] tools/static-sparse.sh [--record]"
record=
if [ "${1:-}" = --record ]; then record=yes; shift; fi
[ $# -eq 0 ] || usage "$USAGE"
lock_build
[ -d "$TREE" ] || "$TOP/tools/tree.sh"
sparse=${SPARSE:-}
[ -n "$sparse" ] || sparse=$("$TOP/tools/sparse.sh") || exit 1
[ -x "$sparse" ] || die "SPARSE=$sparse is not a program"
sparse=$(realpath -- "$sparse")
temp_dir tmp

# --- which files, with which configuration --------------------------------------
# As tools/objects.sh: the line "#files GLOB..." names what x86 cannot compile.
read -ra globs <<<"$(sed -n 's/^#files[[:space:]]*//p' "$TOP/kconfig/drivers-arm64" 2>/dev/null)"
sources() {	# sources REV: "CONFIG FILE" lines
	local f glob config
	{
		kgit -C "$TREE" diff --name-only --diff-filter=d base series -- '*.c'
		kgit -C "$TREE" ls-tree --name-only "$(rev_commit "$1")" drivers/dma-buf/
	} | grep '\.c$' | sort -u | objects_of series |
	while IFS= read -r f; do
		kgit -C "$TREE" cat-file -e "$(rev_commit "$1"):$f" 2>/dev/null || continue
		config=drivers
		for glob in "${globs[@]}"; do
			# shellcheck disable=SC2053
			[[ $f != $glob ]] || config=drivers-arm64
		done
		echo "$config $f"
	done
}

# not_refused LOG: kbuild says that, and then checks nothing.
not_refused() {
	! grep -q 'is not available or not up to date' "$1" ||
		die "kbuild refuses $sparse and would check nothing; remove $BUILD_DIR/sparse and try again"
}

# messages LOG: one a line, without what moves: "FILE: error: TEXT". And without those of
# a driver's file that its test includes: it is looked at by itself.
messages() {
	{ grep -oE '[^[:space:]]+:[0-9]+:[0-9]+: (error|warning): .*' "$1" || :; } | sort -u |
		sed -E -e '\,/tests/\.\./,d' -e "s,^$WORK/,," -e 's/^(\.\.\/)+//' -e 's/:[0-9]+:[0-9]+:/:/' |
		sort
}

# sparse_rev REV: all messages on that revision into $tmp/REV.
sparse_rev() {
	local rev=$1 config words make objects log f o flags=()
	# As objects.sh compiles them, so that what it compiled is only looked at.
	[ "$rev" = base ] || flags=(W=1 KCPPFLAGS=-Werror)
	: >"$tmp/$rev.all"
	sources "$rev" >"$tmp/$rev.files"
	for config in $(cut -d' ' -f1 "$tmp/$rev.files" | sort -u); do
		words=$("$TOP/tools/kernel.sh" --prepare "$config" "$rev") || exit 1
		mapfile -t make <<<"$words"

		# The known mistake: an __rcu pointer returned as a plain one.
		mkdir -p "$tmp/proof"
		printf '%s\n' '#include <linux/rcupdate.h>' \
			'struct proof { int __rcu *p; };' \
			'int *proof(struct proof *x);' \
			'int *proof(struct proof *x) { return x->p; }' >"$tmp/proof/proof.c"
		echo 'obj-m := proof.o' >"$tmp/proof/Kbuild"
		logged "sparse-proof-$config-$rev" "${make[@]}" M="$tmp/proof" C=2 CHECK="$sparse" proof.o || exit 1
		log=$LOG/sparse-proof-$config-$rev.log
		not_refused "$log"
		grep -q 'proof\.c:4:.*different address spaces' "$log" ||
			die "sparse did not find a known __rcu mistake, so it does not run; log: $log"

		objects=()
		while read -r _ f; do objects+=("$(object_of "$f")"); done < <(grep "^$config " "$tmp/$rev.files")
		log=$LOG/sparse-$config-$rev.log
		logged "sparse-$config-$rev" "${make[@]}" -k "${flags[@]}" C=2 CHECK="$sparse" "${objects[@]}" || exit 1
		not_refused "$log"
		while read -r _ f; do
			o=$(object_of "$f")
			grep -qE "^  CHECK +(.*/)?${o%.o}\.c\$" "$log" ||
				die "sparse did not look at $f; does kconfig/$config build it? log: $log"
		done < <(grep "^$config " "$tmp/$rev.files")
		cat "$log" >>"$tmp/$rev.all"
	done
	messages "$tmp/$rev.all" >"$tmp/$rev"
}

# --- the base: the same as the last time, unless what it depends on changed ------
key=$({
	kgit -C "$TREE" rev-parse "$(rev_commit base)^{tree}"
	sources base
	"$sparse" --version
	cat "$TOP"/kconfig/drivers* "$TOP/kconfig/$BASE"/drivers* 2>/dev/null || :
} | sha256sum | cut -c 1-16)
recorded=$SERIES/sparse-base
kept=$BUILD/sparse/$key
if [ -z "$record" ] && [ "$(head -n 1 -- "$recorded" 2>/dev/null)" = "key $key" ]; then
	sed 1d -- "$recorded" >"$tmp/base"
elif [ -f "$kept" ]; then
	cp "$kept" "$tmp/base"
else
	sparse_rev base
	rm -rf "$BUILD/sparse"
	mkdir -p "$BUILD/sparse"
	cp "$tmp/base" "$BUILD/sparse/new"
	mv "$BUILD/sparse/new" "$kept"
fi
if [ "$record" ]; then
	{ echo "key $key"; cat "$tmp/base"; } >"$recorded.new"
	mv "$recorded.new" "$recorded"
	exit 0
fi
[ "$(head -n 1 -- "$recorded" 2>/dev/null)" = "key $key" ] ||
	say "series/$BASE/sparse-base has the messages of other files; static-sparse.sh --record writes it again"
sparse_rev series

bad=0
comm -13 "$tmp/base" "$tmp/series" >"$tmp/new"
if [ -s "$tmp/new" ]; then
	sed 's/^/new: /' "$tmp/new"
	bad=$(wc -l <"$tmp/new")
fi
if grep -E '^(drivers/dma-buf/|include/linux/dma-|include/trace/events/dma_fence).*different address spaces' "$tmp/series"; then
	say "these address space mistakes are to be fixed, in the base or not"
	bad=$((bad + 1))
fi
[ "$bad" -eq 0 ] || die "sparse found mistakes, see above; logs: $LOG/sparse-*.log"
echo "$(wc -l <"$tmp/series.files") files, no new message; $(wc -l <"$tmp/base") in the base, $(wc -l <"$tmp/series") left"
