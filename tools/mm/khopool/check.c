// SPDX-License-Identifier: GPL-2.0-only
/* khopool check: would a kexec now lose anything? */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "takes.h"

#define MAX_AREAS	512
#define BUSY_SECONDS	10	/* that it takes to load an image, or less */

static char reason[400];

/* What there is to lose: extents, and everything that is quarantined */
static u64 extents(const char *handover)
{
	u64 nr = !strncmp(handover, "quarantined", strlen("quarantined"));
	struct pools pools;

	sysfs_pools(&pools);
	for (u32 i = 0; i < pools.nr; i++) {
		nr += sysfs_number(pools.name[i], "extents");
		nr += !!sysfs_number(pools.name[i], "quarantined_bytes");
	}
	return nr;
}

/* The kernel has looked at what is loaded. */
static enum verdict of_loaded(void)
{
	const char *refused = "refused: ";
	u32 patience = BUSY_SECONDS * 10;
	char text[300];

	do {
		if (!sysfs_text(text, sizeof(text), SYSFS_POOLS "/kexec")) {
			snprintf(reason, sizeof(reason), SYSFS_POOLS "/kexec: %s",
				 strerror(errno));
			return VERDICT_UNKNOWN;
		}
	} while (!strcmp(text, "busy") && patience-- && !usleep(100000));
	if (!strcmp(text, "ready"))
		return VERDICT_YES;
	if (!strncmp(text, refused, strlen(refused))) {
		COPY(reason, text + strlen(refused));
		return VERDICT_NO;
	}
	if (!strcmp(text, "none"))
		COPY(reason, "no image is loaded; khopool check IMAGE looks at one that is not");
	else if (!strcmp(text, "busy"))
		COPY(reason, "an image is being loaded or started");
	else if (!strcmp(text, "unknown"))
		COPY(reason, "the loaded image does not say what its kernel can take over");
	else
		COPY(reason, text);
	return VERDICT_UNKNOWN;
}

static u64 le(const u8 *p, u32 bytes)
{
	u64 value = 0;

	while (bytes--)
		value = value << 8 | p[bytes];
	return value;
}

/*
 * What the kernel takes up until it has unpacked itself: boot.rst, "init_size", and
 * booting.rst, "image_size".
 */
static u64 room_for(const struct file *image)
{
	u64 room = image->size;

	/* A vmlinux has much that is not loaded; the kernel will look. */
	if (image->size > 4 && !memcmp(image->text, "\177ELF", 4))
		return 0;
	if (image->size > 0x264 && !memcmp(image->text + 0x202, "HdrS", 4))
		room = le(image->text + 0x260, 4);
	else if (image->size > 64 && !memcmp(image->text + 56, "ARM\x64", 4))
		room = le(image->text + 16, 8);
	return room > image->size ? room : image->size;
}

static int by_size(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x < y) - (x > y);
}

/* Each goes into one scratch area; a segment cannot be split. */
static bool fits(u64 kernel, u64 initrd)
{
	static char text[MAX_AREAS * 48];
	u64 area[MAX_AREAS], first, last;
	u32 nr = 0;

	if (!sysfs_text(text, sizeof(text), SYSFS_KHO "/scratch"))
		return true;
	for (char *line = strtok(text, "\n"); line && nr < MAX_AREAS; line = strtok(NULL, "\n"))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &first, &last) == 2)
			area[nr++] = last - first + 1;
	qsort(area, nr, sizeof(*area), by_size);
	for (u64 need[] = { kernel > initrd ? kernel : initrd, kernel > initrd ? initrd : kernel },
	     i = 0; i < ARRAY_SIZE(need); i++) {
		u32 j = 0;

		while (j < nr && area[j] < need[i])
			j++;
		if (j == nr) {
			snprintf(reason, sizeof(reason),
				 "%" PRIu64 " MiB do not fit KHO's scratch areas: the largest has %"
				 PRIu64 " MiB free (kho_scratch= makes them larger)",
				 need[i] >> 20, nr ? area[0] >> 20 : 0);
			return false;
		}
		area[j] -= need[i];
		qsort(area, nr, sizeof(*area), by_size);
	}
	return true;
}

static enum verdict of_image(const char *path, const char *initrd)
{
	struct file image = file_open(path);
	struct kernel_note next, own;
	enum verdict verdict;
	const char *why;

	note_read(image.text, image.size, &next);
	own_note(&own);
	verdict = takes_over(&next, &own, own_features(), &why);
	COPY(reason, why ?: "");
	if (verdict == VERDICT_YES && why)
		warn("%s", why);
	if (verdict != VERDICT_NO &&
	    !fits(room_for(&image), initrd ? file_open(initrd).size : 0))
		verdict = VERDICT_NO;
	return verdict;
}

static enum verdict look(const char *image, const char *initrd, u64 *nr)
{
	char handover[200];

	*nr = 0;
	if (!sysfs_text(handover, sizeof(handover), SYSFS_POOLS "/handover")) {
		COPY(reason, "this kernel has no kho_pool");
		return VERDICT_YES;
	}
	*nr = extents(handover);
	if (!*nr) {
		COPY(reason, "there are no extents");
		return VERDICT_YES;
	}
	if (!strncmp(handover, "disabled", strlen("disabled"))) {
		snprintf(reason, sizeof(reason), "the pools are not handed on: %s", handover);
		return VERDICT_NO;
	}
	return image ? of_image(image, initrd) : of_loaded();
}

static int check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	static const char *const lost[] = {
		[VERDICT_YES] = "a kexec loses nothing", [VERDICT_NO] = "a kexec would lose them",
		[VERDICT_UNKNOWN] = "not known whether a kexec loses them",
	};
	enum verdict verdict;
	u64 nr;
	int operand;

	while (next_option(&cmd_check, argc, argv, options) != -1)
		;
	operand = operands(&cmd_check, argc, &argv, 0, 2);
	verdict = look(operand ? argv[0] : NULL, operand > 1 ? argv[1] : NULL, &nr);
	if (as_json) {
		json_open();
		json_string("lost", verdict == VERDICT_YES ? "no" :
			    verdict == VERDICT_NO ? "yes" : "unknown");
		json_string("reason", reason);
		json_number("extents", nr);
		json_close();
	} else {
		printf("%" PRIu64 " extents: %s%s%s\n", nr, lost[verdict],
		       *reason ? ": " : "", reason);
	}
	return verdict;
}

const struct command cmd_check = {
	.name = "check",
	.args = "[--json] [IMAGE [INITRD]]",
	.what = "would a kexec now lose anything?",
	.help =	"Says whether a kexec with the image that is loaded, or one that would load\n"
		"IMAGE and INITRD, keeps everything that is in the pools.  Nothing is changed.\n"
		"The kernel looks again when an image is loaded and when it is started.\n\n"
		"  --json  for programs\n\n"
		"Exit status: 0 nothing would be lost; 1 the kexec would lose extents, and would\n"
		"be refused; 2 it is not known: no image is loaded, or it does not say what its\n"
		"kernel can take over.\n",
	.run = check,
};
