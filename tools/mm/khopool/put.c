// SPDX-License-Identifier: GPL-2.0-only
/* khopool put: keep a file over kexec, in the form of kept.c */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"

#define STEP 1048576	/* bytes at a time */

/* A file, or, if its length is unknown, all of it in memory */
struct source {
	const char *name;
	int fd;
	u8 *data;
	u64 bytes;	/* at most */
};

/* Reads @bytes, or fewer only at the end of the file.  -1 with errno */
static ssize_t read_all(int fd, u8 *to, u64 bytes)
{
	u64 done = 0;

	while (done < bytes) {
		ssize_t nr = read(fd, to + done, bytes - done);

		if (signals_caught())
			errno = EINTR;
		if (nr < 0 || signals_caught())
			return -1;
		if (!nr)
			break;
		done += nr;
	}
	return done;
}

static void slurp(struct source *source)
{
	u64 room = 0;
	ssize_t nr;

	do {
		if (source->bytes + STEP > room) {
			room = 2 * room + STEP;
			source->data = realloc(source->data, room);
			if (!source->data)
				die("%s: no memory for it (khopool put --size needs none)",
				    source->name);
		}
		nr = read_all(source->fd, source->data + source->bytes, STEP);
		if (nr < 0)
			die("%s: %s", source->name, strerror(errno));
		source->bytes += nr;
	} while (nr == STEP);
}

/* From where @fd is in a file of @size, which may be behind its end */
static u64 bytes_ahead(int fd, u64 size)
{
	off_t at = lseek(fd, 0, SEEK_CUR);

	return at < 0 || at >= size ? 0 : size - at;
}

static void open_source(struct source *source, const char *name, u64 size)
{
	bool is_stdin = !strcmp(name, "-");
	struct stat stat;

	*source = (struct source){ .name = is_stdin ? "stdin" : name };
	source->fd = is_stdin ? 0 : open(name, O_RDONLY | O_CLOEXEC);
	if (source->fd < 0 || fstat(source->fd, &stat))
		die("%s: %s", name, strerror(errno));
	if (S_ISDIR(stat.st_mode))
		die("%s: is a folder", name);
	/* Files of proc and sysfs do not know their length. */
	if (size)
		source->bytes = size;
	else if (S_ISREG(stat.st_mode) && stat.st_size)
		source->bytes = bytes_ahead(source->fd, stat.st_size);
	else
		slurp(source);
}

struct writing {
	struct device *device;
	struct source source;
	struct kept kept;
	const char *wrong;
};

/* NULL, or what went wrong */
static const char *fill(struct device *device, struct source *source, struct kept *kept)
{
	u8 *to = device->mem + KEPT_HEADER, more;
	ssize_t nr = 0;

	sha256_begin();
	for (kept->bytes = 0; kept->bytes < source->bytes; kept->bytes += nr) {
		u64 now = source->bytes - kept->bytes;

		if (now > STEP)
			now = STEP;
		nr = now;
		if (source->data)
			memcpy(to + kept->bytes, source->data + kept->bytes, now);
		else
			nr = read_all(source->fd, to + kept->bytes, now);
		if (nr <= 0)
			break;
		sha256_add(to + kept->bytes, nr);
	}
	if (nr >= 0 && !source->data && kept->bytes == source->bytes)
		nr = read_all(source->fd, &more, 1) > 0 ? -2 : 0;
	if (signals_caught())
		return "interrupted";
	if (nr == -2)
		return "the file is longer than --size says";
	if (nr < 0)
		return wrong_about(source->name, errno);
	sha256_end(kept->sha256);
	kept_write(device->mem, kept);
	return NULL;
}

static void write_kept(void *data)
{
	struct writing *w = data;

	w->wrong = fill(w->device, &w->source, &w->kept);
}

static void make_extent(struct extent *extent, u64 bytes)
{
	u64 unit = control_unit();
	char size[32], free[32];
	int err;

	extent->bytes = (bytes + KEPT_HEADER + unit - 1) / unit * unit;
	err = control_create(extent, unit, false);
	if (err == EEXIST)
		refused(err, "%s exists already: take another name, or khopool rm %s",
			full_name(extent), full_name(extent));
	if (err == ENOMEM)
		refused(err, "pool %s has no room for %s: the largest free piece has %s",
			extent->pool, size_text(extent->bytes, size),
			size_text(sysfs_number(extent->pool, "largest_free_bytes"), free));
	if (err == ENOSPC)
		refused(err, "pool %s has no room for another name, or another owner",
			extent->pool);
	if (err)
		refused(err, "%s cannot be created: %s", full_name(extent), control_error(err));
	query_extent(extent);
}

static void report(const struct extent *extent, const struct kept *kept)
{
	char size[32];

	if (as_json) {
		json_open();
		json_string("pool", extent->pool);
		json_string("name", extent->name);
		json_number("size", extent->bytes);
		json_kept(kept);
		json_close();
	} else {
		printf("%s: %" PRIu64 " bytes kept in %s\n", full_name(extent), kept->bytes,
		       size_text(extent->bytes, size));
	}
}

static int put(int argc, char **argv)
{
	static const struct option options[] = {
		{ "size", required_argument, NULL, 's' },
		{ "pool", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	const char *pool = NULL, *wrong;
	struct writing writing = {};
	struct device device;
	struct extent extent;
	u64 size = 0;
	int opt;

	while ((opt = next_option(&cmd_put, argc, argv, options)) != -1) {
		if (opt == 's')
			size = parse_size("--size", optarg);
		else if (opt == 'p')
			pool = optarg;
	}
	operands(&cmd_put, argc, &argv, 2, 2);
	if (size >> 60)
		die("--size: it is too large");
	name_extent(&extent, argv[0], pool);
	open_source(&writing.source, argv[1], size);
	signals_catch();
	make_extent(&extent, writing.source.bytes);
	wrong = device_map(&device, &extent, true);
	if (!wrong) {
		writing.device = &device;
		if (!signals_try(write_kept, &writing))
			writing.wrong = "a page of it has a memory error";
		wrong = writing.wrong;
	}
	device_unmap(&device);
	if (wrong) {
		control_release(&extent);
		fail("%s was not made: %s", full_name(&extent), wrong);
	}
	report(&extent, &writing.kept);
	return EXIT_OK;
}

const struct command cmd_put = {
	.name = "put",
	.args = "NAME FILE [--size SIZE] [--pool POOL] [--json]",
	.what = "keep a file as a new extent",
	.help =	"Makes an extent that keeps the contents of FILE, or with \"-\" of stdin, with\n"
		"length and SHA-256.  khopool get returns them, in this kernel or a later one,\n"
		"and khopool rm removes them.  The extent takes whole huge pages, 2 MiB on most\n"
		"machines.\n\n"
		"  --size SIZE  maximum size of what is read from a pipe; without it, all of it\n"
		"               is read into memory first\n"
		"  --pool POOL  in this pool; also written POOL/NAME.  Required if there are\n"
		"               several pools\n"
		"  --json       for programs: its length and SHA-256\n",
	.run = put,
};
