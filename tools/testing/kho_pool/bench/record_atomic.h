/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What gcc calls for atomic accesses of one width: WORD is the type, ATOMIC(op)
 * the function's name.  Included by record.c only, once for each width.
 *
 * One CPU at a time, so the strongest order does for all.
 */
WORD ATOMIC(load)(const volatile WORD *p, int order)
{
	access(p, sizeof(*p), false);
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

void ATOMIC(store)(volatile WORD *p, WORD v, int order)
{
	access(p, sizeof(*p), true);
	__atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}

WORD ATOMIC(exchange)(volatile WORD *p, WORD v, int order)
{
	access(p, sizeof(*p), true);
	return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

WORD ATOMIC(fetch_add)(volatile WORD *p, WORD v, int order)
{
	access(p, sizeof(*p), true);
	return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
}

WORD ATOMIC(fetch_sub)(volatile WORD *p, WORD v, int order)
{
	access(p, sizeof(*p), true);
	return __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST);
}

WORD ATOMIC(fetch_and)(volatile WORD *p, WORD v, int order)
{
	access(p, sizeof(*p), true);
	return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST);
}

WORD ATOMIC(fetch_or)(volatile WORD *p, WORD v, int order)
{
	access(p, sizeof(*p), true);
	return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST);
}

WORD ATOMIC(fetch_xor)(volatile WORD *p, WORD v, int order)
{
	access(p, sizeof(*p), true);
	return __atomic_fetch_xor(p, v, __ATOMIC_SEQ_CST);
}

WORD ATOMIC(fetch_nand)(volatile WORD *p, WORD v, int order)
{
	access(p, sizeof(*p), true);
	return __atomic_fetch_nand(p, v, __ATOMIC_SEQ_CST);
}

/* The line has to come here also if they fail. */
int ATOMIC(compare_exchange_strong)(volatile WORD *p, WORD *expected, WORD v, int order, int fail)
{
	access(p, sizeof(*p), true);
	return __atomic_compare_exchange_n(p, expected, v, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

int ATOMIC(compare_exchange_weak)(volatile WORD *p, WORD *expected, WORD v, int order, int fail)
{
	return ATOMIC(compare_exchange_strong)(p, expected, v, order, fail);
}

WORD ATOMIC(compare_exchange_val)(volatile WORD *p, WORD expected, WORD v, int order, int fail)
{
	ATOMIC(compare_exchange_strong)(p, &expected, v, order, fail);
	return expected;
}

#undef WORD
#undef ATOMIC
