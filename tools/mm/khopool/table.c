// SPDX-License-Identifier: GPL-2.0-only
/* Columns that are as wide as their contents. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define MAX_COLUMNS 16

static char *(*rows)[MAX_COLUMNS];
static u32 nr_rows, nr_columns;

void table_row(u32 columns, const char *const *cells)
{
	if (!(nr_rows & (nr_rows - 1))) {
		rows = realloc(rows, sizeof(*rows) * (nr_rows ? 2 * nr_rows : 1));
		if (!rows)
			die("no memory");
	}
	nr_columns = columns;
	for (u32 i = 0; i < columns; i++) {
		rows[nr_rows][i] = strdup(cells[i]);
		if (!rows[nr_rows][i])
			die("no memory");
	}
	nr_rows++;
}

void table_print(u32 right)
{
	int width[MAX_COLUMNS] = {};

	for (u32 row = 0; row < nr_rows; row++)
		for (u32 i = 0; i < nr_columns; i++)
			if ((int)strlen(rows[row][i]) > width[i])
				width[i] = strlen(rows[row][i]);
	for (u32 row = 0; row < nr_rows; row++) {
		for (u32 i = 0; i < nr_columns; i++) {
			bool last = i + 1 == nr_columns;

			printf("%*s%s", right & 1U << i ? width[i] : last ? 0 : -width[i],
			       rows[row][i], last ? "\n" : "  ");
			free(rows[row][i]);
		}
	}
	nr_rows = 0;
	free(rows);
	rows = NULL;
}
