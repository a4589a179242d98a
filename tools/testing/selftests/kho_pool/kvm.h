/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the parts of the small virtual machine monitor and by the guest. */
#ifndef _KHO_POOL_KVM_H
#define _KHO_POOL_KVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Guest physical memory begins at 1 GiB, so that it can be mapped with pages of
 * 1 GiB, and is mapped at the same virtual addresses.  A store to the doorbell,
 * where no memory is, comes out at the monitor.
 */
#define GUEST_BASE	0x40000000ULL
#define GUEST_DOORBELL	0x10000000ULL
/* In its memory: tables, stack (its end), code, and data. */
#define GUEST_TABLES	0x1000
#define GUEST_STACK	0x8000
#define GUEST_CODE	0x8000
#define GUEST_WORK	0x200000

/* The first page of the guest's memory. */
struct guest_page {
	/* From the monitor. */
	uint64_t words, stride, generation;
	/* From the guest, at the end of each round. */
	uint64_t count, seed, sum, bad;
	/* As it goes along. */
	volatile uint64_t at;
};

/*
 * In round n the guest replaces each word by the one that the round and the
 * monitor's generation give, after a look at what it wrote the round before.
 */
static inline __attribute__((always_inline)) uint64_t seed_of(uint64_t round, uint64_t generation)
{
	return (round + generation * 0x9e3779b97f4a7c15ULL) * 0xd6e8feb86659fd93ULL;
}

/* All words are 0 at the beginning, which is what a seed of 0 gives. */
static inline __attribute__((always_inline)) uint64_t word_at(uint64_t i, uint64_t seed)
{
	return (2 * i + 1) * seed;
}

static inline __attribute__((always_inline)) uint64_t add_word(uint64_t sum, uint64_t word)
{
	return (sum << 1 | sum >> 63) + word;
}

/* The guest is linked into the monitor, in a separate section. */
void guest_main(struct guest_page *page);
extern const char __start_guest[], __stop_guest[];

struct machine {
	int kvm, vm, vcpu;
	struct kvm_run *run;
	size_t run_size;
	void *memory;
	uint64_t size;
};

enum stopped {
	AT_DOORBELL,
	BY_SIGNAL,
};

/* What a monitor leaves to the next one, besides the guest's memory. */
#define SAVED_BYTES	0x200000
#define SAVED_MAGIC	0x6d766b6f6f706f68ULL

struct saved {
	uint64_t magic, sum, bytes;
	/* As they were at the pause. */
	uint64_t memory_bytes, generation, count, position;
	/* For programs that need the times; see kho_pool_blackout. */
	uint64_t stamps[16];
	uint8_t vcpu[];
};

/* kvm_machine.c */
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void machine_create(struct machine *m, void *memory, uint64_t size);
void machine_destroy(struct machine *m);
void machine_start(struct machine *m, uint64_t stride);
enum stopped machine_run(struct machine *m);
uint64_t machine_round(struct machine *m, uint64_t generation);
void machine_run_for(struct machine *m, uint64_t us);
uint64_t machine_pause(struct machine *m);
void machine_save(struct machine *m, struct saved *to, uint64_t position);
void machine_restore(struct machine *m, const struct saved *from);
uint64_t machine_position(const struct machine *m);
long machine_stat(int fd, const char *name);
uint64_t saved_sum(const struct saved *s);

static inline struct guest_page *guest_page(const struct machine *m)
{
	return m->memory;
}

static inline uint64_t *guest_word(const struct machine *m, uint64_t i)
{
	return m->memory + GUEST_WORK + i * guest_page(m)->stride;
}

/* kvm_extent.c: named extents of the first pool, as memory. */
void *extent_create(const char *name, uint64_t bytes, uint64_t align);
void *extent_find(const char *name, uint64_t *bytes, uint64_t *align);

/* kvm_x86.c, kvm_arm64.c */
struct mapped {
	long pages_4k, pages_2m, pages_1g;
	/* Faults that a mapping was made for, or, if those are not counted, all exits. */
	long faults;
};

void arch_start(struct machine *m);
size_t arch_save(struct machine *m, void *to, size_t room);
void arch_restore(struct machine *m, const void *from);
void arch_mapped(struct machine *m, struct mapped *mapped);

#endif /* _KHO_POOL_KVM_H */
