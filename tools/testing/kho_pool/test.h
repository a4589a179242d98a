/* SPDX-License-Identifier: GPL-2.0-only */
/* A test is a function; a check that fails says where and ends it. */
#ifndef _KHO_POOL_TEST_H
#define _KHO_POOL_TEST_H

#include <stdio.h>

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);	\
		return false;						\
	}								\
} while (0)

#define CHECK_EQ(a, b) do {						\
	long long _x = (a), _y = (b);					\
	if (_x != _y) {							\
		printf("# %s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #a, _x, _y); \
		return false;						\
	}								\
} while (0)

struct test {
	const char *name;
	bool (*run)(void);
};

static inline int run_tests(const struct test *tests, int nr)
{
	int failed = 0;

	printf("TAP version 14\n1..%d\n", nr);
	for (int i = 0; i < nr; i++) {
		bool ok = tests[i].run();

		failed += !ok;
		printf("%sok %d %s\n", ok ? "" : "not ", i + 1, tests[i].name);
		fflush(stdout);
	}
	return failed ? 1 : 0;
}

#endif /* _KHO_POOL_TEST_H */
