// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

#define SLOTS	0x100000U	/* 20 bits */
/* More than any call of the index takes. */
#define STACK	(64 << 10)

static struct touched table[SLOTS];
static unsigned int nr, shift, who, calls, written;
static bool recording;
static u64 stack;

void record_reset(unsigned int new_shift)
{
	memset(table, 0, sizeof(table));
	nr = 0;
	shift = new_shift;
}

void record_begin(unsigned int new_who)
{
	char here;

	stack = (u64)&here;
	who = new_who;
	written = 0;
	calls++;
	recording = true;
}

unsigned int record_end(void)
{
	recording = false;
	return written;
}

const struct touched *record_next(unsigned int *pos)
{
	while (*pos < SLOTS) {
		const struct touched *t = &table[(*pos)++];

		if (t->read | t->written)
			return t;
	}
	return NULL;
}

static struct touched *find(u64 number)
{
	u32 i = number * 0x9e3779b97f4a7c15ULL >> (64 - 20);

	while (table[i].read | table[i].written && table[i].number != number)
		i = (i + 1) % SLOTS;
	if (!(table[i].read | table[i].written) && ++nr > SLOTS / 2) {
		fprintf(stderr, "more is touched than can be recorded\n");
		exit(2);
	}
	table[i].number = number;
	return &table[i];
}

static void access(const volatile void *p, size_t size, bool write)
{
	u64 addr = (u64)p;

	/* The stack grows down, and what calls the index is on it, too. */
	if (!recording || !size || addr - stack + STACK < 2 * STACK)
		return;
	for (u64 n = addr >> shift; n <= (addr + size - 1) >> shift; n++) {
		struct touched *t = find(n);

		if (!write) {
			t->read |= 1 << who;
			continue;
		}
		if (!(t->written && t->last_write == calls))
			written++;
		t->last_write = calls;
		t->written |= 1 << who;
	}
}

/* What gcc calls. */
void __tsan_init(void) { }
void __tsan_func_entry(void *caller) { }
void __tsan_func_exit(void *caller) { }
void __tsan_read_range(void *p, size_t size) { access(p, size, false); }
void __tsan_write_range(void *p, size_t size) { access(p, size, true); }
void __tsan_read1(void *p) { access(p, 1, false); }
void __tsan_write1(void *p) { access(p, 1, true); }
void __tsan_read2(void *p) { access(p, 2, false); }
void __tsan_write2(void *p) { access(p, 2, true); }
void __tsan_read4(void *p) { access(p, 4, false); }
void __tsan_write4(void *p) { access(p, 4, true); }
void __tsan_read8(void *p) { access(p, 8, false); }
void __tsan_write8(void *p) { access(p, 8, true); }
void __tsan_read16(void *p) { access(p, 16, false); }
void __tsan_write16(void *p) { access(p, 16, true); }
void __tsan_unaligned_read2(void *p) { access(p, 2, false); }
void __tsan_unaligned_write2(void *p) { access(p, 2, true); }
void __tsan_unaligned_read4(void *p) { access(p, 4, false); }
void __tsan_unaligned_write4(void *p) { access(p, 4, true); }
void __tsan_unaligned_read8(void *p) { access(p, 8, false); }
void __tsan_unaligned_write8(void *p) { access(p, 8, true); }
void __tsan_unaligned_read16(void *p) { access(p, 16, false); }
void __tsan_unaligned_write16(void *p) { access(p, 16, true); }

void __tsan_atomic_thread_fence(int order) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
void __tsan_atomic_signal_fence(int order) { }

#define WORD		u8
#define ATOMIC(op)	__tsan_atomic8_##op
#include "record_atomic.h"

#define WORD		u16
#define ATOMIC(op)	__tsan_atomic16_##op
#include "record_atomic.h"

#define WORD		u32
#define ATOMIC(op)	__tsan_atomic32_##op
#include "record_atomic.h"

#define WORD		u64
#define ATOMIC(op)	__tsan_atomic64_##op
#include "record_atomic.h"

/* The linker puts these in the place of the C library's (--wrap). */
void *__wrap_memset(void *p, int c, size_t size)
{
	access(p, size, true);
	return __real_memset(p, c, size);
}

void *__wrap_memcpy(void *dst, const void *src, size_t size)
{
	access(src, size, false);
	access(dst, size, true);
	return __real_memcpy(dst, src, size);
}

void *__wrap_memchr(const void *p, int c, size_t size)
{
	void *found = __real_memchr(p, c, size);

	access(p, found ? (size_t)((char *)found - (char *)p) + 1 : size, false);
	return found;
}

size_t __wrap_strnlen(const char *s, size_t size)
{
	size_t n = __real_strnlen(s, size);

	access(s, n < size ? n + 1 : n, false);
	return n;
}

/* Up to the first byte that differs, or the end. */
static void access_equal(const char *a, const char *b, size_t size)
{
	size_t n = 0;

	while (n < size && a[n] == b[n] && a[n])
		n++;
	access(a, n < size ? n + 1 : n, false);
	access(b, n < size ? n + 1 : n, false);
}

int __wrap_strncmp(const char *a, const char *b, size_t size)
{
	access_equal(a, b, size);
	return __real_strncmp(a, b, size);
}

int __wrap_strcmp(const char *a, const char *b)
{
	access_equal(a, b, (size_t)-1);
	return __real_strcmp(a, b);
}
