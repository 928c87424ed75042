// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the test VM.
 *
 * Runs the commands in /commands, one "NAME COMMAND..." a line, each by
 * "/bin/sh -c", and reports over the second serial port, which the kernel does
 * not write to:
 *
 *	run NAME
 *	| one line of the command's output
 *	exit NAME STATUS
 *	kmemleak NUMBER		only if the kernel has kmemleak
 *	verdict pass|fail	last: without it the results are not complete
 *
 * A line that is only the word "shell" is a shell on the console instead, of which
 * SHELL_ON in the environment says whether it is a terminal ("tty") or something
 * that sends commands and wants nothing but their output ("pipe"). Its output is not
 * reported, and memory that it leaked is not looked for.
 *
 * Then it resets the machine, which ends a QEMU that was started with
 * -no-reboot. The lines "run" and "exit" are written to the kernel log too, so
 * that what the kernel says can be put down to a command.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define KMEMLEAK "/sys/kernel/debug/kmemleak"

static FILE *result;
static FILE *kmsg;

__attribute__((noreturn)) static void reset(void)
{
	if (result) {
		fflush(result);
		tcdrain(fileno(result));
	}
	reboot(RB_AUTOBOOT);
	/* PID 1 must not return: the kernel panics if it does. */
	for (;;)
		pause();
}

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *fmt, ...)
{
	FILE *to = result ? result : stderr;
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	fputs("init: ", to);
	vfprintf(to, fmt, ap);
	fprintf(to, ": %s\n", strerror(err));
	va_end(ap);
	reset();
}

static void mount_at(const char *type, const char *dir, int required)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, 0, NULL) && errno != EBUSY && required)
		die("cannot mount %s at %s", type, dir);
}

static void open_result(void)
{
	struct termios tio;

	result = fopen("/dev/ttyS1", "we");
	if (!result)
		die("cannot open /dev/ttyS1");
	if (tcgetattr(fileno(result), &tio))
		die("cannot read the settings of /dev/ttyS1");
	cfmakeraw(&tio);
	cfsetspeed(&tio, B115200);
	if (tcsetattr(fileno(result), TCSANOW, &tio))
		die("cannot set /dev/ttyS1 to raw mode");
}

/* Says it on the result port and, as one record, in the kernel log. */
__attribute__((format(printf, 1, 2)))
static void report(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fprintf(result, "%s\n", line);
	fflush(result);
	/* KERN_INFO: what a shell is open on shows warnings. */
	fprintf(kmsg, "<6>vm: %s\n", line);
	fflush(kmsg);
}

/* Copies a command's output, so that no line of it can pass for one of ours. */
static void copy_output(int fd)
{
	FILE *in = fdopen(fd, "r");
	int c, start = 1;

	if (!in)
		die("cannot read a pipe");
	while ((c = getc(in)) != EOF) {
		if (start)
			fputs("| ", result);
		putc(c, result);
		start = c == '\n';
		if (start)
			fflush(result);
	}
	if (!start)
		putc('\n', result);
	fclose(in);
}

