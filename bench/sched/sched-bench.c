// SPDX-License-Identifier: GPL-2.0
/*
 * What a job costs that does nothing, from drm_sched_job_init() until it was
 * freed, through the whole scheduler; and what a scheduler costs that has one such
 * job, from drm_sched_init() until drm_sched_fini() has returned.
 *
 * Uses nothing that v7.3 does not have, so that one source is built unchanged
 * against the kernels that are to be compared. Loading it runs the benchmark and
 * prints one line each to the kernel log:
 *
 *	sched-bench: jobs MEAN MIN	nanoseconds for a job: of all, and of those
 *					in the fastest batch
 *	sched-bench: schedulers MEAN MAX
 *					nanoseconds for a scheduler, and for the
 *					longest drm_sched_fini()
 *	sched-bench: fence BYTES OBJECT	size of struct drm_sched_fence and of
 *					the memory that it takes
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/dma-fence.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <drm/gpu_scheduler.h>

#define BATCH	64
#define BATCHES	400
#define WARMUP	40
#define SCHEDS	64
#define ROUNDS	20

struct bench_gpu {
	struct drm_gpu_scheduler sched;
	struct drm_sched_entity entity;
};

struct bench_job {
	struct drm_sched_job base;
	struct dma_fence *hw_fence;
};

static atomic_t to_free;
static DECLARE_COMPLETION(freed);

static const char *bench_name(struct dma_fence *fence)
{
	return "sched-bench";
}

static const struct dma_fence_ops bench_fence_ops = {
	.get_driver_name = bench_name,
	.get_timeline_name = bench_name,
};

static struct dma_fence *bench_run_job(struct drm_sched_job *sched_job)
{
	return dma_fence_get(container_of(sched_job, struct bench_job, base)->hw_fence);
}

static enum drm_gpu_sched_stat bench_timedout_job(struct drm_sched_job *sched_job)
{
	return DRM_GPU_SCHED_STAT_ENODEV;
}

static void bench_free_job(struct drm_sched_job *sched_job)
{
	struct bench_job *job = container_of(sched_job, struct bench_job, base);

	drm_sched_job_cleanup(sched_job);
	dma_fence_put(job->hw_fence);
	kfree(job);
	if (atomic_dec_and_test(&to_free))
		complete(&freed);
}

static const struct drm_sched_backend_ops bench_ops = {
	.run_job = bench_run_job,
	.timedout_job = bench_timedout_job,
	.free_job = bench_free_job,
};

/* Jobs that wait for each other's hardware, as when a queue is full. */
static int bench_batch(struct drm_sched_entity *entity, u64 context, int batch, size_t *object)
{
	struct dma_fence *hw_fence[BATCH], *finished = NULL;
	struct bench_job *job;
	int i;

	atomic_set(&to_free, batch);
	reinit_completion(&freed);
	for (i = 0; i < batch; i++) {
		job = kzalloc(sizeof(*job), GFP_KERNEL);
		if (!job)
			return -ENOMEM;
		job->hw_fence = kzalloc(sizeof(*job->hw_fence), GFP_KERNEL);
		if (!job->hw_fence || drm_sched_job_init(&job->base, entity, 1, NULL, 0))
			return -ENOMEM;
		dma_fence_init(job->hw_fence, &bench_fence_ops, NULL, context, i + 1);
		hw_fence[i] = dma_fence_get(job->hw_fence);
		*object = ksize(job->base.s_fence);
		drm_sched_job_arm(&job->base);
		dma_fence_put(finished);
		finished = dma_fence_get(&job->base.s_fence->finished);
		drm_sched_entity_push_job(&job->base);
	}
	dma_fence_wait(&to_drm_sched_fence(finished)->scheduled, false);
	for (i = 0; i < batch; i++) {
		dma_fence_signal(hw_fence[i]);
		dma_fence_put(hw_fence[i]);
	}
	dma_fence_wait(finished, false);
	dma_fence_put(finished);
	wait_for_completion(&freed);
	return 0;
}

