#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests the reader of consoles with recorded consoles.
. "$(dirname -- "$0")/lib.sh"

[ $# = 0 ] || usage 'console-test.sh

Runs tools/testing/selftests/dma-buf/vmtest/console-test.sh of the series.'

[ -d "$TREE" ] || "$TOP/tools/tree.sh"
exec "$(vmtest)/vmtest/console-test.sh"
