#!/bin/bash
# Prints the table in STATUS.md of what is converted, as the tree of the series has it.
# --check compares STATUS.md with it, --write puts it there.
. "$(dirname -- "$0")/lib.sh"

USAGE="tools/table.sh [--check|--write]"
case $#${1:-} in
0|1--check|1--write) ;;
*)	usage "$USAGE" ;;
esac
lock_build
"$TOP/tools/tree.sh"

# FILE STATE for each file outside of the tests that initializes fences. States,
# the worst of a file counts:
#   own     detaches, its lock is part of its object
#   extern  detaches, its lock is the driver's
#   tied    has a release or a wait operation
#   linked  has one, but is linked into the kernel, where its driver is a module too
fences() {
	local files
	mapfile -t files < <(kgit -C "$TREE" grep -lE '\bdma_fence_init(64)?\(' "$1" -- \
		'drivers/*.c' ':!*test*' ':!drivers/dma-buf/st-*' ':!drivers/dma-buf/dma-fence*.c' |
		sed "s/^$1://")
	for f in "${files[@]}"; do
		kgit -C "$TREE" show "$1:$f"
		printf '\n@@END %s\n' "$f"
	done | perl -0777 -ne '
		my @worse = qw(own extern tied);
		while (/(.*?)\n\@\@END (\S+)\n/gs) {
			my ($text, $file, $state) = ($1, $2, -1);
			$text =~ s{/\*.*?\*/}{}gs;
			my %tied;
			while ($text =~ /struct dma_fence_ops\s+(\w+)\s*=\s*\{(.*?)\n\}/gs) {
				my ($ops, $body) = ($1, $2);
				$tied{$ops} = 1 if $body =~ /\.(release|wait)\s*=/;
			}
			while ($text =~ /\bdma_fence_init(?:64)?\(\s*([^;,]*),\s*&?(\w+)[^,]*,\s*([^,]+),/gs) {
				my ($fence, $ops, $lock) = ($1, $2, $3);
				my ($object) = $fence =~ /(\w+)/;
				# Operations that come in a variable: any of the file.
				my $known = $text =~ /struct dma_fence_ops\s+\Q$ops\E\s*=/;
				my $s = ($known ? $tied{$ops} : %tied) ? 2 : $lock =~ /^(NULL|&\Q$object\E\W.*)$/ ? 0 : 1;
				$state = $s if $s > $state;
			}
			print "$file $worse[$state]\n" if $state >= 0;
		}' | sort
}
temp_dir tmp
# always_linked REV FILE.c: true if its fences have a lock of their own, and its
# Makefile has it depend on a symbol that is bool
always_linked() {
	local symbol
	symbol=$(kgit -C "$TREE" show "$1:$(dirname "$2")/Makefile" 2>/dev/null |
		sed -n "s/^obj-\$(CONFIG_\([A-Z0-9_]*\)).*\b$(basename "$2" .c)\.o.*/\1/p" | head -n 1)
	kgit -C "$TREE" show "$1:$2" | grep -qzP '\bdma_fence_init(64)?\([^;]*,\s*NULL,' || return 1
	[ "$symbol" ] && kgit -C "$TREE" grep -h -A 1 "^config $symbol\$" "$1" -- '*Kconfig' |
		grep -q '^[[:space:]]*bool'
}
linked() {	# linked REV: the fences of stdin, with that state where it is true
	local f state
	while read -r f state; do
		if [ "$state" = tied ] && always_linked "$1" "$f"; then
			state=linked
		fi
		echo "$f $state"
	done
}
fences base | linked base >"$tmp/base"
fences series | linked series >"$tmp/series"

names() { sed -E 's,^drivers/(gpu/(drm/)?|accel/)?,,; s/\.c$//' | sort -u | paste -sd' ' | sed 's/ /, /g'; }
row() { [ -z "$2" ] || printf '| %s | %s | %s |\n' "$1" "$(wc -w <<<"$2")" "$2"; }
{
	echo "| fences | files | in drivers/ |"
	echo "|---|---|---|"
	row "detach, lock in the object; by this series" \
		"$(comm -13 "$tmp/base" "$tmp/series" | awk '$2 == "own" { print $1 }' | names)"
	row "code always linked in, lock in the object; by this series" \
		"$(awk '$2 == "linked" { print $1 }' "$tmp/series" | names)"
	row "detach, lock in the object; as they were" \
		"$(comm -12 "$tmp/base" "$tmp/series" | awk '$2 == "own" { print $1 }' | names)"
	row "detach, lock of the driver: this series allows to free it one grace period after the signal" \
		"$(awk '$2 == "extern" { print $1 }' "$tmp/series" | names)"
	row "not converted: tied to the module by a release or wait operation" \
		"$(awk '$2 == "tied" { print $1 }' "$tmp/series" | names)"
} >"$tmp/table"
[ "$(wc -l <"$tmp/table")" -gt 3 ] || die "found no fences in $TREE; tools/table.sh has to learn how they are initialized now"

status_table "$tmp/table" "the table" "${1:-}"
