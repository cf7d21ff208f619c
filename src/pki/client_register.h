// SPDX-License-Identifier: Apache-2.0
/*
 * client_register: the records of the managed authority, in one SQLite file.
 *
 * A change is one transaction: the row, the journal, and what is published from it
 * (clients.crl, clients.status) are old together or new together; two commands at once
 * wait for each other. The schema has a version; a newer one than ours is refused.
 */
#pragma once

#include "base/arena.h"
#include "pki/client_ca.h"
#include "pki/client_status.h"

struct client_register;

enum { CLIENT_LABEL = 128, CLIENT_SERIAL_TEXT = 48 };

/* One certificate. Texts lie in the arena given. */
struct client_record {
	struct span serial; /* lower-case hex */
	struct span name;   /* commonName, or the first other name */
	struct span label;
	struct span subject; /* as client_name.h has it */
	struct span key;     /* "EC P-256" */
	int64_t created;     /* wall seconds, as all */
	int64_t not_before;
	int64_t not_after;
	enum client_state state;
	int reason; /* enum client_reason, when revoked */
	int64_t revoked_at;
	struct span renews; /* serial of the one before, or empty */
	struct span der;    /* empty: imported with a list, only its number is known */
};

/* DIR/register.db, made when `make`. NULL with ERR_PKI_REGISTER. */
struct client_register *client_register_open(
	const char *dir, bool make, struct err *err);
void client_register_close(struct client_register *r); /* undoes what is open */

/* Waits for other writers a few seconds. */
MUST_USE bool client_register_begin(struct client_register *r, struct err *err);
MUST_USE bool client_register_commit(struct client_register *r, struct err *err);

/* Fields of the record except state, reason and revoked_at, which begin as good; one of
 * which only the number is known gets the rest, and stays what it is. ERR_PKI_CLIENT when
 * it is there already. */
MUST_USE bool client_register_add(
	struct client_register *r, const struct client_record *c, struct err *err);
/* Revokes, or makes good again; noted in the journal. */
struct client_change {
	struct span serial; /* hex */
	enum client_state state;
	int reason;
	int64_t at;
};
MUST_USE bool client_register_change(
	struct client_register *r, const struct client_change *c, struct err *err);

/* By serial number (hex, colons and case do not count), else by name or label when only
 * one has it that is not over. ERR_PKI_CLIENT says what was found instead. */
MUST_USE bool client_register_find(struct client_register *r, struct span what,
	struct arena *a, struct client_record *out, struct err *err);

/* All, oldest first. */
struct client_rows {
	struct client_register *r;
	int64_t last; /* row number */
};
struct client_rows client_register_all(struct client_register *r);
/* The arena holds one record at a time: reset by the caller. */
MUST_USE bool client_register_next(
	struct client_rows *rows, struct arena *a, struct client_record *out);

/* Small settings: "crl-url", "ocsp-url", "subject", "san"; "" when unset. */
struct span client_register_get(
	struct client_register *r, const char *name, struct arena *a);
MUST_USE bool client_register_set(struct client_register *r, const char *name,
	struct span value, struct err *err);

/* What is made from the records: the status file, and with a list the CRL, whose number
 * rises. Inside a transaction. */
MUST_USE bool client_register_publish(struct client_register *r,
	const struct client_ca *ca, bool with_list, struct err *err);
