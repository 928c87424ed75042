// SPDX-License-Identifier: GPL-2.0
/*
 * What amdgpu does for a fence of a ring, without hardware: emit it with an IB, as
 * a submission does, and signal it, as the interrupt does.
 *
 * Uses nothing that v7.3 does not have, but for the exports for tests. Loading it
 * runs the benchmark and prints to the kernel log:
 *
 *	amdgpu-bench: submit MEAN MIN		nanoseconds for amdgpu_ib_schedule()
 *	amdgpu-bench: interrupt MEAN MIN	nanoseconds for a fence that
 *						amdgpu_fence_process() signals
 *
 * of all, and of those in the fastest batch.
 */
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "amdgpu.h"

#define BATCH	64
#define BATCHES	2000
#define WARMUP	100
#define RING_DW	1024

static struct bench {
	struct amdgpu_device adev;
	struct amdgpu_ring ring;
	u32 ring_mem[RING_DW];
	u32 fence_mem;
} *bench;

static void bench_emit_fence(struct amdgpu_ring *ring, u64 addr, u64 seq, unsigned int flags)
{
}

static void bench_emit_ib(struct amdgpu_ring *ring, struct amdgpu_job *job,
			  struct amdgpu_ib *ib, u32 flags)
{
}

static void bench_set_wptr(struct amdgpu_ring *ring)
{
}

static void bench_insert_nop(struct amdgpu_ring *ring, u32 count)
{
}

static const struct amdgpu_ring_funcs bench_ring_funcs = {
	.type = AMDGPU_RING_TYPE_SDMA,
	.emit_fence = bench_emit_fence,
	.emit_ib = bench_emit_ib,
	.insert_nop = bench_insert_nop,
	.set_wptr = bench_set_wptr,
};

static int bench_batch(u64 *submit, u64 *interrupt)
{
	struct dma_fence *fence[BATCH];
	struct amdgpu_ib ib = {};
	u64 start;
	int i, ret;

	start = ktime_get_ns();
	for (i = 0; i < BATCH; i++) {
		ret = amdgpu_ib_schedule(&bench->ring, 1, &ib, NULL, &fence[i]);
		if (ret)
			return ret;
	}
	*submit = ktime_get_ns() - start;

	WRITE_ONCE(bench->fence_mem,
		   (__force u32)cpu_to_le32(bench->ring.fence_drv.sync_seq));
	start = ktime_get_ns();
	amdgpu_fence_process(&bench->ring);
	*interrupt = ktime_get_ns() - start;

	for (i = 0; i < BATCH; i++)
		dma_fence_put(fence[i]);
	return 0;
}

static int __init bench_init(void)
{
	u64 ns[2], sum[2] = {}, fastest[2] = { U64_MAX, U64_MAX };
	struct device *dev = root_device_register("amdgpu-bench");
	struct amdgpu_ring *ring;
	int i, k, ret;

	bench = vzalloc(sizeof(*bench));
	if (IS_ERR(dev) || !bench)
		return -ENOMEM;
	bench->adev.dev = dev;
	bench->adev.ddev.dev = dev;
	bench->adev.gmc.xgmi.connected_to_cpu = true;
	bench->adev.fence_context = dma_fence_context_alloc(AMDGPU_MAX_RINGS);
	ring = &bench->ring;
	ring->adev = &bench->adev;
	ring->funcs = &bench_ring_funcs;
	ring->ring = bench->ring_mem;
	ring->buf_mask = ring->ptr_mask = RING_DW - 1;
	ring->max_dw = RING_DW;
	ring->num_hw_submission = BATCH;
	ring->fence_cpu_addr = &bench->fence_mem;
	strscpy(ring->name, "amdgpu-bench");
	bench->adev.rings[0] = ring;
	ring->sched.ready = true;
	ret = amdgpu_fence_driver_init_ring(ring) ?:
	      amdgpu_fence_driver_start_ring(ring, NULL, 0);

	for (i = -WARMUP; i < BATCHES && !ret; i++) {
		ret = bench_batch(&ns[0], &ns[1]);
		for (k = 0; k < 2 && i >= 0; k++) {
			sum[k] += ns[k];
			fastest[k] = min(fastest[k], ns[k]);
		}
		cond_resched();
	}
	for (k = 0; k < 2 && !ret; k++)
		pr_info("amdgpu-bench: %s %llu %llu\n", k ? "interrupt" : "submit",
			sum[k] / (BATCHES * BATCH), fastest[k] / BATCH);
	/* Not to be unloaded: the machine ends after this. */
	return ret;
}
module_init(bench_init);

MODULE_LICENSE("GPL and additional rights");
MODULE_DESCRIPTION("Benchmark of the fences of amdgpu's rings");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
