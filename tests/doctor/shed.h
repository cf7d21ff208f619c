// SPDX-License-Identifier: Apache-2.0
/*
 * shed: a home directory of a test's own, and a CA for it.
 */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/setting.h"
#include "pki/authority.h"
#include "tests/test.h"

struct shed {
	char dir[64];
	char path[512];
	char pem[16 * 1024]; /* the CA */
};

static int
shed_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void
shed_close(struct shed *s)
{
	nftw(s->dir, shed_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Valid until the next call. */
static inline const char *
shed_path(struct shed *s, const char *name)
{
	text_format(s->path, sizeof s->path, "%s/%s", s->dir, name);
	return s->path;
}

static inline void
shed_put(struct shed *s, const char *name, const char *text)
{
	struct err err = {0};
	char *dir = mem_cstr(span_str(shed_path(s, name)));

	*strrchr(dir, '/') = 0;
	CHECK_OK(file_mkdir(dir, 0755, &err), &err);
	mem_free(dir);
	CHECK_OK(file_replace(shed_path(s, name), span_str(text), 0644, &err), &err);
}

/* Sets HOME, and forgets every variable that would reach the test from outside. */
static inline void
shed_open(struct shed *s)
{
	static const char *const forgotten[] = {
		"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "CARGO_HOME"};
	struct authority_wish wish = {.name = "Shed CA", .root_only = true};
	struct err err = {0};
	struct span pem = {0};
	struct text t = text_to(s->dir, sizeof s->dir);

	text_add(&t, "/tmp/sekisho-shed-XXXXXX");
	CHECK(mkdtemp(s->dir));
	CHECK_INT(setenv("HOME", s->dir, 1), 0);
	setenv("LC_ALL", "C.UTF-8", 1);
	for (size_t i = 0; i < COUNT_OF(forgotten); i++)
		unsetenv(forgotten[i]);
	for (const struct setting_row *r = setting_rows; r->tools; r++) {
		if (strcmp(r->kind, "env") == 0)
			unsetenv(r->key);
	}
	struct authority *a = authority_ephemeral(&wish, &err);
	CHECK(a && authority_root_pem(a, &pem, &err));
	CHECK(span_copy(s->pem, sizeof s->pem, pem));
	mem_free((void *)(uintptr_t)pem.p);
	authority_free(a);
	shed_put(s, "corp.pem", s->pem);
}
