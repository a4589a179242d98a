// SPDX-License-Identifier: GPL-2.0-only
/* A CPU of x86-64: in long mode from the beginning, without interrupts. */
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvm.h"

#define CR0		0x80000033ULL	/* PG, NE, ET, MP, PE */
#define CR4		0x00000620ULL	/* OSXMMEXCPT, OSFXSR, PAE */
#define EFER		0x00000500ULL	/* LMA, LME */
#define TABLE		0x3ULL		/* writable, present */
#define PAGE_1G		0xe3ULL		/* huge, dirty, accessed, writable, present */

#define MAX_CPUID	128
#define MAX_MSRS	512

struct cpuid {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[MAX_CPUID];
};

struct state {
	struct cpuid cpuid;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct kvm_xcrs xcrs;
	struct kvm_xsave xsave;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
	uint32_t nr_msrs;
	struct kvm_msr_entry msrs[MAX_MSRS];
};

#define VCPU(m, cmd, arg)	vcpu(m, cmd, arg, #cmd)

static void vcpu(struct machine *m, unsigned long cmd, const void *arg, const char *what)
{
	if (ioctl(m->vcpu, cmd, arg))
		fail("%s: %m", what);
}

void arch_start(struct machine *m)
{
	uint64_t *tables = m->memory + GUEST_TABLES;
	struct cpuid cpuid = { .head.nent = MAX_CPUID };
	struct kvm_sregs sregs;
	struct kvm_regs regs = {
		.rip = GUEST_BASE + GUEST_CODE + ((char *)guest_main - __start_guest),
		.rdi = GUEST_BASE,
		/* As after a call. */
		.rsp = GUEST_BASE + GUEST_STACK - 8,
		.rflags = 2,
	};

	if (ioctl(m->kvm, KVM_GET_SUPPORTED_CPUID, &cpuid))
		fail("KVM_GET_SUPPORTED_CPUID: %m");
	VCPU(m, KVM_SET_CPUID2, &cpuid);
	tables[0] = (GUEST_BASE + GUEST_TABLES + 0x1000) | TABLE;
	for (uint64_t i = 0; i < 512; i++)
		tables[512 + i] = i << 30 | PAGE_1G;
	VCPU(m, KVM_GET_SREGS, &sregs);
	sregs.cr0 = CR0;
	sregs.cr3 = GUEST_BASE + GUEST_TABLES;
	sregs.cr4 = CR4;
	sregs.efer = EFER;
	sregs.cs = (struct kvm_segment){
		.limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1,
		.g = 1,
	};
	sregs.ss = (struct kvm_segment){
		.limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1,
		.g = 1,
	};
	sregs.ds = sregs.ss;
	sregs.es = sregs.ss;
	VCPU(m, KVM_SET_SREGS, &sregs);
	VCPU(m, KVM_SET_REGS, &regs);
}

/* All registers in the list that KVM returns. */
static void save_msrs(struct machine *m, struct state *state)
{
	struct {
		struct kvm_msr_list head;
		uint32_t indices[MAX_MSRS];
	} list = { .head.nmsrs = MAX_MSRS };
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} one = { .head.nmsrs = 1 };

	if (ioctl(m->kvm, KVM_GET_MSR_INDEX_LIST, &list))
		fail("KVM_GET_MSR_INDEX_LIST: %m");
	state->nr_msrs = 0;
	for (uint32_t i = 0; i < list.head.nmsrs; i++) {
		one.entry.index = list.indices[i];
		if (ioctl(m->vcpu, KVM_GET_MSRS, &one) == 1)
			state->msrs[state->nr_msrs++] = one.entry;
	}
}

static void restore_msrs(struct machine *m, const struct state *state)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} one = { .head.nmsrs = 1 };

	for (uint32_t i = 0; i < state->nr_msrs; i++) {
		const struct kvm_msr_entry *want = &state->msrs[i];

		/* Some cannot be written, and are right as they are. */
		one.entry.index = want->index;
		if (ioctl(m->vcpu, KVM_GET_MSRS, &one) == 1 && one.entry.data == want->data)
			continue;
		one.entry.data = want->data;
		if (ioctl(m->vcpu, KVM_SET_MSRS, &one) != 1)
			fail("MSR %x cannot be %llx", want->index, want->data);
	}
}

size_t arch_save(struct machine *m, void *to, size_t room)
{
	struct state *state = to;

	if (room < sizeof(*state))
		fail("there is no room for the CPU");
	memset(state, 0, sizeof(*state));
	state->cpuid.head.nent = MAX_CPUID;
	VCPU(m, KVM_GET_CPUID2, &state->cpuid);
	VCPU(m, KVM_GET_MP_STATE, &state->mp_state);
	VCPU(m, KVM_GET_REGS, &state->regs);
	VCPU(m, KVM_GET_SREGS, &state->sregs);
	VCPU(m, KVM_GET_XCRS, &state->xcrs);
	VCPU(m, KVM_GET_XSAVE, &state->xsave);
	VCPU(m, KVM_GET_DEBUGREGS, &state->debugregs);
	VCPU(m, KVM_GET_VCPU_EVENTS, &state->events);
	save_msrs(m, state);
	return sizeof(*state);
}

void arch_restore(struct machine *m, const void *from)
{
	const struct state *state = from;

	VCPU(m, KVM_SET_CPUID2, &state->cpuid);
	VCPU(m, KVM_SET_MP_STATE, &state->mp_state);
	VCPU(m, KVM_SET_SREGS, &state->sregs);
	VCPU(m, KVM_SET_REGS, &state->regs);
	VCPU(m, KVM_SET_XCRS, &state->xcrs);
	VCPU(m, KVM_SET_XSAVE, &state->xsave);
	restore_msrs(m, state);
	VCPU(m, KVM_SET_DEBUGREGS, &state->debugregs);
	VCPU(m, KVM_SET_VCPU_EVENTS, &state->events);
}

void arch_mapped(struct machine *m, struct mapped *mapped)
{
	mapped->pages_4k = machine_stat(m->vm, "pages_4k");
	mapped->pages_2m = machine_stat(m->vm, "pages_2m");
	mapped->pages_1g = machine_stat(m->vm, "pages_1g");
	mapped->faults = machine_stat(m->vcpu, "pf_fixed");
}
