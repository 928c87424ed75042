# SPDX-License-Identifier: GPL-2.0
# What counts as bad on a kernel's console. For each finding prints
#
#	NAME<TAB>died|bad<TAB>TEXT
#
# where NAME is the command that ran in the VM ("-" if none), "died" means that
# the kernel did not survive, and TEXT says in a few words what happened where.

function finding(what) {
	kind[n] = "bad"; name[n] = command; text[n] = what; n++
	oops = 0
}

# The finding is complete when a later line tells the function.
function pending(what) {
	finish()
	wait_for = what
}

function finish(where) {
	if (wait_for == "")
		return
	finding(wait_for where)
	oops = 1
	wait_for = after = ""
}

# "name+0x12/0x34 [module]" or "__pfx_name+…" to "name()"
function symbol(s) {
	sub(/\+0x.*/, "", s)
	sub(/\.(constprop|isra|part|cold).*/, "", s)
	return s "()"
}

function rest_after(s, pattern) {
	return match(s, pattern) ? substr(s, RSTART + RLENGTH) : ""
}

BEGIN {
	command = "-"; n = 0; wait_for = after = ""
	LOCK = "^(_raw_|rt_|__rt_|native_queued_)"
}

{
	sub(/\r$/, "")
	sub(/^(<[0-9]+>)?\[ *[0-9]+\.[0-9]+\](\[ *[TC][0-9]+\])? /, "")
}

/^vm: run / { finish(); command = $3; next }
/^vm: exit / { finish(); command = "-"; next }

# An oops: the function comes with the line RIP or, if that points to text that
# is no longer mapped or to a lock function, from the call trace.
/^BUG: unable to handle page fault/ { pending("page fault"); next }
/^BUG: kernel NULL pointer dereference/ { pending("NULL pointer dereference"); next }
/^Unable to handle kernel / { pending("page fault"); next }
/general protection fault/ { pending("general protection fault"); next }
/^kernel BUG at / { pending("kernel BUG"); next }
/^Oops: [a-z][a-z0-9 ]*: / {
	if (wait_for == "") {
		sub(/^Oops: /, "")
		pending(substr($0, 1, index($0, ":") - 1))
	}
	next
}
/^Oops: / { if (wait_for == "" && !oops) pending("oops"); next }

wait_for != "" && after == "" && /^RIP: / {
	s = rest_after($0, "^RIP: [0-9a-f]+:")
	if (s !~ /^[A-Za-z_]/) {
		wait_for = "unmapped code run by "
		after = " "
	} else if (s ~ LOCK) {
		# That tells nothing, who took the lock does.
		wait_for = wait_for " in "
		after = " taking a lock"
	} else
		finish(" in " symbol(s))
	next
}
after != "" && /^ *[A-Za-z_][A-Za-z0-9_.]*\+0x/ {
	sub(/^ */, "")
	if ($0 !~ LOCK)
		finish(symbol($0) (after == " " ? "" : after))
	next
}

/^Kernel panic - not syncing: / {
	finish()
	if (!oops)
		finding("panic: " rest_after($0, "not syncing: "))
	kind[n - 1] = "died"
	next
}

/^BUG: KASAN: / {
	finish()
	s = rest_after($0, "KASAN: ")
	i = index(s, " in ")
	finding("KASAN: " (i ? substr(s, 1, i + 3) symbol(substr(s, i + 4)) : s))
	next
}
# KCSAN watches the whole kernel, and the base is not without races. What counts is
# where one of the two is in a module, which all drivers are here, or in dma-buf.
/^BUG: KCSAN: / {
	finish()
	if (/ in .*(\[|dma_|sync_file|sync_timeline|sw_sync|udmabuf)/)
		finding(rest_after($0, "BUG: "))
	next
}
/^WARNING: .* at [A-Za-z_][A-Za-z0-9_.]*\+0x/ {
	finish()
	finding("WARNING in " symbol(rest_after($0, " at ")))
	next
}
/^(WARNING|BUG|UBSAN|ODEBUG|EDAC)[: ]/ { finish(); finding($0); next }
/^watchdog: BUG: |^watchdog: .*LOCKUP/ { finish(); finding(rest_after($0, "^watchdog: ")); next }
/^rcu: INFO: .*(detected|self-detected) .*stall|^rcu: .*kthread starved/ {
	finish(); finding("RCU stall: " rest_after($0, "^rcu: (INFO: )?")); next
}
/^INFO: task .* blocked for more than / { finish(); finding("hung task: " rest_after($0, "^INFO: ")); next }
/^INFO: (trying to register non-static key|possible)/ { finish(); finding($0); next }
/^(list_add|list_del|list) corruption|^refcount_t: / { finish(); finding($0); next }
/^kmemleak: [0-9]+ new suspected memory leaks/ { finish(); finding($0); next }
/^(Out of memory|page allocation failure)/ { finish(); finding($0); next }
/^(Badness|slab error|Slab cache still has objects)/ { finish(); finding($0); next }

# Anything else that prints a backtrace is not normal either.
/^ *Call [Tt]race:/ { if (wait_for == "" && !n) finding("a call trace"); next }

END {
	finish()
	for (i = 0; i < n; i++)
		print name[i] "\t" kind[i] "\t" text[i]
}
