// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run a command, and wait for what user space is told of a pool:
 *
 *	kho_pool_told POOL FILE COMMAND...	FILE is one of the pool's in sysfs
 *
 * Says what udev gets to know, "KHO_POOL_CHANGED=...", when poll() of the file has returned
 * too.  Whatever the command ends with does not matter.
 */
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORD	"KHO_POOL_CHANGED="

static void try(long result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(2);
}

/* What is said of this pool, or NULL.  A message is strings, the first "change@PATH". */
static const char *told(const char *text, const char *end, const char *pool)
{
	char first[120];

	snprintf(first, sizeof(first), "change@/kernel/mm/kho_pool/%s", pool);
	if (strcmp(text, first))
		return NULL;
	for (; text < end; text += strlen(text) + 1)
		if (!strncmp(text, WORD, strlen(WORD)))
			return text;
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_nl all = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	struct pollfd fds[2] = { { .events = POLLPRI }, { .events = POLLIN } };
	char path[200], text[4096 + 1];
	const char *word = NULL;
	pid_t child;
	ssize_t nr;

	if (argc < 4) {
		fprintf(stderr, "usage: kho_pool_told POOL FILE COMMAND...\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/sys/kernel/mm/kho_pool/%s/%s", argv[1], argv[2]);
	try(fds[0].fd = open(path, O_RDONLY), path);
	/* Only what comes after that counts. */
	try(read(fds[0].fd, text, sizeof(text)), path);
	try(fds[1].fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT), "socket");
	try(bind(fds[1].fd, (struct sockaddr *)&all, sizeof(all)), "bind");
	try(child = fork(), "fork");
	if (!child) {
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		execvp(argv[3], argv + 3);
		perror(argv[3]);
		_exit(127);
	}
	/* If nothing is told, the test does not end. */
	while (!word || fds[0].fd >= 0) {
		try(poll(fds, 2, -1), "poll");
		if (fds[0].revents & POLLPRI)
			fds[0].fd = -1;
		if (!(fds[1].revents & POLLIN))
			continue;
		try(nr = recv(fds[1].fd, text, sizeof(text) - 1, 0), "recv");
		text[nr] = 0;
		word = told(text, text + nr, argv[1]) ?: word;
		if (word)
			fds[1].fd = -1;
	}
	puts(word);
	try(waitpid(child, NULL, 0), "waitpid");
	return 0;
}
