// SPDX-License-Identifier: GPL-2.0-only
/* khopool map: the colours of owners, which are the same in all pools of a document */
#include <stdio.h>
#include <string.h>

#include "map.h"

u32 colour_of(const char *owner)
{
	/* Those of guests' memory and of files come first, so that they look alike everywhere. */
	static char owners[MAX_KINDS][KHO_POOL_UAPI_POOL_MAX] = { "dax30", "dax21", "user" };
	static u32 nr = 3;
	u32 i;

	for (i = 0; i < nr; i++)
		if (!strcmp(owners[i], owner))
			break;
	if (i == nr && nr < MAX_KINDS) {
		COPY(owners[i], owner);
		nr++;
	}
	return 1 + i % COLOURS;
}

/* What map_style.c has a style for: "c1", "u1" if it is unclaimed */
const char *class_of(const struct kind *kind)
{
	static char class[4];

	class[0] = kind->unclaimed ? 'u' : 'c';
	class[1] = '0' + colour_of(kind->owner);
	return class;
}

void html_swatch(const char *class)
{
	printf("<svg class='swatch'><rect class='%s' width='100%%' height='100%%'/></svg>", class);
}
