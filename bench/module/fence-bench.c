// SPDX-License-Identifier: GPL-2.0
/*
 * What an operation on a dma_fence costs.
 *
 * The module uses nothing that plain v6.12 or v7.3 does not have, so that one
 * source is built unchanged against the kernels that are to be compared. Loading
 * it runs every benchmark; /proc/fence-bench then holds one line each:
 *
 *	op NAME LOCK MIN MEDIAN		picoseconds per operation, over SAMPLES
 *	sizeof NAME BYTES
 *
 * With hold=KIND count=N it measures nothing, but keeps N signaled fences,
 * arrays of 8 or chains of 8 until it is unloaded, for the loader to count the
 * slab objects behind them.
 *
 * The timed loops run on a CPU of their own with interrupts disabled. That
 * keeps the tick out of them; and under UML, disabling interrupts that are
 * enabled is a system call, which costs more than everything that is measured
 * here and would hide any change.
 */

#include <linux/cpumask.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/version.h>

/* Operations in one timed loop on the same fence, and on a new fence each. */
#define LOOPS	20000
#define FENCES	1024
#define MEMBERS	8
#define GROUPS	(FENCES / MEMBERS)

#define SAMPLES	25

static char *hold = "";
module_param(hold, charp, 0444);
MODULE_PARM_DESC(hold, "fence, array or chain: keep some of them, measure nothing");

static bool contended;
module_param(contended, bool, 0444);
MODULE_PARM_DESC(contended, "only measure two CPUs that signal fences of one context");

static unsigned int count = 1;
module_param(count, uint, 0444);
MODULE_PARM_DESC(count, "how many to keep");

/*
 * Before v7.1, without the series: there is no inline lock. Instead of it a fence
 * has a lock next to it, as those of many drivers do.
 */
#ifdef dma_fence_lock_irqsave
#define fence_alloc()		kzalloc(sizeof(struct dma_fence), GFP_KERNEL)
#define fence_init		dma_fence_init
#else
struct own_lock_fence {
	struct dma_fence base;
	spinlock_t lock;
};

#define fence_alloc()		kzalloc(sizeof(struct own_lock_fence), GFP_KERNEL)

static inline void fence_init(struct dma_fence *f, const struct dma_fence_ops *ops,
			      spinlock_t *lock, u64 context, u64 seqno)
{
	if (!lock) {
		lock = &container_of(f, struct own_lock_fence, base)->lock;
		spin_lock_init(lock);
	}
	dma_fence_init(f, ops, lock, context, seqno);
}

#define dma_fence_enable_signaling	dma_fence_enable_sw_signaling
#define dma_fence_driver_name(f)	((f)->ops->get_driver_name(f))
#define dma_fence_timeline_name(f)	((f)->ops->get_timeline_name(f))
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define array_create(...)	dma_fence_array_create(__VA_ARGS__, false)
#else
#define array_create		dma_fence_array_create
#endif

static DEFINE_SPINLOCK(external_lock);
static u64 context;

/* The fences that the running benchmark works on, and their callbacks. */
static struct dma_fence *fences[FENCES];
static struct dma_fence *groups[GROUPS];
static struct dma_fence_cb callbacks[FENCES];

static const char *bench_driver_name(struct dma_fence *fence)
{
	return "fence-bench";
}

static const char *bench_timeline_name(struct dma_fence *fence)
{
	return "timeline";
}

static bool bench_signaled(struct dma_fence *fence)
{
	return false;
}

static const struct dma_fence_ops plain_ops = {
	.get_driver_name = bench_driver_name,
	.get_timeline_name = bench_timeline_name,
};

static const struct dma_fence_ops polled_ops = {
	.get_driver_name = bench_driver_name,
	.get_timeline_name = bench_timeline_name,
	.signaled = bench_signaled,
};

