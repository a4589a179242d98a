// SPDX-License-Identifier: GPL-2.0-only
/* The verdict on two kernels; mm/kho_pool/kexec.c decides by the same rules at load. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"
#include "takes.h"

#define OWN_NOTES	"/sys/kernel/notes"

const char *const verdict_names[] = {
	[VERDICT_YES] = "yes", [VERDICT_NO] = "no", [VERDICT_UNKNOWN] = "unknown",
};

struct file file_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file file = { .path = path };
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || !st.st_size)
		die("%s is not a file with anything in it", path);
	file.size = st.st_size;
	file.text = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file.text == MAP_FAILED)
		die("%s: %s", path, strerror(errno));
	close(fd);
	return file;
}

void own_note(struct kernel_note *note)
{
	static u8 notes[1 << 16];
	FILE *f = fopen(OWN_NOTES, "r");
	size_t size = f ? fread(notes, 1, sizeof(notes), f) : 0;

	if (f)
		fclose(f);
	note_read(notes, size, note);
}

static u64 feature_bits(const char *file)
{
	char text[32];

	return sysfs_text(text, sizeof(text), SYSFS_POOLS "/%s", file) ?
	       strtoull(text, NULL, 0) : 0;
}

struct features own_features(void)
{
	return (struct features){
		.incompat = feature_bits("incompat"),
		.ro_compat = feature_bits("ro_compat"),
		.strict = feature_bits("strict"),
	};
}

struct features note_features(const struct kernel_note *note)
{
	/* Only what all its pools have: bad frames, for example, they may never get. */
	return (struct features){ .incompat = note->incompat };
}

enum verdict takes_over(const struct kernel_note *next, const struct kernel_note *from,
			struct features has, const char **why)
{
	static char text[120];

	*why = text;
	if (!next->has_kho) {
		*why = "the image does not say (an older kernel, one without KHO, or compressed)";
		return has.strict ? VERDICT_NO : VERDICT_UNKNOWN;
	}
	if (!next->has_pool) {
		*why = "its kernel has no kho_pool";
		return VERDICT_NO;
	}
	if (!from->has_kho || !from->has_pool) {
		*why = "the running kernel, or that of --from, does not say what it hands over";
		return VERDICT_UNKNOWN;
	}
	if (strcmp(next->kho, from->kho)) {
		snprintf(text, sizeof(text), "its kernel reads KHO's tree as %s", shown(next->kho));
		return VERDICT_NO;
	}
	if (next->page_size != from->page_size) {
		snprintf(text, sizeof(text), "its kernel has pages of %llu KiB, not %llu",
			 (unsigned long long)next->page_size >> 10,
			 (unsigned long long)from->page_size >> 10);
		return VERDICT_NO;
	}
	if (strcmp(next->pool, from->pool)) {
		snprintf(text, sizeof(text), "its kernel reads pools as %s", shown(next->pool));
		return VERDICT_NO;
	}
	if (has.incompat & ~next->incompat) {
		snprintf(text, sizeof(text),
			 "its kernel does not know the features %#llx of the pools",
			 (unsigned long long)(has.incompat & ~next->incompat));
		return VERDICT_NO;
	}
	*why = NULL;
	if (has.ro_compat & ~next->ro_compat) {
		*why = text;
		snprintf(text, sizeof(text),
			 "its kernel does not know the features %#llx: it will only read the pools",
			 (unsigned long long)(has.ro_compat & ~next->ro_compat));
	} else if (!next->loads) {
		*why = "only kexec -s can hand over to it";
	}
	return VERDICT_YES;
}
