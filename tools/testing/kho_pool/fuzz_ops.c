// SPDX-License-Identifier: GPL-2.0-only
/* Hostile sequences of operations: the input is an array of struct op. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shim.h>

#include "model.h"

#define MAX	64

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct model_stat stat = {};
	struct op ops[MAX];
	u32 nr = min_t(u64, size / sizeof(*ops), MAX), at;
	const char *wrong;

	memcpy(ops, data, nr * sizeof(*ops));
	wrong = model_run(ops, nr, false, &at, &stat);
	if (!wrong)
		return 0;
	fprintf(stderr, "fuzz_ops: %s\n", wrong);
	for (u32 i = 0; i < nr; i++)
		model_print(&ops[i]);
	fflush(stdout);
	abort();
}
