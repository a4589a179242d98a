/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * khopool: what all its commands share; nothing of the kernel's.
 *
 *	main.c ---> dump.c, verify.c, edit.c                       see khopool.h
 *	       ---> create.c, ls.c, show.c, map.c, rm.c, expose.c,
 *	            put.c, get.c, stat.c, kexec_args.c, links.c,
 *	            check.c, can_take.c                            see machine.h
 *	       ---> version.c
 *	all   ----> options.c, units.c, say.c --> json.c, table.c
 */
#ifndef _KHOPOOL_COMMAND_H
#define _KHOPOOL_COMMAND_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

/* Exit status */
enum {
	EXIT_OK,
	EXIT_REFUSED,	/* it does not exist, is in use, or is not what it should be */
	EXIT_CALL,	/* wrong usage, or a file cannot be read or written */
};

/* One subcommand; returns what the program exits with. */
struct command {
	const char *name, *args, *what, *help;
	int (*run)(int argc, char **argv);
};

extern const struct command cmd_create, cmd_ls, cmd_show, cmd_map, cmd_rm, cmd_expose, cmd_hide,
	cmd_put, cmd_get, cmd_stat, cmd_kexec_args, cmd_links, cmd_dump, cmd_verify, cmd_edit,
	cmd_can_take, cmd_check;

/* say.c: errors and warnings on stderr, as text or with --json as JSON */
extern bool as_json;
__attribute__((format(printf, 1, 2))) void warn(const char *fmt, ...);
/* Exit with EXIT_CALL or EXIT_REFUSED, and print the reason */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *fmt, ...);
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *fmt, ...);
/* The same if the kernel refused, with this error number */
__attribute__((noreturn, format(printf, 2, 3))) void refused(int err, const char *fmt, ...);
/* "NAME: what the error means", until the next call */
const char *wrong_about(const char *name, int err);
__attribute__((noreturn)) void bad_call(const struct command *command);

/* version.c: what this is, and the formats that it knows */
void print_version(void);

/* options.c */
int next_option(const struct command *command, int argc, char **argv,
		const struct option *options);
/* What --pool says, or NULL, for commands that have only this option and --json */
const char *pool_option(const struct command *command, int argc, char **argv);
/* The remaining operands; there have to be @min to @max. */
int operands(const struct command *command, int argc, char ***argv, int min, int max);

/* units.c */
const char *size_text(u64 bytes, char *buf);
const char *size_short(u64 bytes, char *buf);
u64 parse_size(const char *what, const char *text);
u64 parse_number(const char *what, const char *text, u64 max);
/* As much as there is room for, with a NUL */
void copy_text(char *to, const char *from, u32 size);
#define COPY(to, from) copy_text(to, from, sizeof(to))
/* Names are arbitrary bytes; this replaces those that a terminal must not get. */
const char *shown(const char *name);

/* json.c */
#define JSON_DEPTH 64
void json_key(const char *name);
void json_begin(const char *name, char bracket);
void json_end(char bracket);
void json_string(const char *name, const char *value);
void json_number(const char *name, u64 value);
void json_hex(const char *name, u64 value);
void json_bool(const char *name, bool value);
u32 json_depth(void);
/* A whole document of one object */
void json_open(void);
void json_close(void);
/* A document of one list called @name */
void json_open_list(const char *name);
void json_close_list(void);
/* End the document, whatever is open: the output stays valid JSON. */
void json_abandon(void);
/* A string without a key */
void json_quote(FILE *to, const char *s);

/* table.c: rows are kept until their columns' widths are known */
void table_row(u32 columns, const char *const *cells);
/* @right has a bit for each column of numbers. */
void table_print(u32 right);

#endif /* _KHOPOOL_COMMAND_H */