static void bench_callback(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

static int fences_alloc(struct dma_fence **table, int count)
{
	for (int i = 0; i < count; i++) {
		table[i] = (struct dma_fence *)fence_alloc();
		if (!table[i])
			return -ENOMEM;
	}
	return 0;
}

static int fences_new(int count, const struct dma_fence_ops *ops, spinlock_t *lock)
{
	int err = fences_alloc(fences, count);

	for (int i = 0; i < count && !err; i++)
		fence_init(fences[i], ops, lock, context, i + 1);
	return err;
}

static void fences_put(int count)
{
	for (int i = 0; i < count; i++) {
		dma_fence_signal(fences[i]);
		dma_fence_put(fences[i]);
	}
}

static u64 now_ps(void)
{
	return ktime_get_ns() * 1000;
}

/*
 * TIME(COUNT, EXPRESSION) is the time of one EXPRESSION in picoseconds, where i
 * runs from 0 to COUNT - 1. A macro, for nothing but the operation itself to be
 * called in the loop.
 */
#define TIME(count, op) ({				\
	u64 start_;					\
							\
	local_irq_disable();				\
	start_ = now_ps();				\
	for (int i = 0; i < (count); i++) {		\
		op;					\
		barrier();				\
	}						\
	start_ = now_ps() - start_;			\
	local_irq_enable();				\
	div_u64(start_, count);				\
})

/* On one fence f, again and again; NOTHING where nothing is to be done before or after. */
#define NOTHING

#define BENCH_ONE(name, ops, before, op, after)			\
static s64 bench_##name(spinlock_t *lock)			\
{								\
	struct dma_fence *f;					\
	s64 time;						\
								\
	if (fences_new(1, ops, lock))				\
		return -ENOMEM;					\
	f = fences[0];						\
	before;							\
	time = TIME(LOOPS, op);					\
	after;							\
	fences_put(1);						\
	return time;						\
}

BENCH_ONE(is_signaled_yes, &plain_ops, dma_fence_signal(f), (void)dma_fence_is_signaled(f), NOTHING)
BENCH_ONE(is_signaled_no, &plain_ops, NOTHING, (void)dma_fence_is_signaled(f), NOTHING)
BENCH_ONE(is_signaled_polled, &polled_ops, NOTHING, (void)dma_fence_is_signaled(f), NOTHING)
BENCH_ONE(enable, &plain_ops, NOTHING, dma_fence_enable_signaling(f), NOTHING)
BENCH_ONE(add_late, &plain_ops, dma_fence_signal(f),
	  dma_fence_add_callback(f, &callbacks[0], bench_callback), NOTHING)
BENCH_ONE(remove_late, &plain_ops,
	  ({ dma_fence_signal(f); INIT_LIST_HEAD(&callbacks[0].node); }),
	  dma_fence_remove_callback(f, &callbacks[0]), NOTHING)
BENCH_ONE(wait, &plain_ops, dma_fence_signal(f), dma_fence_wait_timeout(f, false, 1), NOTHING)
BENCH_ONE(status_yes, &plain_ops, dma_fence_signal(f), dma_fence_get_status(f), NOTHING)
BENCH_ONE(status_no, &plain_ops, NOTHING, dma_fence_get_status(f), NOTHING)
BENCH_ONE(timestamp, &plain_ops, dma_fence_signal(f), (void)dma_fence_timestamp(f), NOTHING)

/* Whoever asks for a name is in an RCU section already. */
BENCH_ONE(driver_yes, &plain_ops, ({ dma_fence_signal(f); rcu_read_lock(); }),
	  dma_fence_driver_name(f), rcu_read_unlock())
BENCH_ONE(driver_no, &plain_ops, rcu_read_lock(), dma_fence_driver_name(f), rcu_read_unlock())
BENCH_ONE(timeline_yes, &plain_ops, ({ dma_fence_signal(f); rcu_read_lock(); }),
	  dma_fence_timeline_name(f), rcu_read_unlock())
BENCH_ONE(timeline_no, &plain_ops, rcu_read_lock(), dma_fence_timeline_name(f), rcu_read_unlock())

static s64 bench_life(spinlock_t *lock)
{
	if (fences_alloc(fences, FENCES))
		return -ENOMEM;

	return TIME(FENCES, ({
		fence_init(fences[i], &plain_ops, lock, context, i + 1);
		dma_fence_signal(fences[i]);
		dma_fence_put(fences[i]);
	}));
}

static s64 bench_signal(spinlock_t *lock)
{
	s64 time;

	if (fences_new(FENCES, &plain_ops, lock))
		return -ENOMEM;

	time = TIME(FENCES, dma_fence_signal(fences[i]));
	fences_put(FENCES);
	return time;
}

