// SPDX-License-Identifier: GPL-2.0-only
/* Signals that end the program are delayed until nothing is left half done. */
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

#include "machine.h"

static volatile sig_atomic_t caught;

static void on_signal(int nr)
{
	caught = nr;
}

void signals_catch(void)
{
	/* Blocking calls have to return: without SA_RESTART */
	struct sigaction action = { .sa_handler = on_signal };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

bool signals_caught(void)
{
	return caught;
}

static sigjmp_buf before_error;

static void on_memory_error(int nr)
{
	siglongjmp(before_error, nr);
}

bool signals_try(void (*step)(void *data), void *data)
{
	struct sigaction action = { .sa_handler = on_memory_error }, before;
	bool failed;

	sigaction(SIGBUS, &action, &before);
	failed = sigsetjmp(before_error, true);
	if (!failed)
		step(data);
	sigaction(SIGBUS, &before, NULL);
	return !failed;
}
