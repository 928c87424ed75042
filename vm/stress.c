// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tests of a kselftest_harness program in random order, for a time:
 *
 *	stress SEED SECONDS PROGRAM TESTS-FILE
 *
 * with random delays between them, while the second CPU goes and comes back,
 * while another thread reads what debugfs says about dma-bufs and sync_files,
 * and with all events of dma_fence traced. A part of the tests of held fences and
 * of races runs with allocations failing, if the kernel has failslab: these may
 * fail then, the others must not. The same seed gives the same order.
 *
 * Prints how much was done, in lines "NUMBER WHAT". Exit status 0 only if every
 * test passed that had to. What the kernel said is for others to judge.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CPU1 "/sys/devices/system/cpu/cpu1/online"
#define FAILSLAB "/sys/kernel/debug/failslab/"
#define INSTANCES "/sys/kernel/tracing/instances/"
#define TEST_LOG "/tmp/stress.log"

static bool stop;
static unsigned long hotplugs;

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	exit(1);
}

__attribute__((format(printf, 2, 3)))
static void write_file(const char *path, const char *fmt, ...)
{
	FILE *file = fopen(path, "we");
	va_list ap;

	if (!file)
		die(path);
	va_start(ap, fmt);
	vfprintf(file, fmt, ap);
	va_end(ap);
	if (fclose(file))
		die(path);
}

/* No CPU goes while a PCI device is being probed: EBUSY, tried again. */
static void write_cpu1(const char *online)
{
	ssize_t n;
	int fd = open(CPU1, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		die(CPU1);
	while ((n = write(fd, online, 1)) < 0 && errno == EBUSY)
		usleep(1000);
	if (n != 1)
		die(CPU1);
	close(fd);
}

static void read_file(const char *path)
{
	char buf[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
		;
	if (fd >= 0)
		close(fd);
}

/* What counts things: an instance of the tracer that only sees one event */

static void count(const char *name, const char *event, const char *filter)
{
	char path[256];

	snprintf(path, sizeof(path), INSTANCES "%s", name);
	if (mkdir(path, 0755))
		die(path);
	snprintf(path, sizeof(path), INSTANCES "%s/buffer_size_kb", name);
	write_file(path, "64");
	if (filter) {
		snprintf(path, sizeof(path), INSTANCES "%s/events/%s/filter", name, event);
		write_file(path, "%s", filter);
	}
	snprintf(path, sizeof(path), INSTANCES "%s/events/%s/enable", name, event);
	write_file(path, "1");
}

/* Of all CPUs, those that are off too; what was overwritten was there too. */
static unsigned long counted(const char *name)
{
	unsigned long sum = 0, n;
	char path[512], line[128];
	struct dirent *cpu;
	FILE *stats;
	DIR *dir;

	snprintf(path, sizeof(path), INSTANCES "%s/per_cpu", name);
	dir = opendir(path);
	if (!dir)
		die(path);
	while ((cpu = readdir(dir))) {
		snprintf(path, sizeof(path), INSTANCES "%s/per_cpu/%s/stats", name, cpu->d_name);
		stats = cpu->d_name[0] == '.' ? NULL : fopen(path, "re");
		while (stats && fgets(line, sizeof(line), stats))
			if (sscanf(line, "entries: %lu", &n) == 1 ||
			    sscanf(line, "overrun: %lu", &n) == 1 ||
			    sscanf(line, "dropped events: %lu", &n) == 1)
				sum += n;
		if (stats)
			fclose(stats);
	}
	closedir(dir);
	return sum;
}

static void *hotplug(void *seed)
{
	unsigned int random = *(unsigned int *)seed;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		usleep(rand_r(&random) % 1000000);
		write_cpu1("0");
		usleep(rand_r(&random) % 100000);
		write_cpu1("1");
		hotplugs++;
	}
	return NULL;
}

static void *describe(void *seed)
{
	unsigned int random = *(unsigned int *)seed + 1;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		read_file("/sys/kernel/debug/dma_buf/bufinfo");
		read_file("/sys/kernel/debug/sync/info");
		usleep(rand_r(&random) % 20000);
	}
	return NULL;
}