static s64 bench_add(spinlock_t *lock)
{
	s64 time;

	if (fences_new(FENCES, &plain_ops, lock))
		return -ENOMEM;

	time = TIME(FENCES, dma_fence_add_callback(fences[i], &callbacks[i], bench_callback));
	fences_put(FENCES);
	return time;
}

static s64 bench_remove(spinlock_t *lock)
{
	s64 time;

	if (fences_new(FENCES, &plain_ops, lock))
		return -ENOMEM;

	for (int i = 0; i < FENCES; i++)
		dma_fence_add_callback(fences[i], &callbacks[i], bench_callback);
	time = TIME(FENCES, dma_fence_remove_callback(fences[i], &callbacks[i]));
	fences_put(FENCES);
	return time;
}

/* Puts the last reference to the fences of @group into an array. */
static struct dma_fence *array_new(int group)
{
	struct dma_fence **table = kmalloc_array(MEMBERS, sizeof(*table), GFP_ATOMIC);
	struct dma_fence_array *array;

	if (!table)
		return NULL;
	memcpy(table, &fences[group * MEMBERS], MEMBERS * sizeof(*table));
	array = array_create(MEMBERS, table, context + 1, group + 1);
	if (!array) {
		kfree(table);
		return NULL;
	}
	return &array->base;
}

/* The same with a chain. */
static struct dma_fence *chain_new(int group)
{
	struct dma_fence *prev = NULL;

	for (int i = 0; i < MEMBERS; i++) {
		struct dma_fence_chain *chain = kmalloc(sizeof(*chain), GFP_ATOMIC);

		if (!chain)
			return NULL;
		dma_fence_chain_init(chain, prev, fences[group * MEMBERS + i], i + 1);
		prev = &chain->base;
	}
	return prev;
}

/* Create, poll, signal all the members, poll again, which signals it, put. */
static bool group_life(struct dma_fence *f, int group)
{
	bool ok;

	if (!f)
		return false;
	ok = !dma_fence_is_signaled(f);
	for (int i = 0; i < MEMBERS; i++)
		dma_fence_signal(fences[group * MEMBERS + i]);
	ok &= dma_fence_is_signaled(f);
	dma_fence_put(f);
	return ok;
}

static s64 bench_array(spinlock_t *lock)
{
	bool ok = true;
	s64 time;

	if (fences_new(FENCES, &plain_ops, lock))
		return -ENOMEM;
	time = TIME(GROUPS, ok &= group_life(array_new(i), i));
	return ok ? time : -EINVAL;
}

static s64 bench_chain(spinlock_t *lock)
{
	bool ok = true;
	s64 time;

	if (fences_new(FENCES, &plain_ops, lock))
		return -ENOMEM;
	time = TIME(GROUPS, ok &= group_life(chain_new(i), i));
	return ok ? time : -EINVAL;
}

/*
 * With callbacks: enable signaling, signal all the members. The last of them
 * signals the array or the chain from an irq_work, outside the timed loop.
 */
static s64 groups_with_callbacks(void)
{
	s64 time;

	time = TIME(GROUPS, ({
		dma_fence_enable_signaling(groups[i]);
		for (int j = 0; j < MEMBERS; j++)
			dma_fence_signal(fences[i * MEMBERS + j]);
	}));

	for (int i = 0; i < GROUPS; i++) {
		dma_fence_wait(groups[i], false);
		dma_fence_put(groups[i]);
	}
	return time;
}

static s64 bench_array_cb(spinlock_t *lock)
{
	if (fences_new(FENCES, &plain_ops, lock))
		return -ENOMEM;
	for (int i = 0; i < GROUPS; i++) {
		groups[i] = array_new(i);
		if (!groups[i])
			return -ENOMEM;
	}
	return groups_with_callbacks();
}

static s64 bench_chain_cb(spinlock_t *lock)
{
	if (fences_new(FENCES, &plain_ops, lock))
		return -ENOMEM;
	for (int i = 0; i < GROUPS; i++) {
		groups[i] = chain_new(i);
		if (!groups[i])
			return -ENOMEM;
	}
	return groups_with_callbacks();
}

