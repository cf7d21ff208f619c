// SPDX-License-Identifier: Apache-2.0
/*
 * pem: files of certificates as they lie about: RFC 7468, and everything that goes
 * wrong.
 *
 * Programs fail on a bad file in silence, or with a word about something else; so the
 * reader here goes on where they stop, keeps what is good, and says what is not and in
 * which line.
 */
#pragma once

#include "base/err.h"
#include "pki/cert.h"

enum pem_fault {
	PEM_EMPTY,   /* no octet in it */
	PEM_NONE,    /* text, but no certificate */
	PEM_DER,     /* binary where PEM is wanted */
	PEM_UTF16,   /* what ">" of Windows PowerShell writes */
	PEM_BOM,     /* a byte order mark at the front */
	PEM_GLUED,   /* "-----END…----------BEGIN": cat without a last line end */
	PEM_BASE64,  /* a body that is no base64 */
	PEM_OPEN,    /* a BEGIN without its END */
	PEM_TRUSTED, /* BEGIN TRUSTED CERTIFICATE, which few programs read */
	PEM_BROKEN,  /* base64, but no certificate in it */
	PEM_KEY,     /* a private key in the same file */
	PEM_LEAF,    /* a certificate that is no CA's */
	PEM_EXPIRED, /* past its end */
	PEM_FAULTS,
};

enum { PEM_FILE_MAX = 16 * 1024 * 1024, PEM_CERTS = 4096 };

/* Certificates of a file, or of several; no two alike. */
struct pem_list {
	struct cert **certs; /* owned references */
	size_t n;
	size_t cap;
};

/* What was wrong. */
struct pem_report {
	unsigned faults;           /* bits 1 << enum pem_fault */
	unsigned line[PEM_FAULTS]; /* where first, 1 is the first line */
	size_t certs;              /* blocks that are certificates */
};

void pem_list_fini(struct pem_list *l); /* a zeroed one may be given */
/* Whether it has this certificate, by its SHA-256. */
MUST_USE bool pem_list_has(const struct pem_list *l, const uint8_t sha256[CERT_HASH]);
/* Takes one more reference, unless it is in the list already. */
void pem_list_add(struct pem_list *l, struct cert *c);

/* Adds every certificate of the text to the list and reports on all of it. Never
 * fails: a bad text is what it is for. list may be NULL. now: wall seconds. */
void pem_read(struct span text, int64_t now, struct pem_list *list,
	struct pem_report *report);
/* Whether programs read less of the file than is in it, or none. */
MUST_USE bool pem_is_broken(const struct pem_report *report);
/* The one to speak of first, or PEM_FAULTS when there is none. */
enum pem_fault pem_gravest(const struct pem_report *report);
/* "line 3: …" about the gravest fault, or "" when there is none. */
struct text;
void pem_complain(const struct pem_report *report, struct text *t);
/* A sentence without the line. */
const char *pem_fault_text(enum pem_fault fault);
