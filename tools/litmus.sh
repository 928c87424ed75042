#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs the litmus tests of the series with herd7 on the memory model of the same tree.
. "$(dirname -- "$0")/lib.sh"

USAGE='tools/litmus.sh REV [PATTERN]

REV is series, tests, wip or the number of a patch. Each test has to end as its line
"Result:" says. Then each barrier in a test that is never to happen is taken out, one
at a time, and it has to happen then, or the test says nothing about the barrier. One
that carries "// Redundant here: why" may be taken out, with "// Only a data race without
it" there has to be one instead; it is an error if these are not true.
Exit status: 0 if all is as expected.'
[ $# -ge 1 ] && [ $# -le 2 ] && [[ $1 != -* ]] || usage "$USAGE"
known_rev "$1"
pattern=${2:-}
tests=Documentation/litmus-tests/dma-fence

herd=$("$TOP/tools/herd.sh")
commit=$(rev_commit "$1") || die "no revision '$1'"
kgit -C "$TREE" rev-parse -q --verify "$commit:$tests" >/dev/null ||
	die "revision $1 has no $tests"
temp_dir tmp
kgit -C "$TREE" archive "$commit" "$tests" tools/memory-model | tar -x -C "$tmp"
mkdir "$tmp/variants"
# The model includes its files from the current folder.
cd "$tmp/tools/memory-model"

# run FILE: what herd7 observes, Never, Sometimes or Always, and a " race" if there is
# one of the accesses that the kernel does not mark. All it says is in $tmp/out.
run() {
	nice timeout 300 "$herd" -conf linux-kernel.cfg "$1" >"$tmp/out" 2>&1 ||
		{ echo "error, exit $?"; return; }
	awk '/^Observation / { seen = $3 }
	     /^Flag data-race$/ { race = " race"; next }
	     /^Flag|^Warning|rror/ { bad = $0 }
	     END { print bad != "" ? bad : seen == "" ? "nothing" : seen race }' "$tmp/out"
}

# take_out FILE N: FILE without its barrier number N, and, in the last line, which that
# is. Fails if there are fewer. What is left has the same accesses in the same order.
# A call that is not known here is an error: it could be a barrier that is not tested.
take_out() {
	awk -v n="$2" '
	function call(what) {	# Is there a call of one of these?
		return code ~ ("(^|[^a-z_])(" what ")\\(")
	}
	function take(from, to) {	# count it, and replace it if it is the one
		if (++count != n)
			return
		before = code
		sub("^[ \t]*", "", before)
		sub("[ \t]*$", "", before)
		kind = "needed"
		if (line ~ /\/\/ Redundant here: /)
			kind = "redundant"
		else if (line ~ /\/\/ Only a data race without it/)
			kind = "race"
		name = proc ": " before "\t" kind
		if (from == "")
			gone = 1
		else
			sub(from, to, code)
	}
	/^\(\*/ { comment = 1 }
	comment { if (/\*\)/) comment = 0; print; next }
	/^P[0-9]+\(/ { proc = substr($0, 1, index($0, "(") - 1); pending = ""; print; next }
	/^exists|^filter|^locations/ { proc = "" }
	proc == "" { print; next }
	{
		line = code = $0
		sub("[ \t]*//.*", "", code)
		gone = 0
		if (call("smp_mb|smp_rmb|smp_wmb|smp_mb__before_atomic|smp_mb__after_atomic|synchronize_rcu"))
			take("", "")
		else if (call("smp_store_release"))
			take("smp_store_release\\(", "WRITE_ONCE(*")
		else if (call("rcu_assign_pointer"))
			take("rcu_assign_pointer\\(", "WRITE_ONCE(")
		else if (call("smp_store_mb"))
			take("smp_store_mb\\(", "WRITE_ONCE(")
		else if (call("smp_load_acquire"))
			take("smp_load_acquire\\(", "READ_ONCE(*")
		else if (call("atomic_read_acquire"))
			take("atomic_read_acquire\\(", "atomic_read(")
		else if (call("atomic_[a-z_]*_(acquire|release)"))
			take("_(acquire|release)\\(", "_relaxed(")
		else if (call("atomic_(fetch|xchg|cmpxchg)[a-z_]*") && !call("atomic_[a-z_]*_relaxed"))
			take("[(]", "_relaxed(")
		else if (call("spin_lock|rcu_read_lock")) {
			take("", "")
			# The other half of the one that goes.
			if (gone) {
				pending = code
				sub("lock\\(", "unlock(", pending)
				gsub("[ \t]", "", pending)
			}
		} else if (call("spin_unlock|rcu_read_unlock")) {
			same = code
			gsub("[ \t]", "", same)
			if (pending != "" && same == pending) {
				gone = 1
				pending = ""
			}
		} else if (code ~ /[a-z_]\(/ &&
			   !call("if|READ_ONCE|WRITE_ONCE|rcu_dereference|atomic_read|atomic_or|atomic_[a-z_]*_relaxed")) {
			print "a call that is not known: " code > "/dev/stderr"
			exit bad = 2
		}
		if (!gone)
			print code
	}
	END {
		if (bad)
			exit bad
		if (name == "")
			exit 1
		print "// " name
	}' "$1"
}

# A tool that finds nothing wrong must be one that would.
for control in "Sometimes SB+poonceonces" "Never SB+fencembonceonces" "Sometimes MP+poonceonces"; do
	got=$(run "litmus-tests/${control#* }.litmus")
	[ "$got" = "${control% *}" ] ||
		die "herd7 says '$got' to the model's own ${control#* }, which is '${control% *}'"
done

failed=0 count=0
for file in "$tmp/$tests"/*"$pattern"*.litmus; do
	[ -f "$file" ] || die "revision $1 has no litmus test *$pattern*"
	name=$(basename -- "$file" .litmus)
	since=$(date +%s%N) wrong= needed=0 redundant=0
	want=$(sed -n 's/^ \* Result: //p' "$file")
	head -n 1 -- "$file" | grep -qxF "C $name" || wrong="its first line is not 'C $name'"
	got=$(run "$file")
	[ "$got" = "$want" ] || wrong="is '$got', not '$want'"
	n=1
	while [ "$want" = Never ] && [ -z "$wrong" ]; do
		rc=0
		variant=$tmp/variants/$name-$n.litmus
		take_out "$file" $n >"$variant" || rc=$?
		[ $rc -ne 1 ] || break
		[ $rc -eq 0 ] || { wrong="cannot be read"; break; }
		what=$(tail -n 1 -- "$variant")
		sed -i '$d' "$variant"
		got=$(run "$variant")
		kind=${what##*$'\t'} what=${what#// } what=${what%$'\t'*}
		printf '    %-14s without %s%s\n' "$got" "$what" "$([ "$kind" = needed ] || echo ", $kind")"
		case $kind:$got in
		needed:Sometimes|needed:'Sometimes race'|race:'Never race') needed=$((needed + 1)) ;;
		redundant:Never) redundant=$((redundant + 1)) ;;
		*)	wrong="is '$got' without $what ($kind)" ;;
		esac
		n=$((n + 1))
	done
	[ -n "$wrong" ] || [ "$want" != Never ] || [ $needed -gt 0 ] || wrong="has no barrier that it needs"
	count=$((count + 1))
	took=$((($(date +%s%N) - since) / 1000000))
	if [ -z "$wrong" ]; then
		echo "ok $name: $want ($needed barriers needed, $redundant redundant; $took ms)"
	else
		echo "not ok $name: $wrong"
		failed=$((failed + 1))
	fi
done
echo "$((count - failed)) passed, $failed failed"
[ $failed -eq 0 ]
