#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests vm/console.awk with recorded consoles.
. "$(dirname -- "$0")/lib.sh"

[ $# = 0 ] || usage 'console-test.sh

Runs vm/console.awk over every vm/console/*.log, recorded in real VMs, and
compares what it finds with the .expected file beside it.'

n=0 failed=0
for log in "$TOP"/vm/console/*.log; do
	n=$((n + 1))
	diff -u --label expected --label found "${log%.log}.expected" \
		<(awk -f "$TOP/vm/console.awk" "$log") || {
		say "not as expected: $log"
		failed=$((failed + 1))
	}
done
say "$((n - failed)) of $n recorded consoles are read as expected"
[ "$failed" = 0 ] && [ "$n" -gt 0 ]
