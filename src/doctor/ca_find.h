// SPDX-License-Identifier: Apache-2.0
/*
 * ca_find: the organisation's CA, wherever this machine keeps it, and whether it is one
 * that programs will take.
 *
 * The order is that of trust: files that somebody named, files of a network agent, what
 * was added to the system's list, browsers' and Java's stores, files that settings
 * name. What came over the wire stands apart: whoever is on the path wrote it.
 */
#pragma once

#include "doctor/bundle.h"
#include "doctor/home.h"
#include "doctor/pem.h"

enum { CA_FOUND = 256, CA_FAULTS = 16 };

struct ca_found {
	struct cert *cert; /* held */
	const char *from;  /* "the system's list", "Chromium and Chrome (NSS)", … */
	const char *path;
	bool key_beside; /* a private key lies in the same file */
	bool writable;   /* everybody may write to the file */
};

struct ca_list {
	struct ca_found *all; /* owned */
	size_t n;
};

/* One sentence about a certificate; grave: programs refuse it. */
struct ca_fault {
	const char *text;
	bool grave;
};

void ca_list_init(struct ca_list *l);
void ca_list_fini(struct ca_list *l);
/* Adds the certificates of a file. ERR_FILE_READ. */
MUST_USE bool ca_list_add_file(struct ca_list *l, struct home *h, const char *path,
	const char *from, struct err *err);
/* Adds one; a second of the same is left out. */
void ca_list_add(struct ca_list *l, struct cert *c, const char *from, const char *path);
/* Adds all that the machine has and that is no public root. `deep` also asks programs
 * (certutil, keytool). */
void ca_find_all(struct ca_list *l, struct home *h, const struct bundle *b, bool deep);
/* The one whose SHA-256 begins with these hex digits (colons allowed, at least 8
 * digits), or NULL for none or several. */
const struct ca_found *ca_list_pick(const struct ca_list *l, const char *fingerprint);

/* What is wrong with it as the CA of an inspecting gateway. now: wall seconds. */
size_t ca_check(const struct ca_found *f, int64_t now, struct ca_fault out[CA_FAULTS]);
