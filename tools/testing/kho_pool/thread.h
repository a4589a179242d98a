/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before each file of thread_test.  Stores that depend on a look at ->sealed come
 * after it, by the control dependency; ThreadSanitizer does not know of those.  So whoever
 * read the index while it was sealed has done so before.
 */
#ifndef _KHO_POOL_TEST_THREAD_H
#define _KHO_POOL_TEST_THREAD_H

#include <shim.h>

#define ENDS_WITH_SEALED(text)						\
	(sizeof(text) >= sizeof("sealed") &&				\
	 !__builtin_memcmp(&(text)[sizeof(text) - sizeof("sealed")], "sealed", sizeof("sealed")))

#undef READ_ONCE
#define READ_ONCE(x)	(ENDS_WITH_SEALED(#x) ? __atomic_load_n(&(x), __ATOMIC_ACQUIRE) : \
						__atomic_load_n(&(x), __ATOMIC_RELAXED))

#endif /* _KHO_POOL_TEST_THREAD_H */
