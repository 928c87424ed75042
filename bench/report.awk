# Reads lines "PAIR CONFIG SIDE ..." that tools/bench.sh collected, SIDE being
# base or series and the rest a line of the guest's /result or "text BYTES", and
# prints the tables and what became of each target. Exit status 1: one missed.
#
#	op NAME LOCK MIN MEDIAN    a boot counts with its minimum, since what
#	                           disturbs a loop can only make it slower; with
#	                           two CPUs, with its median
#
# The two boots of a pair ran one after the other, so a pair's ratio does not
# feel the machine's drift. Of the ratios, the median is shown, and the interval
# between two of them that holds the true median with 95 % confidence, whatever
# their distribution. Only if all of that interval is beyond a target is the
# target missed; a median beyond it alone is noise and said to be.

BEGIN {
	TOP_RATIO = 1.02; CONTENDED = 1.3; FENCE_SIZE = 64; TEXT = 1.001
}

$4 == "op" {
	key = $5 " " $6
	if (!(key in known)) { known[key] = 1; op[++ops] = key }
	value[$2, $3, key, $1] = ($5 ~ /^two-cpus/ ? $8 : $7) / 1000
}
$4 == "sizeof" || $4 == "slab" || $4 == "text" {
	name = $4 " " ($4 == "text" ? "vmlinux" : $5)
	if (!(name in fact_known)) { fact_known[name] = 1; fact[++facts] = name }
	fact_value[$2, $3, name] = $4 == "text" ? $5 : $6
	if ($4 == "slab") fact_value[$2, $3, name " bytes"] = $7
}
{
	if (!($2 in config_known)) { config_known[$2] = 1; config[++configs] = $2 }
	if ($1 > pairs) pairs = $1
}

function sort_list(list, n,	i, j, x) {
	for (i = 2; i <= n; i++) {
		x = list[i]
		for (j = i - 1; j >= 1 && list[j] > x; j--)
			list[j + 1] = list[j]
		list[j + 1] = x
	}
}

# Sets MID, LOW, HIGH (the interval), LEAST, MOST.
function spread(list, n,	k, p, sum) {
	sort_list(list, n)
	MID = n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
	LEAST = list[1]; MOST = list[n]
	p = sum = 0.5 ^ n
	for (k = 1; k < n / 2; k++) {
		p = p * (n - k + 1) / k
		sum += p
		if (2 * sum > 0.05)
			break
	}
	LOW = list[k]; HIGH = list[n + 1 - k]
}

function times(c, side, key,	i) {
	for (i = 1; i <= pairs; i++)
		list[i] = value[c, side, key, i]
	spread(list, pairs)
	return MID
}

function judge(what, text) {
	printf "  %-6s  %s\n", what, text
	if (what == "MISSED")
		missed++
}

function table(c,	i, j, key, base, series) {
	printf "\n%s: nanoseconds an operation, %d pairs\n\n", c, pairs
	printf "%-33s %7s %7s %6s %12s\n", "operation, lock", A, B, "ratio", "95 %"
	for (i = 1; i <= ops; i++) {
		key = op[i]
		base = times(c, "base", key); series = times(c, "series", key)
		for (j = 1; j <= pairs; j++)
			list[j] = value[c, "series", key, j] / value[c, "base", key, j]
		spread(list, pairs)
		ratio[c, key] = MID; low[c, key] = LOW; high[c, key] = HIGH
		ns[c, key] = base
		printf "%-33s %7.2f %7.2f %6.3f %5.3f..%5.3f\n", key, base, series, MID, LOW, HIGH
		width = MOST - LEAST
		if (key !~ /^two-cpus/ && width > widest) {
			widest = width; widest_key = c ", " key
		}
	}
}

function compact(	i, c, line) {
	printf "\n%-33s", "operation, lock"
	for (c = 1; c <= configs; c++)
		printf " %20s", config[c]
	printf "\n%-33s", ""
	for (c = 1; c <= configs; c++)
		printf " %9s ns  ratio", A
	print ""
	for (i = 1; i <= ops; i++) {
		printf "%-33s", op[i]
		for (c = 1; c <= configs; c++)
			printf " %12.1f %7.3f", ns[config[c], op[i]], ratio[config[c], op[i]]
		print ""
	}
}

function judge_config(c,	i, j, key, what, n, bad, side, inline, shared) {
	for (i = 1; i <= ops; i++) {
		key = op[i]
		if (key ~ /^two-cpus/)
			continue
		n++
		if (low[c, key] > TOP_RATIO) {
			bad++
			judge("MISSED", sprintf("%s: %s %.3f (%.3f..%.3f), at most %.2f", c, key,
				ratio[c, key], low[c, key], high[c, key], TOP_RATIO))
		} else if (ratio[c, key] > TOP_RATIO) {
			judge("noise?", sprintf("%s: %s %.3f (%.3f..%.3f)", c, key,
				ratio[c, key], low[c, key], high[c, key]))
		}
	}
	if (!bad)
		judge("met", sprintf("%s: %d uncontended operations, none above %.2f", c, n, TOP_RATIO))

	inline = "two-cpus-signal inline"; shared = "two-cpus-signal shared"
	for (j = 1; j <= pairs; j++)
		list[j] = value[c, "series", shared, j] / value[c, "series", inline, j]
	spread(list, pairs)
	judge(HIGH < CONTENDED ? "MISSED" : "met",
	      sprintf("%s: two CPUs, inline %.2f (%.2f..%.2f) times as fast as shared",
		      c, MID, LOW, HIGH))

	judge(fact_value[c, "series", "sizeof dma_fence"] == FENCE_SIZE ? "met" : "MISSED",
	      sprintf("%s: sizeof(struct dma_fence) %d", c, fact_value[c, "series", "sizeof dma_fence"]))

	base = fact_value[c, "base", "text vmlinux"]; series = fact_value[c, "series", "text vmlinux"]
	judge(series > base * TEXT ? "MISSED" : "met",
	      sprintf("%s: text of vmlinux %+.3f %%", c, (series / base - 1) * 100))
}

END {
	A = "base"; B = null ? "base" : "series"
	if (!pairs) {
		print "report.awk: no measurement in the input" > "/dev/stderr"
		exit 2
	}
	for (c = 1; c <= configs; c++)
		table(config[c])
	compact()

	printf "\n%-33s", ""
	for (c = 1; c <= configs; c++)
		printf " %20s", config[c]
	print ""
	for (i = 1; i <= facts; i++) {
		printf "%-33s", fact[i]
		for (c = 1; c <= configs; c++)
			printf " %9s -> %7s", fact_value[config[c], "base", fact[i]], fact_value[config[c], "series", fact[i]]
		print ""
	}
	printf "\nwidest range of pair ratios, uncontended: %.3f (%s)\n", widest, widest_key
	if (null) {
		print "base against base: this is the noise"
		exit 0
	}
	print "\ntargets (missed only if all of the 95 % interval is beyond):"
	for (c = 1; c <= configs; c++)
		judge_config(config[c])
	exit missed ? 1 : 0
}
