// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest: counts, and writes to all of its memory in each round.
 *
 * It is copied to where it runs, so it calls nothing and refers to nothing.  Count,
 * seed and sum are in registers; there is a copy of the count in one that is saved
 * with the floating point state.  Whatever of this gets lost is noticed.
 */
#include "kvm.h"

#ifdef __x86_64__
#define KEEP		"movq %0, %%xmm7"
#define KEPT		"movq %%xmm7, %0"
#else
#define KEEP		"fmov d7, %0"
#define KEPT		"fmov %0, d7"
#endif

__attribute__((section("guest"))) void guest_main(struct guest_page *page)
{
	uint64_t words = page->words, stride = page->stride;
	uint64_t count = 0, seed = 0, bad = 0;

	for (;;) {
		uint64_t next = seed_of(count + 1, *(volatile uint64_t *)&page->generation);
		char *p = (char *)page + GUEST_WORK;
		uint64_t sum = 0, kept;

		asm volatile(KEEP : : "r"(count));
		for (uint64_t i = 0; i < words; i++, p += stride) {
			uint64_t word = word_at(i, next);

			bad += *(uint64_t *)p != word_at(i, seed);
			*(uint64_t *)p = word;
			sum = add_word(sum, word);
			page->at = i;
		}
		asm volatile(KEPT : "=r"(kept));
		bad += kept != count;
		bad += page->count != count;
		seed = next;
		page->seed = seed;
		page->sum = sum;
		page->bad = bad;
		page->count = ++count;
		*(volatile uint64_t *)GUEST_DOORBELL = count;
	}
}
