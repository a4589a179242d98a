// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random sequences of operations on the model.  One that fails, by a wrong
 * result or by a sanitizer, is shrunk to the few operations that matter.
 *
 *	model_test [SEED [STEPS]]	that many operations in all; with seed 1 unless said
 *	model_test -r FILE		those in the file, as they were printed
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <shim.h>

#include "model.h"
#include "random.h"

#define SEQUENCE	5000
/* A sequence that takes longer hangs. */
#define SECONDS		1200

static u64 seed;

static u64 rnd(void)
{
	return random_word(&seed) >> 16;
}

static void generate(struct op *ops, u32 nr)
{
	/* Seals refuse everything until the next one, kexecs lose regions: fewer. */
	u32 few = 2 + rnd() % 60;

	for (u32 i = 0; i < nr; i++) {
		u64 x = rnd(), y = rnd();

		ops[i] = (struct op){ .kind = x, .a = x >> 8, .b = x >> 16, .c = y };
		if (i % 1000 == 999)
			ops[i].kind = 6;		/* kexec */
		else if ((ops[i].kind & 0x7f) < 8 && rnd() % few)
			ops[i].kind = 8 + (x >> 40) % 100;
		/* A bad frame never becomes good again. */
		if ((ops[i].kind & 0x7f) == 9 && rnd() % 16)
			ops[i].kind++;
		/* Invalid requests teach little. */
		if (rnd() % 16)
			ops[i].kind &= 0x7f;
	}
	/* Two seals close together, so that most of it is not sealed. */
	for (u32 i = 0, sealed = 0; i < nr; i++) {
		if ((ops[i].kind & 0x7f) == 5)
			sealed = sealed ? 0 : 10;
		else if (sealed && !--sealed)
			ops[i].kind = 5;
	}
}

/* In a separate process; true if all is well. */
static bool passes(const struct op *ops, u32 nr, bool large, bool quiet, u32 *at,
		   struct model_stat *stat)
{
	struct { u32 at; struct model_stat stat; } result = {};
	int fds[2], status;
	pid_t pid;

	fflush(stdout);
	pid = pipe(fds) ? -1 : fork();
	if (pid < 0) {
		perror("model_test");
		exit(2);
	}
	if (!pid) {
		const char *wrong;
		int null = open("/dev/null", O_WRONLY);

		if (quiet) {
			dup2(null, 1);
			dup2(null, 2);
		}
		alarm(SECONDS);
		wrong = model_run(ops, nr, large, &result.at, &result.stat);
		if (wrong)
			printf("# %s\n", wrong);
		fflush(stdout);
		if (write(fds[1], &result, sizeof(result)) != sizeof(result))
			_exit(2);
		_exit(!!wrong);
	}
	close(fds[1]);
	/* A process that died in between says nothing: then all of them count. */
	*at = nr - 1;
	if (read(fds[0], &result, sizeof(result)) == sizeof(result)) {
		*at = result.at;
		*stat = result.stat;
	}
	close(fds[0]);
	waitpid(pid, &status, 0);
	return !status;
}

/* Leave out ever smaller parts while it keeps failing. */
static u32 shrink(struct op *ops, u32 nr, bool large)
{
	struct op *without = malloc(nr * sizeof(*ops));
	struct model_stat stat;
	u32 at;

	for (u32 part = max(nr / 2, 1U); part; part /= 2) {
		for (u32 from = 0; from < nr;) {
			u32 end = min(from + part, nr);

			memcpy(without, ops, from * sizeof(*ops));
			memcpy(without + from, ops + end, (nr - end) * sizeof(*ops));
			if (passes(without, nr - (end - from), large, true, &at, &stat)) {
				from += part;
				continue;
			}
			nr = min(nr - (end - from), at + 1);
			memcpy(ops, without, nr * sizeof(*ops));
		}
	}
	free(without);
	return nr;
}

static int replay(const char *path)
{
	static struct op ops[SEQUENCE];
	FILE *file = fopen(path, "r");
	unsigned int kind, a, b, c, large = 0;
	struct model_stat stat;
	char line[256];
	u32 nr = 0, at;

	if (!file) {
		perror(path);
		return 2;
	}
	while (nr < SEQUENCE && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "# large %u", &large) == 1)
			continue;
		if (sscanf(line, "%x %x %x %x", &kind, &a, &b, &c) == 4)
			ops[nr++] = (struct op){ kind, a, b, c };
	}
	fclose(file);
	if (passes(ops, nr, large, false, &at, &stat)) {
		printf("%u operations, nothing wrong\n", nr);
		return 0;
	}
	printf("fails at operation %u of %u\n", at + 1, nr);
	return 1;
}

int main(int argc, char **argv)
{
	static struct op ops[SEQUENCE];
	u64 steps = 100000, first, done = 0;
	struct model_stat total = {}, stat;
	bool ok = true;
	u32 at;

	if (argc == 3 && !strcmp(argv[1], "-r"))
		return replay(argv[2]);
	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	if (argc > 2)
		steps = strtoull(argv[2], NULL, 0);
	first = seed;
	seed = seed * 2 + 1;
	printf("TAP version 14\n1..1\n# seed %llu\n", (unsigned long long)first);
	for (u32 round = 0; done < steps && ok; done += SEQUENCE, round++) {
		bool large = round % 2;

		generate(ops, SEQUENCE);
		ok = passes(ops, SEQUENCE, large, false, &at, &stat);
		if (!ok) {
			u32 nr = shrink(ops, at + 1, large);

			printf("# of %u operations these are left; for model_test -r FILE:\n",
			       at + 1);
			printf("# large %u\n", large);
			for (u32 i = 0; i < nr; i++)
				model_print(&ops[i]);
			passes(ops, nr, large, false, &at, &stat);
		}
		total.allocs += stat.allocs;
		total.refused += stat.refused;
		total.frees += stat.frees;
		total.restores += stat.restores;
		total.quarantined += stat.quarantined;
	}
	printf("# %llu operations: ", (unsigned long long)done);
	printf("%llu allocations, %llu refused, %llu frees, %llu kexecs, %llu regions lost\n",
	       (unsigned long long)total.allocs,
	       (unsigned long long)total.refused, (unsigned long long)total.frees,
	       (unsigned long long)total.restores, (unsigned long long)total.quarantined);
	/* It must not end up testing nothing. */
	ok = ok && total.allocs > done / 5 && total.refused && total.restores &&
	     total.quarantined;
	printf("%sok 1 model_of_%llu_operations\n", ok ? "" : "not ", (unsigned long long)done);
	return !ok;
}
