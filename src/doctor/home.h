// SPDX-License-Identifier: Apache-2.0
/*
 * home: whose settings we look at: one person's directories and environment, and the
 * system around them.
 *
 * Files are read once and kept, so that a hundred questions about ten files cost ten
 * reads. With `root` the system's files are looked for below another directory: images,
 * chroots, trials.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "doctor/words.h"

enum { HOME_PATH = 1024, HOME_FILES = 512, HOME_MATCHES = 64 };

/* A file as it was when first asked for. */
struct home_file {
	const char *path;   /* in the arena */
	struct span text;   /* owned, NUL behind it; empty when it could not be read */
	int64_t changed_ms; /* wall time of its last change */
	unsigned mode;
	bool there;     /* something of that name is there */
	bool readable;  /* and it is a file whose text we have */
	bool directory; /* or a directory */
};

struct home {
	struct arena a;         /* what the doctor learns lies in it and goes with it */
	const char *dir;        /* home directory, no slash at its end */
	const char *config;     /* XDG_CONFIG_HOME or ~/.config */
	const char *data;       /* XDG_DATA_HOME or ~/.local/share */
	const char *state;      /* XDG_STATE_HOME or ~/.local/state */
	const char *cargo;      /* CARGO_HOME or ~/.cargo */
	enum language language; /* of what is said; LC_ALL, LANG */
	const char *root;       /* "" or where the system is */
	struct home_file *files; /* owned */
	size_t n_files;
};

/* From the environment. root: a directory instead of "/", or NULL. ERR_SYSTEM where
 * nobody's home is known. */
MUST_USE bool home_open(struct home *h, const char *root, struct err *err);
void home_close(struct home *h);

/*
 * The files that match: "~/" is the home directory, "$CONFIG/", "$DATA/" and "$STATE/"
 * are the XDG ones, "$CARGO/" cargo's, "./" the current one, "/" the system's; with the
 * patterns of glob(7). Existing files only. How many, at most HOME_MATCHES.
 */
size_t home_glob(struct home *h, const char *pattern, const char **out);
/* The one path of a pattern without wildcards, there or not; in the arena. */
const char *home_path(struct home *h, const char *pattern);
/* The file, read now or before. Never NULL. */
const struct home_file *home_read(struct home *h, const char *path);
/* Forgets a file that was changed. */
void home_forget(struct home *h, const char *path);
/* "~/.npmrc" for people; in the arena. */
const char *home_short(struct home *h, const char *path);
/* Where a program is on PATH: absolute entries only, never the current directory; NULL
 * when it is not there. In the arena. */
const char *home_program(struct home *h, const char *name);
/* A formatted text in the arena, at most 4 KiB. */
const char *home_text(struct home *h, const char *fmt, ...) PRINTF(2, 3);