/*
 * Two CPUs, each signals its half of the fences of one context. The host may
 * run the two at different times; such a sample shows no contention and is
 * worth nothing.
 */
static atomic_t contenders;
static struct completion contender_done;

static struct half {
	u64 start, end;
} halves[2];

static void signal_half(int half)
{
	int first = half * FENCES / 2;

	local_irq_disable();
	/* Start together. */
	atomic_inc(&contenders);
	while (atomic_read(&contenders) < 2)
		cpu_relax();

	halves[half].start = now_ps();
	for (int i = 0; i < FENCES / 2; i++)
		dma_fence_signal(fences[first + i]);
	halves[half].end = now_ps();
	local_irq_enable();
}

static int contender(void *unused)
{
	signal_half(1);
	kthread_complete_and_exit(&contender_done, 0);
}

static s64 bench_contended(spinlock_t *lock)
{
	struct task_struct *other;
	u64 start, end, total;
	s64 together;

	for (int i = 0; i < 1000; i++) {
		if (fences_new(FENCES, &plain_ops, lock))
			return -ENOMEM;
		atomic_set(&contenders, 0);
		init_completion(&contender_done);
		other = kthread_create_on_cpu(contender, NULL, 0, "fence-bench/%u");
		if (IS_ERR(other))
			return PTR_ERR(other);
		wake_up_process(other);
		signal_half(0);
		wait_for_completion(&contender_done);
		fences_put(FENCES);

		start = min(halves[0].start, halves[1].start);
		end = max(halves[0].end, halves[1].end);
		total = end - start;
		start = max(halves[0].start, halves[1].start);
		end = min(halves[0].end, halves[1].end);
		/* Negative if they did not meet at all. */
		together = end - start;
		if (together > (s64)total * 3 / 4)
			return div_u64(total, FENCES / 2);
	}
	pr_err("fence-bench: the two CPUs do not run at the same time\n");
	return -EBUSY;
}

enum { INLINE = BIT(0), EXTERN = BIT(1), BOTH = INLINE | EXTERN };

static const struct bench {
	const char *name;
	int locks;
	s64 (*run)(spinlock_t *lock);
} benches[] = {
	{ "init+signal+put", BOTH, bench_life },
	{ "signal", BOTH, bench_signal },
	{ "is_signaled/signaled", INLINE, bench_is_signaled_yes },
	{ "is_signaled/unsignaled", INLINE, bench_is_signaled_no },
	{ "is_signaled/polled", INLINE, bench_is_signaled_polled },
	{ "enable_signaling", BOTH, bench_enable },
	{ "add_cb", BOTH, bench_add },
	{ "add_cb/signaled", BOTH, bench_add_late },
	{ "remove_cb", BOTH, bench_remove },
	{ "remove_cb/signaled", BOTH, bench_remove_late },
	{ "wait/signaled", BOTH, bench_wait },
	{ "status/signaled", BOTH, bench_status_yes },
	{ "status/unsignaled", BOTH, bench_status_no },
	{ "timestamp", INLINE, bench_timestamp },
	{ "driver/signaled", INLINE, bench_driver_yes },
	{ "driver/unsignaled", INLINE, bench_driver_no },
	{ "timeline/signaled", INLINE, bench_timeline_yes },
	{ "timeline/unsignaled", INLINE, bench_timeline_no },
	{ "array-of-8/poll", BOTH, bench_array },
	{ "array-of-8/callback", BOTH, bench_array_cb },
	{ "chain-of-8/poll", BOTH, bench_chain },
	{ "chain-of-8/callback", BOTH, bench_chain_cb },
	{ "two-cpus/signal", BOTH, bench_contended },
};

struct result {
	s64 min, median;
};

static struct result results[ARRAY_SIZE(benches)][2];
static struct completion all_done;
static int error;

static int compare(const void *a, const void *b)
{
	s64 x = *(const s64 *)a, y = *(const s64 *)b;

	return x < y ? -1 : x > y;
}

