// SPDX-License-Identifier: GPL-2.0-only
/* A CPU of arm64: at EL1 with its MMU on from the beginning, without interrupts. */
#include <dirent.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvm.h"

#define CORE(name)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
			 KVM_REG_ARM_CORE_REG(name))
#define SCTLR_EL1	ARM64_SYS_REG(3, 0, 1, 0, 0)
#define CPACR_EL1	ARM64_SYS_REG(3, 0, 1, 0, 2)
#define TTBR0_EL1	ARM64_SYS_REG(3, 0, 2, 0, 0)
#define TCR_EL1		ARM64_SYS_REG(3, 0, 2, 0, 2)
#define MAIR_EL1	ARM64_SYS_REG(3, 0, 10, 2, 0)

#define PSTATE		0x3c5ULL	/* EL1h, all masked */
#define SCTLR		0x1005ULL	/* I, C, M */
#define CPACR		0x300000ULL	/* FPEN */
/* 40 bits of physical address, no TTBR1, inner shareable, cached, 39 bits */
#define TCR		0x200803519ULL
#define MAIR		0x00ffULL	/* 0: memory, 1: device */
/* Blocks of 1 GiB */
#define MEMORY		0x701ULL		/* AF, inner shareable */
#define DEVICE		0x60000000000405ULL	/* XN, AF */

#define MAX_REGS	2048
#define MAX_BYTES	256

struct reg {
	uint64_t id;
	uint8_t value[MAX_BYTES];
};

struct state {
	struct kvm_vcpu_init init;
	uint64_t nr;
	struct reg regs[];
};

static void one_reg(struct machine *m, unsigned long cmd, uint64_t id, const void *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	if (ioctl(m->vcpu, cmd, &reg))
		fail("%s of register %llx: %m",
		     cmd == KVM_SET_ONE_REG ? "KVM_SET_ONE_REG" : "KVM_GET_ONE_REG",
		     (unsigned long long)id);
}

static void set(struct machine *m, uint64_t id, uint64_t value)
{
	one_reg(m, KVM_SET_ONE_REG, id, &value);
}

static void init(struct machine *m, struct kvm_vcpu_init *init)
{
	memset(init, 0, sizeof(*init));
	if (ioctl(m->vm, KVM_ARM_PREFERRED_TARGET, init))
		fail("KVM_ARM_PREFERRED_TARGET: %m");
	if (ioctl(m->vcpu, KVM_ARM_VCPU_INIT, init))
		fail("KVM_ARM_VCPU_INIT: %m");
}

void arch_start(struct machine *m)
{
	uint64_t *table = m->memory + GUEST_TABLES, sctlr;
	struct kvm_vcpu_init cpu;

	init(m, &cpu);
	table[0] = DEVICE;
	for (uint64_t i = 1; i < 512; i++)
		table[i] = i << 30 | MEMORY;
	one_reg(m, KVM_GET_ONE_REG, SCTLR_EL1, &sctlr);
	set(m, MAIR_EL1, MAIR);
	set(m, TCR_EL1, TCR);
	set(m, TTBR0_EL1, GUEST_BASE + GUEST_TABLES);
	set(m, CPACR_EL1, CPACR);
	set(m, SCTLR_EL1, sctlr | SCTLR);
	set(m, CORE(sp_el1), GUEST_BASE + GUEST_STACK);
	set(m, CORE(regs.regs[0]), GUEST_BASE);
	set(m, CORE(regs.pstate), PSTATE);
	set(m, CORE(regs.pc),
	    GUEST_BASE + GUEST_CODE + ((char *)guest_main - __start_guest));
}

size_t arch_save(struct machine *m, void *to, size_t room)
{
	struct {
		struct kvm_reg_list head;
		uint64_t ids[MAX_REGS];
	} list = { .head.n = MAX_REGS };
	struct state *state = to;

	if (ioctl(m->vm, KVM_ARM_PREFERRED_TARGET, &state->init) ||
	    ioctl(m->vcpu, KVM_GET_REG_LIST, &list))
		fail("KVM_GET_REG_LIST: %m");
	if (room < sizeof(*state) + list.head.n * sizeof(struct reg))
		fail("there is no room for the CPU");
	state->nr = list.head.n;
	memset(state->regs, 0, state->nr * sizeof(struct reg));
	for (uint64_t i = 0; i < state->nr; i++) {
		state->regs[i].id = list.ids[i];
		one_reg(m, KVM_GET_ONE_REG, list.ids[i], state->regs[i].value);
	}
	return sizeof(*state) + state->nr * sizeof(struct reg);
}

void arch_restore(struct machine *m, const void *from)
{
	const struct state *state = from;
	struct kvm_vcpu_init cpu;

	init(m, &cpu);
	if (memcmp(&cpu, &state->init, sizeof(cpu)))
		fail("this is another CPU");
	for (uint64_t i = 0; i < state->nr; i++)
		one_reg(m, KVM_SET_ONE_REG, state->regs[i].id, state->regs[i].value);
}

/* Of the lines of stage2_page_tables, start-end, size, level, bits, those of memory. */
static void count_entries(FILE *f, struct mapped *mapped)
{
	unsigned long long start, end;
	char line[256];
	int level;

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx-%llx %*s %d", &start, &end, &level) != 3 ||
		    !strchr(line, 'R'))
			continue;
		if (level == 1)
			mapped->pages_1g += (end - start) >> 30;
		else if (level == 2)
			mapped->pages_2m += (end - start) >> 21;
		else
			mapped->pages_4k += (end - start) >> 12;
	}
}

/* KVM does not count pages here; its page table is to be seen in debugfs. */
void arch_mapped(struct machine *m, struct mapped *mapped)
{
	char path[300];
	struct dirent *d;
	DIR *dir = opendir("/sys/kernel/debug/kvm");
	FILE *f = NULL;

	memset(mapped, 0, sizeof(*mapped));
	while (dir && !f && (d = readdir(dir))) {
		if (atoi(d->d_name) != getpid())
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%s/stage2_page_tables",
			 d->d_name);
		f = fopen(path, "r");
	}
	if (!f)
		fail("there is no stage2_page_tables in debugfs");
	count_entries(f, mapped);
	fclose(f);
	closedir(dir);
	mapped->faults = machine_stat(m->vcpu, "exits");
}
