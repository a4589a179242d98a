// SPDX-License-Identifier: GPL-2.0-only
/* What the command line of a kexec_load() image says about KHO, for KASLR. */
#define BOOT_CTYPE_H
#include "misc.h"
#include "error.h"
#include "../string.h"

#define _SETUP
#include <asm/setup.h>	/* For COMMAND_LINE_SIZE */
#undef _SETUP

#include <linux/kho_load_line.h>

static enum kho_line find_page(const char *args, u64 *page)
{
	size_t len = args ? strnlen(args, COMMAND_LINE_SIZE - 1) : 0;
	char *line = malloc(len + 1);
	enum kho_line found;

	if (!line)
		error("Failed to allocate space for the command line");
	memcpy(line, args, len);
	line[len] = 0;
	found = kho_line_page(line, page);
	free(line);
	return found;
}

/*
 * Finds the scratch areas that the command line of such an image names, and sets
 * @avoid[2] to their list and to KHO's tree, which may be in a scratch area.
 *
 * Returns false if the command line names nothing.  If there are no scratch areas where it
 * says, it is unknown whether anything was handed over: no place is safe then, and there
 * are no areas.
 */
bool kho_load_scratch(const char *args, struct kho_scratch **scratch, int *nr,
		      struct mem_vector *avoid)
{
	struct kho_handover *handover;
	enum kho_line found;
	u64 page;

	found = find_page(args, &page);
	if (found == KHO_LINE_NONE)
		return false;

	handover = (void *)(unsigned long)page;
	if (found != KHO_LINE_PAGE || !kho_handover_valid(handover, page))
		return true;

	avoid[0].start = page;
	avoid[0].size = KHO_HANDOVER_SIZE;
	avoid[1].start = le64_to_cpu(handover->fdt);
	avoid[1].size = le64_to_cpu(handover->fdt_size);

	*scratch = (void *)handover->scratch;
	*nr = le64_to_cpu(handover->nr_scratch);
	return true;
}
