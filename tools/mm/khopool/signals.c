// SPDX-License-Identifier: GPL-2.0-only
/* Signals that end the program are delayed until nothing is left half done. */
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
