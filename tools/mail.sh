#!/bin/bash
# Writes what `git send-email` would send of one topic to build/$BASE/mail/TOPIC/:
# cover letter with shortlog and diffstat, numbered patches, From and
# Signed-off-by of the user's own git identity, To and Cc from get_maintainer.pl.
# Sends nothing.
. "$(dirname -- "$0")/lib.sh"

USAGE="TOPIC=folder tools/mail.sh   (VERSION=2 for [PATCH v2 …])"
[ $# -eq 0 ] || usage "$USAGE"
topic=${TOPIC:-} version=${VERSION:-}
case $version in *[!0-9]*) die "VERSION=$version must be a number" ;; esac
[ -n "$topic" ] || die "which topic? say TOPIC=folder; there are: $(series_topics | xargs)"
grep -qxF -- "$topic" <(series_topics) ||
	die "TOPIC=$topic is unknown; there are: $(series_topics | xargs)"

# The patches of the topic, by the order of `series`.
first=$(series_patches | awk -v topic="$topic/" 'index($0, topic) == 1 && !n { n = NR } END { print n }')
last=$(series_patches | grep -n "^$topic/" | tail -n 1 | cut -d: -f1)
total=$((last - first + 1))
[ $total -eq "$(series_patches | grep -c "^$topic/")" ] ||
	die "the patches of $topic are not neighbours in series/$BASE/series"
cover=$SERIES/$topic/0000-cover-letter.patch
[ $total -eq 1 ] || [ -f "$cover" ] ||
	die "series/$BASE/$topic has no 0000-cover-letter.patch; write one"

# The only place that asks for the user's own git configuration, and outside of
# any repository: the tree has a neutral identity of its own.
name=$(cd / && git config --get user.name || git config --global --get user.name || :)
email=$(cd / && git config --get user.email || git config --global --get user.email || :)
[ -n "$name" ] && [ -n "$email" ] ||
	die "who signs off? set your identity: git config --global user.name \"…\"; git config --global user.email …"
case $email in *@*.*) ;; *) die "user.email=$email is not an address that can sign off; git config --global user.email …" ;; esac

"$TOP/tools/tree.sh"
lock_build
out=$BUILD/mail/$topic
temp_dir tmp
new=$tmp/mail
mkdir "$new"

from=$(rev_commit $((first - 1))) to=$(rev_commit "$last")
prefix="PATCH${version:+ v$version}"
width=${#total}

# --- the patches -------------------------------------------------------------------
ident="$name <$email>"
n=0
series_patches | sed -n "${first},${last}p" | while IFS= read -r p; do
	n=$((n + 1))
	# Author and sign-off are the sender's; nobody else can certify the origin.
	commit=$(rev_commit $((first + n - 1)))
	{ kgit -C "$TREE" log -1 --format=%B "$commit" | sed '/^---$/,$d'; } |
		kgit interpret-trailers --if-exists addIfDifferent \
			--trailer "Signed-off-by: $ident" >"$tmp/message"
	{
		below=$(kgit -C "$TREE" log -1 --format=%B "$commit" | sed '1,/^---$/d')
		[ -z "$below" ] || printf -- '---\n%s\n' "$below"
	} >>"$tmp/message"
	date=$(kgit -C "$TREE" log -1 --format=%aI "$commit")
	signed=$(GIT_AUTHOR_NAME=$name GIT_AUTHOR_EMAIL=$email GIT_AUTHOR_DATE=$date \
		 GIT_COMMITTER_DATE=$date kgit -C "$TREE" commit-tree "$commit^{tree}" \
		 -p "$commit^" -F "$tmp/message")
	kgit -C "$TREE" format-patch -1 "$signed" -o "$new" --start-number $n \
		--subject-prefix="$prefix $(printf '%0*d' "$width" $n)/$total" -N \
		--zero-commit --no-signature --abbrev=12 --stat=72 --no-base --no-thread >/dev/null
done

# --- the cover letter ----------------------------------------------------------------
if [ -f "$cover" ]; then
	subject=$(sed -n '1,/^$/{/^Subject:/,/^[^ \t]/p}' "$cover" | sed -n '1p;2,${/^[ \t]/p}' |
		tr -d '\n' | sed 's/^Subject: *//; s/^\[[^]]*\] *//')
	{
		echo "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001"
		echo "From: $ident"
		echo "Date: $(date -R)"
		echo "Subject: [$prefix $(printf '%0*d' "$width" 0)/$total] $subject"
		echo "MIME-Version: 1.0"
		echo "Content-Type: text/plain; charset=UTF-8"
		echo "Content-Transfer-Encoding: 8bit"
		echo
		# The text, up to a shortlog and diffstat that it may carry.
		sed '1,/^$/d' "$cover" |
			awk '/^[^ ].* \([0-9]+\):$/ || /^ [^ ].* \| +[0-9]+ / || /^-- ?$/ { exit } { print }' |
			sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
		echo
		echo "$name ($total):"
		kgit -C "$TREE" log --reverse --format='  %s' "$from..$to"
		echo
		kgit -C "$TREE" diff --stat=72 --summary "$from" "$to"
	} >"$new/0000-cover-letter.patch"
fi

# --- recipients -----------------------------------------------------------------------
maintainers() {
	(cd "$TREE" && GIT_CONFIG_GLOBAL=/dev/null perl scripts/get_maintainer.pl \
		--no-git --no-git-fallback --no-rolestats --roles "$1" 2>"$LOG/get_maintainer.log") ||
		die "get_maintainer.pl failed on $(basename -- "$1"); log: $LOG/get_maintainer.log"
}
clean() { sed -e 's/\(<[^>]*>\) (.*/\1/' -e 's/^\([^ ]*@[^ ]*\) (.*/\1/' | awk '!seen[$0]++'; }
for p in "$new"/*.patch; do
	case $p in */0000-*) continue ;; esac
	maintainers "$p" >"$tmp/list.$(basename -- "$p")"
done
cat "$tmp"/list.* >"$tmp/all"
for p in "$new"/*.patch; do
	list=$tmp/list.$(basename -- "$p")
	case $p in */0000-*) list=$tmp/all ;; esac
	{
		grep -E '\((maintainer|supporter)' "$list" | clean | sed 's/^/To: /'
		grep -vE '\((maintainer|supporter)' "$list" | clean | sed 's/^/Cc: /'
	} >"$tmp/headers" || :
	[ -s "$tmp/headers" ] || die "get_maintainer.pl names nobody for $(basename -- "$p")"
	awk -v headers="$tmp/headers" '
		/^$/ && !done { while ((getline line <headers) > 0) print line; done = 1 }
		{ print }' "$p" >"$p.new"
	mv "$p.new" "$p"
done

rm -rf "$out"
mkdir -p "$(dirname -- "$out")"
mv "$new" "$out"
say "$total patches of $topic as $ident in $out; nothing was sent. Read them, then: git send-email $out/*.patch"
