// SPDX-License-Identifier: GPL-2.0-only
/* khopool map --json: the regions of a pool, and the extents in each */
#include "map.h"

void map_json(const struct picture *p)
{
	json_begin(NULL, '{');
	json_string("pool", p->pool);
	json_number("size", sysfs_number(p->pool, "size_bytes"));
	json_number("free", sysfs_number(p->pool, "free_bytes"));
	json_begin("regions", '[');
	for (u32 i = 0; i < p->nr_regions; i++) {
		const struct region *r = &p->regions[i];

		json_begin(NULL, '{');
		json_hex("base", r->base);
		json_number("size", r->size);
		if (r->nid >= 0)
			json_number("node", r->nid);
		json_string("state", r->state);
		json_begin("extents", '[');
		for (u32 e = 0; e < p->nr_extents; e++)
			if (p->extents[e].phys - r->base < r->size)
				json_extent(&p->extents[e]);
		json_end(']');
		json_end('}');
	}
	json_end(']');
	json_end('}');
}