/* Returns the status of wait(). What it starts inherits the failing allocations. */
static int run(const char *program, const char *test, bool failing)
{
	int status, log;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		log = open(TEST_LOG, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (log < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
			_exit(127);
		if (failing)
			write_file("/proc/self/make-it-fail", "1");
		execl(program, program, "-r", test, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	return status;
}

static bool skipped(void)
{
	return !system("grep -q '^ok .*# SKIP' " TEST_LOG);
}

/* The tests whose driver is not asked for more than fences */
static bool only_fences(const char *test)
{
	return !strncmp(test, "held.", 5) || !strncmp(test, "race.", 5);
}

int main(int argc, char **argv)
{
	unsigned long runs = 0, failing = 0, failed = 0, skips = 0;
	unsigned int seed, random;
	char **tests = NULL, *line = NULL;
	bool have_failslab, short_of_memory;
	struct timespec now, end;
	pthread_t threads[2];
	size_t size = 0, n = 0;
	const char *test;
	int status;
	FILE *in;

	if (argc != 5) {
		fprintf(stderr, "usage: stress SEED SECONDS PROGRAM TESTS-FILE\n");
		return 2;
	}
	seed = random = strtoul(argv[1], NULL, 10);
	in = fopen(argv[4], "re");
	while (in && getline(&line, &size, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		tests = realloc(tests, (n + 1) * sizeof(*tests));
		if (!tests)
			die("realloc");
		tests[n++] = strdup(line);
	}
	if (!n)
		die(argv[4]);

	have_failslab = !access(FAILSLAB, F_OK);
	if (have_failslab) {
		write_file(FAILSLAB "task-filter", "Y");
		write_file(FAILSLAB "ignore-gfp-wait", "N");
		write_file(FAILSLAB "verbose", "0");
		write_file(FAILSLAB "times", "-1");
		write_file(FAILSLAB "probability", "2");
	}
	count("unloads", "module/module_free", NULL);
	count("fences", "dma_fence/dma_fence_init", NULL);
	/* ioctl() and poll() of x86_64 */
	count("calls", "raw_syscalls/sys_enter", "id == 16 || id == 7");
	write_file("/sys/kernel/tracing/events/dma_fence/enable", "1");

	if (pthread_create(&threads[0], NULL, hotplug, &seed) ||
	    pthread_create(&threads[1], NULL, describe, &seed))
		die("pthread_create");

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now;
	end.tv_sec += strtoul(argv[2], NULL, 10);
	do {
		test = tests[rand_r(&random) % n];
		/* A display takes seconds to come and go, which others need for many unloads. */
		if (!only_fences(test) && rand_r(&random) % 4)
			continue;
		short_of_memory = rand_r(&random) % 4 == 0 && have_failslab && only_fences(test);
		usleep(rand_r(&random) % 50000);
		write_file("/dev/kmsg", "stress: %lu %s%s\n", runs, test,
			   short_of_memory ? ", short of memory" : "");
		status = run(argv[3], test, short_of_memory);
		runs++;
		failing += short_of_memory;
		if (!short_of_memory && status) {
			failed++;
			printf("run %lu: %s: wait status %#x\n", runs - 1, test, status);
			fflush(stdout);
			system("cat " TEST_LOG);
		} else if (!short_of_memory) {
			skips += skipped();
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec);

	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	printf("%lu tests\n%lu with failing allocations\n%lu tests skipped\n%lu tests failed\n",
	       runs, failing, skips, failed);
	printf("%lu times CPU 1 off and on\n%lu unloads\n%lu fences\n%lu ioctl() and poll()\n",
	       hotplugs, counted("unloads"), counted("fences"), counted("calls"));
	return failed || skips;
}
