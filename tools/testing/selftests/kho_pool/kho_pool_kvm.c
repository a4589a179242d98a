// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that survives the kexec of its host, with a monitor of our own.
 *
 *	kho_pool_kvm start NAME SIZE ALIGN	make a guest, let it run, pause and save it
 *	kho_pool_kvm go NAME			let it continue, pause and save it again
 *	kho_pool_kvm spoil NAME			change one word of its memory
 *	kho_pool_kvm spoil-cpu NAME		change one byte of its registers
 *
 * The memory of a guest is extent NAME of the first pool, and the saved state of its
 * CPU is extent NAME-cpu.  Exits with 0 if everything is as it should be, and prints
 * its observations as JSON.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm.h"

#define ROUNDS	3

static struct saved *find_saved(const char *name)
{
	uint64_t bytes, align;
	struct saved *saved;
	char cpu[60];

	snprintf(cpu, sizeof(cpu), "%s-cpu", name);
	saved = extent_find(cpu, &bytes, &align);
	if (bytes != SAVED_BYTES)
		fail("%s has %llu bytes", cpu, (unsigned long long)bytes);
	return saved;
}

static void report(struct machine *m, const char *name, uint64_t align, uint64_t found,
		   uint64_t position, uint64_t us)
{
	const struct guest_page *page = guest_page(m);
	uint64_t touched = page->words * page->stride / 4096;
	struct mapped mapped;

	arch_mapped(m, &mapped);
	printf("{\"guest\": \"%s\", \"bytes\": %llu, \"align\": %llu, \"found\": %llu, ",
	       name, (unsigned long long)m->size, (unsigned long long)align,
	       (unsigned long long)found);
	printf("\"left\": %llu, \"position\": %llu, \"words\": %llu, \"bad\": %llu, ",
	       (unsigned long long)page->count, (unsigned long long)position,
	       (unsigned long long)page->words, (unsigned long long)page->bad);
	printf("\"sum\": \"%llx\", \"pages_touched\": %llu, \"pages_4k\": %ld, ",
	       (unsigned long long)page->sum, (unsigned long long)touched, mapped.pages_4k);
	printf("\"pages_2m\": %ld, \"pages_1g\": %ld, \"faults\": %ld, \"exits\": %ld, ",
	       mapped.pages_2m, mapped.pages_1g, mapped.faults,
	       machine_stat(m->vcpu, "exits"));
	printf("\"round_us\": %llu}\n", (unsigned long long)us);
}

/* Some rounds of the next generation, then a pause. */
static void go_on(struct machine *m, const char *name, uint64_t align, struct saved *saved,
		  uint64_t found)
{
	struct guest_page *page = guest_page(m);
	uint64_t us = 0, position;

	page->generation++;
	for (int i = 0; i < ROUNDS; i++)
		us = machine_round(m, page->generation);
	position = machine_pause(m);
	machine_save(m, saved, position);
	report(m, name, align, found, position, us);
	machine_destroy(m);
}

static int start(const char *name, uint64_t size, uint64_t align)
{
	void *memory = extent_create(name, size, align);
	struct machine m = {};
	char cpu[60];

	snprintf(cpu, sizeof(cpu), "%s-cpu", name);
	machine_create(&m, memory, size);
	/* 8 MiB of words, spread over all pages. */
	machine_start(&m, size >> 20);
	go_on(&m, name, align, extent_create(cpu, SAVED_BYTES, SAVED_BYTES), 0);
	return 0;
}

static int go(const char *name)
{
	struct saved *saved = find_saved(name);
	uint64_t size, align, count;
	void *memory = extent_find(name, &size, &align);
	struct machine m = {};

	machine_create(&m, memory, size);
	machine_restore(&m, saved);
	count = guest_page(&m)->count;
	if (saved->memory_bytes != size || saved->count != count ||
	    saved->generation != guest_page(&m)->generation)
		fail("the memory is not that of what was saved");
	if (machine_position(&m) != saved->position)
		fail("the guest is at word %llu, not at %llu",
		     (unsigned long long)machine_position(&m),
		     (unsigned long long)saved->position);
	/* The round in which it was paused, to its end. */
	machine_round(&m, guest_page(&m)->generation);
	go_on(&m, name, align, saved, count);
	return 0;
}

static int spoil(const char *name)
{
	struct machine m = {};
	uint64_t align;

	m.memory = extent_find(name, &m.size, &align);
	*guest_word(&m, guest_page(&m)->words - 1) ^= 1ULL << 40;
	return 0;
}

static int spoil_cpu(const char *name)
{
	struct saved *saved = find_saved(name);

	saved->vcpu[saved->bytes / 2] ^= 1;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "start"))
		return start(argv[2], strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
	if (argc == 3 && !strcmp(argv[1], "go"))
		return go(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "spoil"))
		return spoil(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "spoil-cpu"))
		return spoil_cpu(argv[2]);
	fprintf(stderr, "usage: kho_pool_kvm start NAME SIZE ALIGN | go NAME | spoil[-cpu] NAME\n");
	return 2;
}
