// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the benchmark: loads the module, writes /result, powers off. With an
 * argument (fence, array or chain) it counts the slab objects behind one of
 * these instead, in a boot of its own, where nothing was freed before.
 *
 * The root is a host folder, so /result is a file of the host. Its last line is
 * "end"; without that, something went wrong and the console says what.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MODULE	"/fence-bench.ko"

/* So many objects of one kind that others hardly matter in the count. */
#define HOLD	32768

static void power_off(void)
{
	sync();
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
	_exit(1);
}

static void die(const char *what)
{
	fprintf(stderr, "init: %s: %s\n", what, strerror(errno));
	power_off();
}

static void load(const char *parameters)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, parameters, 0))
		die("load " MODULE);
	close(fd);
}

/* How many objects there are in all slab caches, and their bytes. */
static void slab(long *objects, long *bytes)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	char line[512];

	if (!f)
		die("/proc/slabinfo");
	*objects = *bytes = 0;
	while (fgets(line, sizeof(line), f)) {
		long active, size;

		if (sscanf(line, "%*s %ld %*d %ld", &active, &size) == 2) {
			*objects += active;
			*bytes += active * size;
		}
	}
	fclose(f);
}

static void count(FILE *result, const char *kind)
{
	long objects[2], bytes[2];
	char parameters[64];

	slab(&objects[0], &bytes[0]);
	snprintf(parameters, sizeof(parameters), "hold=%s count=%d", kind, HOLD);
	load(parameters);
	slab(&objects[1], &bytes[1]);
	fprintf(result, "slab %s %.2f %.1f\n", kind,
		(double)(objects[1] - objects[0]) / HOLD,
		(double)(bytes[1] - bytes[0]) / HOLD);
}

static void measure(FILE *result)
{
	char line[256];
	FILE *bench;

	load("");
	bench = fopen("/proc/fence-bench", "r");
	if (!bench)
		die("/proc/fence-bench");
	while (fgets(line, sizeof(line), bench))
		fputs(line, result);
	fclose(bench);
}

int main(int argc, char **argv)
{
	FILE *result;

	if (mount("proc", "/proc", "proc", 0, NULL))
		die("mount /proc");
	result = fopen("/result", "w");
	if (!result)
		die("/result");
	if (argc > 1)
		count(result, argv[1]);
	else
		measure(result);
	fputs("end\n", result);
	if (fclose(result))
		die("/result");
	power_off();
}
