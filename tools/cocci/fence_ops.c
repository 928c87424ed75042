/* What scripts/coccinelle/dma-buf/fence_ops.cocci has to find, and what not. */
struct my_fence {
	struct dma_fence base;
	struct dma_fence *parent;
};

static const struct dma_fence_ops detaching_ops = {
	.get_driver_name = my_name,
	.get_timeline_name = my_name,
};

static const struct dma_fence_ops releasing_ops = {
	.get_driver_name = my_name,
	.get_timeline_name = my_name,
	.release = my_release,
};

static const struct dma_fence_ops waiting_ops = {
	.get_driver_name = my_name,
	.wait = my_wait,
	.get_timeline_name = my_name,
};

bool compare(struct dma_fence *fence)
{
	return fence->ops == &releasing_ops; /* found */
}

bool compare_embedded(struct my_fence *f)
{
	if (f->base.ops != &releasing_ops) /* found */
		return false;

	return f->parent->ops != NULL; /* found */
}

bool test(struct my_fence *f)
{
	if (!f->base.ops) /* found */
		return false;
	return f->parent->ops; /* found */
}

void dereference(struct dma_fence *fence)
{
	const struct dma_fence_ops *ops = fence->ops; /* found */

	if (fence->ops->enable_signaling) /* found */
		ops->enable_signaling(fence);
}

void clear(struct my_fence *f)
{
	f->base.ops = NULL; /* found */
}

#define NAME(x) ((x)->fence->ops->get_driver_name((x)->fence)) /* found */

struct dma_fence *detached(struct dma_fence *fence)
{
	BUG_ON(rcu_access_pointer(fence->ops) != &detaching_ops); /* found */
	return rcu_access_pointer(fence->ops) == &detaching_ops ? fence : NULL; /* found */
}

/* These fences keep their ops. */
bool kept(struct dma_fence *fence)
{
	return rcu_access_pointer(fence->ops) == &releasing_ops ||
	       rcu_access_pointer(fence->ops) == &waiting_ops;
}

bool accessors(struct my_fence *f)
{
	const struct dma_fence_ops *ops;
	bool ret;

	rcu_read_lock();
	ops = rcu_dereference(f->base.ops);
	ret = ops && ops->signaled && ops->signaled(&f->base);
	rcu_read_unlock();

	if (rcu_dereference_protected(f->parent->ops, true))
		RCU_INIT_POINTER(f->parent->ops, NULL);

	return ret && rcu_access_pointer(f->base.ops);
}

/* The ops of something else. */
struct my_test {
	const struct dma_fence_ops *ops;
};

const char *other_name(struct my_test *test)
{
	return test->ops->get_driver_name(NULL);
}

void other(struct drm_sched *sched, struct my_object *obj)
{
	sched->ops->run_job(sched);
	obj->base.ops = NULL;
}
