// SPDX-License-Identifier: Apache-2.0
/*
 * change: doing one change to a file, and taking it back, by way of the journal.
 *
 * Taking back is replaying: what the file was before the first of our changes, with
 * those that still stand. So the last one leaves the file as it was to the octet,
 * whatever the order. A file that somebody else changed in between is left alone,
 * unless a merge is asked for, which takes out our own setting and nothing else.
 */
#pragma once

#include "doctor/journal.h"

/* What to do. Texts outlive the call. */
struct change_ask {
	enum journal_kind kind;
	const char *tool;
	const char *path;
	enum edit_form form; /* JOURNAL_EDIT */
	const char *key;     /* JOURNAL_EDIT; JOURNAL_NSS: the certificate's nickname */
	const char *value; /* NULL takes the setting out; JOURNAL_NSS: the CA's file */
	struct span content; /* JOURNAL_FILE */
};

/* Whether it is in force already, by this tool and to the letter. */
MUST_USE bool change_stands(
	struct journal *j, const struct change_ask *ask, struct home *h);
/* The file's new text, for the caller to free; nothing is written. ERR_DOCTOR_EDIT. */
MUST_USE bool change_preview(struct home *h, const struct change_ask *ask,
	struct span *out, struct err *err);
/* Does it. */
MUST_USE bool change_do(
	struct journal *j, const struct change_ask *ask, struct err *err);
/* Takes it back. merge: even where the file was changed since, but then only its own
 * setting. ERR_DOCTOR_CHANGED. */
MUST_USE bool change_undo(
	struct journal *j, struct journal_change *c, bool merge, struct err *err);
