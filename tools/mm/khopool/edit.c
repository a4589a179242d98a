// SPDX-License-Identifier: GPL-2.0-only
/*
 * khopool edit: make roots that are damaged, from another version or made up, to
 * see how a kernel reacts to them.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <libfdt.h>

#include "khopool.h"

static const struct {
	const char *name;
	u32 offset, size;
} fields[] = {
#define FIELD(f) NAMED(#f, f)
#define NAMED(name, f) { name, offsetof(struct kho_pool_root_region, f), \
			 sizeof(((struct kho_pool_root_region *)0)->f) }
	FIELD(base), FIELD(size), FIELD(index), FIELD(index_size), NAMED("sum", csum), FIELD(nid),
	FIELD(state),
};

static u64 value_of(const char *text)
{
	char *end;
	u64 value = strtoull(text, &end, 0);

	if (!*text || *end)
		die("\"%s\" is not a number", text);
	return value;
}

static void put(u8 *to, u64 value, u32 size)
{
	for (u32 i = 0; i < size; i++)
		to[i] = value >> (8 * i);
}

/* Where region @nr is, of those of all pools. */
static u8 *find_region(u8 *root, u64 nr)
{
	int node, len;

	fdt_for_each_subnode(node, root, 0) {
		u8 *data = fdt_getprop_w(root, node, KHO_POOL_PROP_REGIONS, &len);

		if (!data)
			continue;
		if (nr < len / sizeof(struct kho_pool_root_region))
			return data + nr * sizeof(struct kho_pool_root_region);
		nr -= len / sizeof(struct kho_pool_root_region);
	}
	die("there is no such region");
}

static void set_field(u8 *root, char *name, u64 value)
{
	char *field;
	u64 nr = strtoull(name + strlen("region"), &field, 10);

	for (u32 i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(field + 1, fields[i].name))
			continue;
		put(find_region(root, nr) + fields[i].offset, value, fields[i].size);
		return;
	}
	die("a region has no field \"%s\"", field + 1);
}

static void set(const struct blob *blob, char *name, u64 value)
{
	void *data;
	int len;

	if (blob->size > KHO_POOL_BLOB_SIZE || !tree_good(blob->data, KHO_POOL_ROOT_CSUM))
		die("%s is not a root", blob->name);
	if (!strncmp(name, "region", 6) && strchr(name, '.')) {
		set_field(blob->data, name, value);
		return;
	}
	data = fdt_getprop_w(blob->data, 0, name, &len);
	if (!data || len != 8)
		die("%s: the root has no number \"%s\"", blob->name, name);
	put(data, value, 8);
}

static void flip(const struct blob *blob, const char *offset, u64 bits)
{
	u64 at = value_of(offset);

	if (at >= blob->size)
		die("%s: has no byte %s", blob->name, offset);
	blob->data[at] ^= bits;
}

static void set_csum(u8 *page)
{
	put(page + KHO_POOL_ROOT_CSUM,
	    kp_csum_words((const __le64 *)page, 0, KHO_POOL_ROOT_CSUM / 8), 8);
}

static void write_blob(const struct blob *blob)
{
	int fd = open(blob->name, O_WRONLY);

	if (fd < 0 || pwrite(fd, blob->data, blob->size, 0) != blob->size || close(fd))
		die("%s: %s", blob->name, strerror(errno));
}

static void change(struct blob *blob, char *what)
{
	char *at = strpbrk(what, "=^");
	char kind = at ? *at : 0;

	if (!strcmp(what, "check")) {
		if (blob->size > KHO_POOL_BLOB_SIZE)
			die("%s is not a root", blob->name);
		for (u64 page = 0; page < blob->size; page += KHO_POOL_ROOT_SIZE)
			set_csum(blob->data + page);
		return;
	}
	if (!at)
		bad_call(&cmd_edit);
	*at = 0;
	if (kind == '=')
		set(blob, what, value_of(at + 1));
	else
		flip(blob, what, value_of(at + 1));
	*at = kind;
}

static void report(const struct blob *blob, char **changes, int nr)
{
	json_open();
	json_string("file", blob->name);
	json_number("size", blob->size);
	json_begin("changes", '[');
	for (int i = 0; i < nr; i++)
		json_string(NULL, changes[i]);
	json_end(']');
	json_close();
}

static int edit(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	struct blob blob;
	int nr;

	while (next_option(&cmd_edit, argc, argv, options) != -1)
		;
	nr = operands(&cmd_edit, argc, &argv, 2, argc);
	blob = read_blob(argv[0]);
	for (int i = 1; i < nr; i++)
		change(&blob, argv[i]);
	write_blob(&blob);
	if (as_json)
		report(&blob, argv + 1, nr - 1);
	return EXIT_OK;
}

const struct command cmd_edit = {
	.name = "edit",
	.args = "[--json] FILE CHANGE...",
	.what = "change or damage a saved root or index (for tests)",
	.help =	"Changes a file that a kernel booted for such tests then hands on.  Changes are\n"
		"made in the order given:\n\n"
		"  PROPERTY=VALUE   a number of the root, such as incompat=0x80\n"
		"  regionN.F=VALUE  base, size, index, index_size, sum, nid or state of a region\n"
		"  OFFSET^BITS      flips bits of one byte of any file\n"
		"  check            makes the check values of root and keep list match\n\n"
		"  --json           for programs: what was changed\n",
	.run = edit,
};
