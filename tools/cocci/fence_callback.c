/* What scripts/coccinelle/dma-buf/fence_callback.cocci has to find, and what not. */
struct my_wait {
	struct dma_fence_cb base;
	struct task_struct *task;
};

static void my_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct my_wait *wait = container_of(cb, struct my_wait, base);

	wake_up_process(wait->task);
}

void result_ignored(struct dma_fence *fence, struct my_wait *wait)
{
	dma_fence_add_callback(fence, &wait->base, my_cb); /* found */
}

/* This one is right, which is for a reader to see. */
void removed(struct my_fence *f)
{
	struct my_wait wait = { .task = current };

	if (!dma_fence_add_callback(&f->base, &wait.base, my_cb)) { /* found */
		schedule();
		dma_fence_remove_callback(&f->base, &wait.base);
	}
}

int variable(struct dma_fence *fence, struct my_wait *wait, dma_fence_func_t func)
{
	int ret;

	ret = dma_fence_add_callback(fence, &wait->base, func); /* found */
	return ret == -ENOENT ? 0 : ret;
}

bool condition(struct dma_fence *fence, struct my_wait *wait)
{
	return !fence || dma_fence_add_callback(fence, &wait->base, /* found */
						my_cb);
}

void others(struct dma_fence *fence, struct my_wait *wait, struct my_list *list)
{
	dma_fence_remove_callback(fence, &wait->base);
	dma_fence_flush_callbacks(fence);
	my_add_callback(list, &wait->base, my_cb);
}
