// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long does a guest stand still when its host is kexec'd?
 *
 *	kho_pool_blackout load KERNEL INITRD COMMAND-LINE
 *	kho_pool_blackout leave WAY MIB		run a guest, pause it, kexec
 *	kho_pool_blackout enter WAY		let it continue
 *
 * WAY is how its memory gets to the next kernel: pool, pool-2m, memfd, reserve_mem.
 * The last one prints when things happened, by a clock that continues over the kexec.
 */
#include <fcntl.h>
#include <linux/reboot.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "blackout.h"

void *memory;
uint64_t memory_size;
struct saved *saved;

static const struct way *const ways[] = {
	&pool_way, &pool_2m_way, &memfd_way, &reserve_way, NULL
};

static const struct way *way;

enum stamp { PREPARE, PREPARED, PAUSED, SAVED, PUT, ENTER, FOUND, GOT, RESTORED, NR_STAMPS };

static const char *const stamp_names[] = {
	"prepare", "prepared", "paused", "saved", "put", "enter", "found", "got", "restored",
};

/* Before there is anywhere else to note them. */
static uint64_t stamps[NR_STAMPS];

static uint64_t now(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	uint64_t count;

	asm volatile("isb; mrs %0, cntvct_el0" : "=r"(count));
	return count;
#endif
}

/* In the kernel's log, so that its times can be put in line with ours. */
static void mark(void)
{
	FILE *f = fopen("/dev/kmsg", "w");

	if (!f)
		fail("/dev/kmsg: %m");
	fprintf(f, "kho_pool_blackout: clock %llu\n", (unsigned long long)now());
	fclose(f);
}

/* So that the kernel says where it puts what: kexec-tools may not know this flag. */
#define FILE_DEBUG	8

static int load(const char *kernel, const char *initrd, const char *line)
{
	if (syscall(SYS_kexec_file_load, open(kernel, O_RDONLY), open(initrd, O_RDONLY),
		    strlen(line) + 1, line, FILE_DEBUG))
		fail("kexec_file_load: %m");
	return 0;
}

static int leave(uint64_t size)
{
	struct machine m = {};
	uint64_t us;

	memory_size = size;
	way->make(size);
	machine_create(&m, memory, size);
	machine_start(&m, 4096);
	machine_round(&m, 0);
	stamps[PREPARE] = now();
	way->prepare();
	stamps[PREPARED] = now();
	us = machine_round(&m, 0);
	mark();
	machine_run_for(&m, us / 2);
	stamps[PAUSED] = now();
	machine_save(&m, saved, guest_page(&m)->at);
	stamps[SAVED] = now();
	way->put();
	stamps[PUT] = now();
	memcpy(saved->stamps, stamps, sizeof(stamps));
	saved->sum = saved_sum(saved);
	reboot(LINUX_REBOOT_CMD_KEXEC);
	fail("kexec: %m");
}

/* Rounds of the guest: the rest of the one that it was in, and whole ones. */
static uint64_t one_round(struct machine *m)
{
	uint64_t begin = now(), rest;

	while (machine_run(m) != AT_DOORBELL)
		;
	rest = now() - begin;
	return rest;
}

static int enter(void)
{
	struct machine m = {};
	uint64_t count, at, rest, first;
	struct mapped mapped;

	stamps[ENTER] = now();
	way->find();
	stamps[FOUND] = now();
	way->get();
	stamps[GOT] = now();
	machine_create(&m, memory, memory_size);
	machine_restore(&m, saved);
	stamps[RESTORED] = now();
	rest = one_round(&m);

	/* The blackout is over.  Was it worth it? */
	memcpy(stamps, saved->stamps, ENTER * sizeof(stamps[0]));
	mark();
	count = saved->count;
	at = saved->position;
	if (guest_page(&m)->count != count + 1 || !at || at + 1 >= guest_page(&m)->words)
		fail("the guest has not been paused in the middle of a round and gone on");
	first = one_round(&m);
	/* Looks at all memory, too. */
	machine_round(&m, 0);
	arch_mapped(&m, &mapped);
	way->finish();
	printf("{\"bytes\": %llu, \"count\": %llu, \"paused_at\": %llu, \"words\": %llu, ",
	       (unsigned long long)memory_size, (unsigned long long)count,
	       (unsigned long long)at, (unsigned long long)guest_page(&m)->words);
	printf("\"rest_of_round\": %llu, \"round\": %llu, \"faults\": %ld, ",
	       (unsigned long long)rest, (unsigned long long)first, mapped.faults);
	printf("\"pages_4k\": %ld, \"pages_2m\": %ld, \"pages_1g\": %ld, \"stamps\": {",
	       mapped.pages_4k, mapped.pages_2m, mapped.pages_1g);
	for (int i = 0; i < NR_STAMPS; i++)
		printf("%s\"%s\": %llu", i ? ", " : "", stamp_names[i],
		       (unsigned long long)stamps[i]);
	printf("}}\n");
	return 0;
}

int main(int argc, char **argv)
{
	for (const struct way *const *w = ways; *w && argc > 2; w++)
		if (!strcmp(argv[2], (*w)->name))
			way = *w;
	if (argc == 5 && !strcmp(argv[1], "load"))
		return load(argv[2], argv[3], argv[4]);
	if (way && argc == 4 && !strcmp(argv[1], "leave"))
		return leave(strtoull(argv[3], NULL, 0) << 20);
	if (way && argc == 3 && !strcmp(argv[1], "enter"))
		return enter();
	fprintf(stderr, "usage: kho_pool_blackout load KERNEL INITRD COMMAND-LINE |\n"
		"	leave WAY MIB | enter WAY\n");
	return 2;
}
