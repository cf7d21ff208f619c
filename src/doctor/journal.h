// SPDX-License-Identifier: Apache-2.0
/*
 * journal: every change that doctor made to somebody's files, so that it can be taken
 * back to the octet.
 *
 * Lines of JSON below $XDG_STATE_HOME/sekisho/doctor; what a file was before lies
 * beside them under its SHA-256. A line is on the disk before its change is, and
 * another after it, so that a crash between leaves a file that is either as before or
 * as after: the next start sees which. When the last change is taken back, journal and
 * directory go too. Private: files that are kept may hold secrets.
 */
#pragma once

#include "base/sha256.h"
#include "doctor/edit.h"
#include "doctor/home.h"

enum {
	JOURNAL_CHANGES = 1024,
	JOURNAL_HEX = 2 * SHA256_SIZE + 1,
	JOURNAL_DIRS = 256,
};

enum journal_kind {
	JOURNAL_EDIT, /* one setting in a file */
	JOURNAL_FILE, /* a whole file of ours */
	JOURNAL_NSS,  /* a file of a database that certutil changes */
};

enum journal_state {
	JOURNAL_BEGUN,
	JOURNAL_DONE,
	JOURNAL_UNDOING,
	JOURNAL_UNDONE,
};

/* Texts lie in the home's arena. */
struct journal_change {
	unsigned id;
	enum journal_kind kind;
	enum journal_state state;
	const char *tool;
	const char *path; /* of the file itself, symbolic links followed */
	enum edit_form form;
	const char *key;
	const char *value;        /* NULL: the setting is taken out */
	char before[JOURNAL_HEX]; /* SHA-256 of the file, "" where there was none */
	char after[JOURNAL_HEX];
	char was[JOURNAL_HEX]; /* while it is taken back: what `after` was */
	unsigned mode;         /* of the file before, 0 where there was none */
	bool detached;         /* somebody else changed the file in between */
	const char *since;     /* when, RFC 3339 */
};

struct journal {
	struct home *h;
	int lock; /* the home directory, held by one doctor at a time; -1: not held */
	const char *dir;
	const char *path;
	struct journal_change *all; /* owned; in order */
	size_t n;
	unsigned last_id;
	const char *dirs[JOURNAL_DIRS]; /* that we made */
	size_t n_dirs;
};

/* Reads what there is; a line that is broken ends it only at the very end (a crash
 * while it was written). ERR_DOCTOR_JOURNAL, also while another one is at work. */
MUST_USE bool journal_open(struct journal *j, struct home *h, struct err *err);
void journal_close(struct journal *j);

/* A change that is in force, or NULL past the last: i counts all of them. */
struct journal_change *journal_at(struct journal *j, size_t i);
/* Whether a change is in force. */
MUST_USE bool journal_stands(const struct journal_change *c);
/* The SHA-256 that the file had after the last thing we did to it, or NULL when we have
 * no change there. */
const char *journal_expects(const struct journal *j, const char *path);

/* Puts a change on the disk as begun, with what the file was before. It becomes the
 * last of j->all; *c is copied, its id and state are set. */
MUST_USE bool journal_begin(struct journal *j, const struct journal_change *c,
	struct span before, struct err *err);
/* after: NULL, or what the file is now where that was not known before. */
MUST_USE bool journal_done(struct journal *j, struct journal_change *c,
	const char *after, struct err *err);
MUST_USE bool journal_undoing(struct journal *j, struct journal_change *c,
	const char *after, struct err *err);
/* merged: only its setting was taken out; what others wrote to the file stands. */
MUST_USE bool journal_undone(
	struct journal *j, struct journal_change *c, bool merged, struct err *err);
/* Directories above the path that are not there are made and remembered. */
MUST_USE bool journal_mkdir(struct journal *j, const char *path, struct err *err);
/* Takes away directories of ours that are empty; and the journal, when nothing stands.
 */
void journal_tidy(struct journal *j);

/* A file as it was; the caller frees. */
MUST_USE bool journal_recall(const struct journal *j, const char sha256[JOURNAL_HEX],
	struct span *out, struct err *err);
/* Lower-case hex of the SHA-256. */
void journal_hash(struct span s, char out[JOURNAL_HEX]);