/* Returns the exit status of the command, 128 + the signal if it was killed. */
static int run(const char *command)
{
	int pipefd[2], status;
	pid_t pid, p;

	if (pipe2(pipefd, O_CLOEXEC))
		die("cannot make a pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (!pid) {
		int null = open("/dev/null", O_RDONLY);

		setsid();
		dup2(null, 0);
		dup2(pipefd[1], 1);
		dup2(pipefd[1], 2);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(pipefd[1]);
	copy_output(pipefd[0]);
	/* Reap what the command left behind as well. */
	do {
		p = wait(&status);
		if (p < 0 && errno != EINTR)
			die("cannot wait for a command");
	} while (p != pid);
	kill(-pid, SIGKILL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Whether commands come from something that is no terminal. */
static int shell_on_pipe(void)
{
	const char *on = getenv("SHELL_ON");

	return on && !strcmp(on, "pipe");
}

static int open_console(void)
{
	int fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios tio;

	if (fd < 0 || tcgetattr(fd, &tio))
		die("cannot open /dev/ttyS0");
	/* A file of commands is not echoed. */
	if (shell_on_pipe())
		tio.c_lflag &= ~ECHO;
	if (tcsetattr(fd, TCSANOW, &tio))
		die("cannot set /dev/ttyS0");
	/* Not the boot, but warnings from now on: SYSLOG_ACTION_CONSOLE_LEVEL. */
	klogctl(8, NULL, 5);
	return fd;
}

/* The shell gets a session, so that it has job control and Ctrl-C. */
static int run_shell(int tty)
{
	struct utsname uts;
	pid_t pid, p;
	int status;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (!pid) {
		setsid();
		ioctl(tty, TIOCSCTTY, 0);
		dup2(tty, 0);
		dup2(tty, 1);
		dup2(tty, 2);
		if (shell_on_pipe()) {
			/* With the name of a file it does not prompt. */
			execl("/bin/sh", "sh", "/dev/ttyS0", NULL);
			_exit(127);
		}
		uname(&uts);
		printf("Linux %s. The tests are in /test (\"fence_unload -l\" lists them). \"exit\" or Ctrl-A X leaves.\n",
		       uts.release);
		fflush(stdout);
		execl("/bin/sh", "sh", "-i", NULL);
		_exit(127);
	}
	/* Reap what the shell left behind as well. */
	do {
		p = wait(&status);
		if (p < 0 && errno != EINTR)
			die("cannot wait for the shell");
	} while (p != pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void kmemleak_scan(void)
{
	int fd = open(KMEMLEAK, O_WRONLY);

	if (fd < 0)
		die("cannot open " KMEMLEAK);
	if (write(fd, "scan", 4) != 4)
		die("cannot scan with " KMEMLEAK);
	close(fd);
}

/*
 * An object that looks leaked is reported when the following scan finds it
 * unchanged and it is at least 5 s old (MSECS_MIN_AGE in mm/kmemleak.c).
 */
static int kmemleak(void)
{
	char *line = NULL;
	size_t size = 0;
	int leaks = 0;
	FILE *in;

	if (access(KMEMLEAK, F_OK))
		return 0;
	sleep(6);
	kmemleak_scan();
	kmemleak_scan();
	in = fopen(KMEMLEAK, "re");
	if (!in)
		die("cannot read " KMEMLEAK);
	while (getline(&line, &size, in) >= 0) {
		leaks += !strncmp(line, "unreferenced object", 19);
		fprintf(result, "| %s", line);
	}
	free(line);
	fclose(in);
	report("kmemleak %d", leaks);
	return leaks;
}

int main(void)
{
	char *line = NULL, *name, *command;
	size_t size = 0;
	int failed = 0, status, tty = -1;
	FILE *in;

	setenv("PATH", "/sbin:/bin:/test", 1);
	setenv("HOME", "/", 1);
	/* There is nobody at this machine. */
	setenv("FENCE_UNLOAD_DISPLAYS", "y", 1);
	mount_at("proc", "/proc", 1);
	mount_at("sysfs", "/sys", 1);
	mount_at("devtmpfs", "/dev", 1);
	mount_at("tmpfs", "/tmp", 1);
	mount_at("debugfs", "/sys/kernel/debug", 0);
	mount_at("tracefs", "/sys/kernel/tracing", 0);
	mount_at("configfs", "/sys/kernel/config", 0);
	open_result();
	kmsg = fopen("/dev/kmsg", "we");
	if (!kmsg)
		die("cannot open /dev/kmsg");
	in = fopen("/commands", "re");
	if (!in)
		die("cannot open /commands");
	while (getline(&line, &size, in) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		name = strtok(line, " ");
		command = strtok(NULL, "");
		if (!name || (!command && strcmp(name, "shell")))
			continue;
		/* What "run" tells to send commands must not be too early. */
		if (!command)
			tty = open_console();
		report("run %s", name);
		status = command ? run(command) : run_shell(tty);
		report("exit %s %d", name, status);
		/* 4: KSFT_SKIP */
		failed += status != 0 && status != 4;
	}
	failed += tty < 0 && kmemleak() != 0;
	report("verdict %s", failed ? "fail" : "pass");
	reset();
}