static int measure(const struct bench *bench, spinlock_t *lock, struct result *result)
{
	static s64 samples[SAMPLES];

	for (int i = 0; i < SAMPLES; i++) {
		samples[i] = bench->run(lock);
		if (samples[i] < 0) {
			pr_err("fence-bench: %s: error %lld\n", bench->name, samples[i]);
			return samples[i];
		}
	}
	/* Do not let the freeing of these fences run into the next benchmark. */
	rcu_barrier();

	sort(samples, SAMPLES, sizeof(*samples), compare, NULL);
	result->min = samples[0];
	result->median = samples[SAMPLES / 2];
	return 0;
}

/* Not on a kernel with one CPU, nor anything else if only that is wanted. */
static bool skipped(const struct bench *bench)
{
	if (bench->run == bench_contended)
		return num_online_cpus() < 2;
	return contended;
}

static int measure_all(void *unused)
{
	sched_set_fifo(current);
	for (int i = 0; i < ARRAY_SIZE(benches) && !error; i++) {
		if (skipped(&benches[i]))
			continue;
		if (benches[i].locks & INLINE)
			error = measure(&benches[i], NULL, &results[i][0]);
		if (benches[i].locks & EXTERN && !error)
			error = measure(&benches[i], &external_lock, &results[i][1]);
	}
	kthread_complete_and_exit(&all_done, 0);
}

static int results_show(struct seq_file *seq, void *unused)
{
	for (int i = 0; i < ARRAY_SIZE(benches); i++) {
		if (skipped(&benches[i]))
			continue;
		if (benches[i].locks & INLINE)
			seq_printf(seq, "op %s inline %lld %lld\n", benches[i].name,
				   results[i][0].min, results[i][0].median);
		if (benches[i].locks & EXTERN)
			seq_printf(seq, "op %s extern %lld %lld\n", benches[i].name,
				   results[i][1].min, results[i][1].median);
	}
	seq_printf(seq, "sizeof dma_fence %zu\n", sizeof(struct dma_fence));
	seq_printf(seq, "sizeof dma_fence_cb %zu\n", sizeof(struct dma_fence_cb));
	seq_printf(seq, "sizeof dma_fence_ops %zu\n", sizeof(struct dma_fence_ops));
	seq_printf(seq, "sizeof dma_fence_array %zu\n", sizeof(struct dma_fence_array));
	seq_printf(seq, "sizeof dma_fence_chain %zu\n", sizeof(struct dma_fence_chain));
	return 0;
}

static struct dma_fence **held;

static void held_put(void)
{
	for (int i = 0; i < count; i++)
		dma_fence_put(held[i]);
	rcu_barrier();
	kvfree(held);
}

static int hold_many(void)
{
	held = kvcalloc(count, sizeof(*held), GFP_KERNEL);
	if (!held)
		return -ENOMEM;

	for (int i = 0; i < count; i++) {
		if (!strcmp(hold, "fence")) {
			if (fences_new(1, &plain_ops, NULL))
				goto nomem;
			held[i] = fences[0];
		} else {
			if (fences_new(MEMBERS, &plain_ops, NULL))
				goto nomem;
			held[i] = !strcmp(hold, "array") ? array_new(0) : chain_new(0);
			if (!held[i])
				goto nomem;
			for (int j = 0; j < MEMBERS; j++)
				dma_fence_signal(fences[j]);
		}
		dma_fence_signal(held[i]);
	}
	return 0;

nomem:
	held_put();
	return -ENOMEM;
}

static int __init fence_bench_init(void)
{
	struct task_struct *task;

	context = dma_fence_context_alloc(2);
	if (*hold)
		return hold_many();

	if (contended && num_online_cpus() < 2) {
		pr_err("fence-bench: contended needs two CPUs\n");
		return -ENODEV;
	}
	/* Not on CPU 0, which does the timekeeping, if there is another. */
	init_completion(&all_done);
	task = kthread_create_on_cpu(measure_all, NULL, num_online_cpus() > 1,
				     "fence-bench/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wake_up_process(task);
	wait_for_completion(&all_done);
	if (error)
		return error;

	return proc_create_single("fence-bench", 0444, NULL, results_show) ? 0 : -ENOMEM;
}

static void __exit fence_bench_exit(void)
{
	if (*hold)
		held_put();
	else
		remove_proc_entry("fence-bench", NULL);
}

module_init(fence_bench_init);
module_exit(fence_bench_exit);
MODULE_DESCRIPTION("What an operation on a dma_fence costs");
MODULE_LICENSE("GPL");
