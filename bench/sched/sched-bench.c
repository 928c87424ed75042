// SPDX-License-Identifier: GPL-2.0
/*
 * What a job costs that does nothing, from drm_sched_job_init() until it was
 * freed, through the whole scheduler.
 *
 * Uses nothing that v7.3 does not have, so that one source is built unchanged
 * against the kernels that are to be compared. Loading it runs the benchmark and
 * prints one line each to the kernel log:
 *
 *	sched-bench: jobs MEAN MIN	nanoseconds for a job: of all, and of those
 *					in the fastest batch
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
static int bench_batch(struct drm_sched_entity *entity, u64 context, size_t *object)
{
	struct dma_fence *hw_fence[BATCH], *finished = NULL;
	struct bench_job *job;
	int i;

	atomic_set(&to_free, BATCH);
	reinit_completion(&freed);
	for (i = 0; i < BATCH; i++) {
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
	for (i = 0; i < BATCH; i++) {
		dma_fence_signal(hw_fence[i]);
		dma_fence_put(hw_fence[i]);
	}
	dma_fence_wait(finished, false);
	dma_fence_put(finished);
	wait_for_completion(&freed);
	return 0;
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
	struct drm_gpu_scheduler *list;
	struct {
		struct drm_gpu_scheduler sched;
		struct drm_sched_entity entity;
	} *gpu = kzalloc(sizeof(*gpu), GFP_KERNEL);
	u64 context = dma_fence_context_alloc(1);
	size_t object = 0;
	int i, ret = -ENOMEM;

	if (IS_ERR(dev) || !gpu)
		goto out;
	ret = drm_sched_init(&gpu->sched, &args);
	if (ret)
		goto out;
	list = &gpu->sched;
	ret = drm_sched_entity_init(&gpu->entity, DRM_SCHED_PRIORITY_NORMAL, &list, 1, NULL);
	if (ret)
		goto out_sched;

	for (i = -WARMUP; i < BATCHES && !ret; i++) {
		start = ktime_get_ns();
		ret = bench_batch(&gpu->entity, context, &object);
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
	drm_sched_entity_destroy(&gpu->entity);
out_sched:
	drm_sched_fini(&gpu->sched);
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
