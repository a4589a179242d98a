/* SPDX-License-Identifier: GPL-2.0-only */
/* A result is one line of JSON on stdout. */
#ifndef _KHO_POOL_BENCH_JSON_H
#define _KHO_POOL_BENCH_JSON_H

#include "clock.h"

void json_begin(const char *kind);
void json_text(const char *name, const char *value);
void json_number(const char *name, double value);
/* [median, least, most], or null if there is none. */
void json_figure(const char *name, struct figure *f);
void json_end(void);

#endif /* _KHO_POOL_BENCH_JSON_H */
