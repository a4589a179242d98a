// SPDX-License-Identifier: GPL-2.0-only
/* A machine with one CPU and one piece of memory: run, pause, save, restore, look. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "kvm.h"

void fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "kho_pool_kvm: ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}

void machine_create(struct machine *m, void *memory, uint64_t size)
{
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = GUEST_BASE,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	m->memory = memory;
	m->size = size;
	m->kvm = open("/dev/kvm", O_RDWR);
	if (m->kvm < 0)
		fail("/dev/kvm: %m");
	m->vm = ioctl(m->kvm, KVM_CREATE_VM, 0);
	if (m->vm < 0)
		fail("KVM_CREATE_VM: %m");
	if (ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &slot))
		fail("KVM_SET_USER_MEMORY_REGION: %m");
	m->vcpu = ioctl(m->vm, KVM_CREATE_VCPU, 0);
	if (m->vcpu < 0)
		fail("KVM_CREATE_VCPU: %m");
	m->run_size = ioctl(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	m->run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu, 0);
	if (m->run == MAP_FAILED)
		fail("kvm_run: %m");
}

void machine_destroy(struct machine *m)
{
	munmap(m->run, m->run_size);
	close(m->vcpu);
	close(m->vm);
	close(m->kvm);
}

/* A guest at its very first instruction, in memory that is all zeroes; a word each @stride. */
void machine_start(struct machine *m, uint64_t stride)
{
	struct guest_page *page = guest_page(m);
	size_t code = __stop_guest - __start_guest;

	if (code > GUEST_WORK - GUEST_CODE)
		fail("the guest has %zu bytes", code);
	memcpy(m->memory + GUEST_CODE, __start_guest, code);
	__builtin___clear_cache(m->memory + GUEST_CODE, m->memory + GUEST_CODE + code);
	page->words = (m->size - GUEST_WORK) / stride;
	page->stride = stride;
	arch_start(m);
}

static struct kvm_run *running;

static void stop(int sig)
{
	/* If it comes right before KVM_RUN, too. */
	running->immediate_exit = 1;
}

enum stopped machine_run(struct machine *m)
{
	struct kvm_run *run = m->run;
	uint64_t count;

	if (!ioctl(m->vcpu, KVM_RUN, 0)) {
		if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
		    run->mmio.phys_addr != GUEST_DOORBELL || run->mmio.len != 8)
			fail("the guest stopped for reason %u", run->exit_reason);
		memcpy(&count, run->mmio.data, 8);
		if (count != guest_page(m)->count)
			fail("the guest says %llu and writes %llu", (unsigned long long)count,
			     (unsigned long long)guest_page(m)->count);
		return AT_DOORBELL;
	}
	if (errno != EINTR)
		fail("KVM_RUN: %m");
	run->immediate_exit = 0;
	return BY_SIGNAL;
}

/*
 * Runs to the end of the round, and looks for itself at what the guest did in it.
 * Returns how long it took, in microseconds.
 */
uint64_t machine_round(struct machine *m, uint64_t generation)
{
	struct guest_page *page = guest_page(m);
	uint64_t before = page->count, sum = 0, bad = 0, seed;
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (machine_run(m) != AT_DOORBELL)
		;
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (page->count != before + 1)
		fail("round %llu comes after %llu", (unsigned long long)page->count,
		     (unsigned long long)before);
	seed = seed_of(page->count, generation);
	for (uint64_t i = 0; i < page->words; i++) {
		bad += *guest_word(m, i) != word_at(i, seed);
		sum = add_word(sum, *guest_word(m, i));
	}
	if (bad || page->bad)
		fail("round %llu: %llu words are wrong, the guest saw %llu",
		     (unsigned long long)page->count, (unsigned long long)bad,
		     (unsigned long long)page->bad);
	if (sum != page->sum || seed != page->seed)
		fail("round %llu: the guest's sum is %llx, it should be %llx",
		     (unsigned long long)page->count, (unsigned long long)page->sum,
		     (unsigned long long)sum);
	return (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000;
}

/*
 * How many words the guest has written in the round that it is in: those before
 * have the values of this round, all others those of the last one.
 */
uint64_t machine_position(const struct machine *m)
{
	const struct guest_page *page = guest_page(m);
	uint64_t next = seed_of(page->count + 1, page->generation), i = 0, bad = 0, at;

	while (i < page->words && *guest_word(m, i) == word_at(i, next))
		i++;
	for (at = i; i < page->words; i++)
		bad += *guest_word(m, i) != word_at(i, page->seed);
	if (bad)
		fail("%llu of %llu words are not as the guest wrote them",
		     (unsigned long long)bad, (unsigned long long)page->words);
	return at;
}

/* Lets the guest run for so long, wherever that may be. */
void machine_run_for(struct machine *m, uint64_t us)
{
	struct sigaction act = { .sa_handler = stop };
	struct itimerval timer = { .it_value = { us / 1000000, us % 1000000 + 1 } };

	running = m->run;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	while (machine_run(m) != BY_SIGNAL)
		;
}

/* Stops the guest in the middle of a round.  Returns where. */
uint64_t machine_pause(struct machine *m)
{
	struct guest_page *page = guest_page(m);
	uint64_t at;

	for (int i = 0; i < 100; i++) {
		machine_run_for(m, machine_round(m, page->generation) / 2);
		at = machine_position(m);
		if (at && at < page->words)
			return at;
	}
	fail("the guest cannot be stopped in the middle of a round");
}

/* FNV-1a over what follows it. */
uint64_t saved_sum(const struct saved *s)
{
	const uint8_t *p = (const uint8_t *)&s->bytes;
	uint64_t sum = 0xcbf29ce484222325ULL;

	for (; p < s->vcpu + s->bytes; p++)
		sum = (sum ^ *p) * 0x100000001b3ULL;
	return sum;
}

void machine_save(struct machine *m, struct saved *to, uint64_t position)
{
	to->bytes = arch_save(m, to->vcpu, SAVED_BYTES - sizeof(*to));
	to->memory_bytes = m->size;
	to->generation = guest_page(m)->generation;
	to->count = guest_page(m)->count;
	to->position = position;
	to->magic = SAVED_MAGIC;
	to->sum = saved_sum(to);
}

void machine_restore(struct machine *m, const struct saved *from)
{
	if (from->magic != SAVED_MAGIC || from->bytes > SAVED_BYTES - sizeof(*from) ||
	    from->sum != saved_sum(from))
		fail("what was saved of the CPU is not as it was");
	arch_restore(m, from->vcpu);
}

/* One of KVM's counters, by the file descriptor of a machine or CPU; -1 if it has none. */
long machine_stat(int of, const char *name)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc *desc;
	int fd = ioctl(of, KVM_GET_STATS_FD, NULL);
	uint64_t value;
	size_t size;
	long found = -1;

	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header))
		fail("KVM_GET_STATS_FD: %m");
	size = sizeof(*desc) + header.name_size;
	desc = malloc(size);
	for (uint32_t i = 0; i < header.num_desc && found < 0; i++) {
		if (pread(fd, desc, size, header.desc_offset + i * size) != (ssize_t)size)
			fail("the statistics: %m");
		if (strcmp(desc->name, name))
			continue;
		if (pread(fd, &value, 8, header.data_offset + desc->offset) != 8)
			fail("the statistics: %m");
		found = value;
	}
	free(desc);
	close(fd);
	return found;
}
