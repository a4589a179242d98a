// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "json.h"

void json_begin(const char *kind)
{
	printf("{\"kind\": \"%s\"", kind);
}

void json_text(const char *name, const char *value)
{
	printf(", \"%s\": \"%s\"", name, value);
}

void json_number(const char *name, double value)
{
	printf(", \"%s\": %.15g", name, value);
}

void json_figure(const char *name, struct figure *f)
{
	double median = figure_median(f);

	if (f->nr)
		printf(", \"%s\": [%.2f, %.2f, %.2f]", name, median, f->value[0],
		       f->value[f->nr - 1]);
	else
		printf(", \"%s\": null", name);
}

void json_end(void)
{
	puts("}");
	fflush(stdout);
}
