// SPDX-License-Identifier: GPL-2.0-only
/*
 * Touch a page of a device that has a memory error, or give it one:
 *
 *	kho_pool_bad DEVICE SIZE OFFSET		what happens on a read there?
 *	kho_pool_bad DEVICE SIZE OFFSET poison	the same, with an error made first
 *
 * Says "read" or "SIGBUS", and exits with 0 unless something else happens.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf env;
static volatile char *touched;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	unsigned long distance = (unsigned long)info->si_addr ^ (unsigned long)touched;
	int page = getpagesize();

	/* Memory is bad: this page, and no more of a huge one that it may be in. */
	siglongjmp(env, info->si_code == BUS_MCEERR_AR && !(distance / page) &&
		   1 << info->si_addr_lsb == page ? 1 : 2);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	unsigned long size, offset;
	char *mem;
	int fd;

	if (argc < 4) {
		fprintf(stderr, "usage: kho_pool_bad DEVICE SIZE OFFSET [poison]\n");
		return 2;
	}
	size = strtoul(argv[2], NULL, 0);
	offset = strtoul(argv[3], NULL, 0);
	fd = open(argv[1], O_RDWR);
	if (fd < 0) {
		perror(argv[1]);
		return 2;
	}
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	touched = mem + offset;
	sigaction(SIGBUS, &action, NULL);
	switch (sigsetjmp(env, 1)) {
	case 0:
		break;
	case 1:
		puts("SIGBUS");
		return 0;
	default:
		puts("SIGBUS of another kind, or elsewhere");
		return 2;
	}
	if (argc > 4) {
		*touched = *touched;
		if (madvise((void *)touched, getpagesize(), MADV_HWPOISON)) {
			perror("madvise");
			return 2;
		}
	}
	(void)*touched;
	puts("read");
	return 0;
}
