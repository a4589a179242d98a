// SPDX-License-Identifier: GPL-2.0-only
/*
 * SHA-256 as khopool has it, for khopool_test.py: of what a file begins with, up to 300
 * bytes, added piece by piece; then of the file, and the CPU time of that in seconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../mm/khopool/sha256.h"

static u8 data[32 << 20];

static void print_sum(u64 bytes, u64 piece)
{
	u8 digest[SHA256_BYTES];
	u64 at = 0;

	sha256_begin();
	for (; piece < bytes - at; at += piece)
		sha256_add(data + at, piece);
	sha256_add(data + at, bytes - at);
	sha256_end(digest);
	for (u32 i = 0; i < SHA256_BYTES; i++)
		printf("%02x", digest[i]);
	putchar('\n');
}

static double cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	double begin;
	u64 bytes;

	if (!file) {
		fprintf(stderr, "usage: sha256_test FILE\n");
		return 2;
	}
	bytes = fread(data, 1, sizeof(data), file);
	fclose(file);
	for (u64 i = 0; i <= 300; i++)
		print_sum(i, 1 + i * 7 % 150);
	begin = cpu_time();
	print_sum(bytes, 1 << 20);
	printf("%f\n", cpu_time() - begin);
	return 0;
}
