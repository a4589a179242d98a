// SPDX-License-Identifier: GPL-2.0-only
/* khopool can-take: what an image says about the kernel in it */
#include <stdio.h>

#include "takes.h"

static void print_text(const char *path, const struct kernel_note *note, enum verdict verdict,
		       const char *why)
{
	char size[32];

	if (note->has_kho)
		printf("KHO         %s, pages of %s%s\n", shown(note->kho),
		       size_text(note->page_size, size),
		       note->loads ? ", kexec -s and kexec -c" : ", kexec -s");
	if (note->has_pool)
		printf("pools       %s, features %#llx %#llx %#llx\n", shown(note->pool),
		       (unsigned long long)note->incompat, (unsigned long long)note->ro_compat,
		       (unsigned long long)note->compat);
	printf("%s: %s%s%s\n", path, verdict_names[verdict], why ? ": " : "", why ?: "");
}

static void print_json(const char *path, const struct kernel_note *note, enum verdict verdict,
		       const char *why)
{
	json_open();
	json_string("image", path);
	json_string("can_take", verdict_names[verdict]);
	json_string("reason", why ?: "");
	if (note->has_kho) {
		json_string("kho", note->kho);
		json_number("page_size", note->page_size);
		json_bool("kexec_load", note->loads);
	}
	if (note->has_pool) {
		json_string("pools", note->pool);
		json_hex("incompat", note->incompat);
		json_hex("ro_compat", note->ro_compat);
		json_hex("compat", note->compat);
	}
	json_close();
}

static int can_take(int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	struct kernel_note from, next;
	const char *old = NULL, *why;
	enum verdict verdict;
	struct file file;
	int opt;

	while ((opt = next_option(&cmd_can_take, argc, argv, options)) != -1)
		if (opt == 'f')
			old = optarg;
	operands(&cmd_can_take, argc, &argv, 1, 1);
	file = file_open(argv[0]);
	note_read(file.text, file.size, &next);
	if (old) {
		struct file before = file_open(old);

		note_read(before.text, before.size, &from);
	} else {
		own_note(&from);
	}
	verdict = takes_over(&next, &from, old ? note_features(&from) : own_features(), &why);
	(as_json ? print_json : print_text)(argv[0], &next, verdict, why);
	return verdict;
}

const struct command cmd_can_take = {
	.name = "can-take",
	.args = "[--from=IMAGE] [--json] IMAGE",
	.what = "can the kernel in an image take the pools over?",
	.help =	"Reads what the kernel in IMAGE (bzImage, vmlinux, arm64 Image) says that it\n"
		"can take over, and compares it with what this kernel hands on.\n\n"
		"  --from=IMAGE  compare with this kernel's image, not with the running one\n"
		"  --json        for programs\n\n"
		"Exit status: 0 it can; 1 it cannot, and a kexec would lose what is in the pools;\n"
		"2 it is not known, because the image does not say or cannot be read.\n",
	.run = can_take,
};
