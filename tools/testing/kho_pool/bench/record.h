/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which memory the index reads and writes.  Its files are compiled for
 * ThreadSanitizer, which has the compiler call a function at every access; the
 * functions are ours.
 */
#ifndef _KHO_POOL_BENCH_RECORD_H
#define _KHO_POOL_BENCH_RECORD_H

#include "../../../mm/khopool/shim/shim.h"

/* A piece of memory, of 1 << shift bytes, that was accessed. */
struct touched {
	u64 number;		/* address >> shift */
	u8 read, written;	/* by whom, a bit for each */
	u32 last_write;		/* number of the call */
};

/* Forget all; from now on pieces have 1 << @shift bytes. */
void record_reset(unsigned int shift);

/*
 * What happens between these two is the doing of @who (0 .. 7).  The stack is left
 * out.  record_end() returns how many pieces were written in between.
 */
void record_begin(unsigned int who);
unsigned int record_end(void);

/* All pieces one after the other; NULL at the end.  Begins with *@pos == 0. */
const struct touched *record_next(unsigned int *pos);

/* The C library's own, as the linker calls them then. */
void *__real_memset(void *p, int c, size_t size);
void *__real_memcpy(void *dst, const void *src, size_t size);
void *__real_memchr(const void *p, int c, size_t size);
size_t __real_strnlen(const char *s, size_t size);
int __real_strncmp(const char *a, const char *b, size_t size);
int __real_strcmp(const char *a, const char *b);

#endif /* _KHO_POOL_BENCH_RECORD_H */
