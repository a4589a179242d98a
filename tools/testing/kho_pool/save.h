/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a fuzzer has made, as files in the folder that KHO_POOL_SAVE= names, for
 * khopool to look at.  Their names say what the kernel's code made of them.
 */
#ifndef _KHO_POOL_TEST_SAVE_H
#define _KHO_POOL_TEST_SAVE_H

#include <stdio.h>
#include <stdlib.h>

static inline void save(const char *what, const void *data, u64 size, bool good)
{
	const char *folder = getenv("KHO_POOL_SAVE");
	static u32 nr;
	char path[256];
	FILE *f;

	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/%s-%s-%u", folder, what, good ? "good" : "bad", nr++);
	f = fopen(path, "w");
	if (!f || fwrite(data, 1, size, f) != size || fclose(f)) {
		perror(path);
		exit(2);
	}
}

#endif /* _KHO_POOL_TEST_SAVE_H */