static int bench_gpu_init(struct bench_gpu *gpu, const struct drm_sched_init_args *args)
{
	struct drm_gpu_scheduler *list = &gpu->sched;
	int ret;

	ret = drm_sched_init(&gpu->sched, args);
	if (ret)
		return ret;
	ret = drm_sched_entity_init(&gpu->entity, DRM_SCHED_PRIORITY_NORMAL, &list, 1, NULL);
	if (ret)
		drm_sched_fini(&gpu->sched);
	return ret;
}

static u64 bench_gpu_fini(struct bench_gpu *gpu)
{
	u64 start;

	drm_sched_entity_destroy(&gpu->entity);
	start = ktime_get_ns();
	drm_sched_fini(&gpu->sched);
	return ktime_get_ns() - start;
}

/* As a driver that has a scheduler for each queue, when a client goes. */
static int bench_schedulers(const struct drm_sched_init_args *args, u64 context)
{
	struct bench_gpu *gpu = kcalloc(SCHEDS, sizeof(*gpu), GFP_KERNEL);
	u64 start, sum = 0, longest = 0;
	int round, i, inits, ret = 0;
	size_t object;

	if (!gpu)
		return -ENOMEM;
	/* The first one is a warm-up. */
	for (round = -1; round < ROUNDS && !ret; round++) {
		memset(gpu, 0, SCHEDS * sizeof(*gpu));
		start = ktime_get_ns();
		for (inits = 0; inits < SCHEDS && !ret; inits++) {
			ret = bench_gpu_init(&gpu[inits], args);
			if (ret)
				break;
		}
		for (i = 0; i < inits && !ret; i++)
			ret = bench_batch(&gpu[i].entity, context, 1, &object);
		for (i = 0; i < inits; i++)
			longest = max(longest, bench_gpu_fini(&gpu[i]));
		if (round >= 0)
			sum += ktime_get_ns() - start;
		else
			longest = 0;
	}
	if (!ret)
		pr_info("sched-bench: schedulers %llu %llu\n", sum / (ROUNDS * SCHEDS), longest);
	kfree(gpu);
	return ret;
}

static int __init bench_init(void)
{
	struct device *dev = root_device_register("sched-bench");
	struct drm_sched_init_args args = {
		.ops = &bench_ops,
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
		.credit_limit = BATCH,
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.name = "sched-bench",
		.dev = dev,
	};
	u64 start, ns, sum = 0, fastest = U64_MAX;
	struct bench_gpu *gpu = kzalloc(sizeof(*gpu), GFP_KERNEL);
	u64 context = dma_fence_context_alloc(1);
	size_t object = 0;
	int i, ret = -ENOMEM;

	if (IS_ERR(dev) || !gpu)
		goto out;
	ret = bench_gpu_init(gpu, &args);
	if (ret)
		goto out;

	for (i = -WARMUP; i < BATCHES && !ret; i++) {
		start = ktime_get_ns();
		ret = bench_batch(&gpu->entity, context, BATCH, &object);
		ns = ktime_get_ns() - start;
		if (i >= 0) {
			sum += ns;
			fastest = min(fastest, ns);
		}
	}
	if (!ret) {
		pr_info("sched-bench: jobs %llu %llu\n", sum / (BATCHES * BATCH), fastest / BATCH);
		pr_info("sched-bench: fence %zu %zu\n", sizeof(struct drm_sched_fence), object);
	}
	bench_gpu_fini(gpu);
	if (!ret)
		ret = bench_schedulers(&args, context);
out:
	kfree(gpu);
	if (!IS_ERR(dev))
		root_device_unregister(dev);
	return ret;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
}
module_exit(bench_exit);

MODULE_DESCRIPTION("Cost of a job of the DRM scheduler");
MODULE_LICENSE("GPL");
