// SPDX-License-Identifier: Apache-2.0
/*
 * client_priv: between the files of `sekisho client`.
 */
#pragma once

#include "cli/cli.h"
#include "cli/client_where.h"
#include "pki/client_register.h"

#define CLIENT_DIR "/var/lib/sekisho/clients"

/* What every command but init works on. */
struct client_desk {
	const char *dir;
	struct client_where *where;  /* owned; NULL: ca.key is in dir */
	struct client_ca *ca;        /* owned */
	struct client_register *reg; /* owned */
	struct arena arena;
	struct span passphrase; /* owned, wiped; of ca.key */
};

/* --dir, or CLIENT_DIR. */
const char *client_dir(const struct cli_call *call);
/* Opens authority and register; with_key: for what is signed, with --ca-passphrase. */
MUST_USE bool client_desk_open(struct client_desk *d, const struct cli_call *call,
	bool with_key, struct err *err);
void client_desk_close(struct client_desk *d);
/* The whole file of an option, or nothing: for passphrases; wiped by client_forget().
 */
MUST_USE bool client_read_secret(const struct cli_call *call, const char *option,
	struct span *out, struct err *err);
void client_forget(struct span *secret);
/* What the option --valid says, in seconds: "1h", "90d", "10y". */
MUST_USE bool client_read_valid(
	const struct cli_call *call, int64_t *valid_s, struct err *err);
/* The same of a text. */
MUST_USE bool client_valid_of(struct span text, int64_t *valid_s);
/* Addresses that go into certificates, from the register's settings, into w. */
void client_read_urls(struct client_desk *d, struct client_wish *w);
/* Records a certificate just made and publishes; within a transaction. *out, if not
 * NULL, is the record, in the desk's arena. */
MUST_USE bool client_record_add(struct client_desk *d, struct span der,
	const struct client_record *like, struct client_record *out, struct err *err);
/* Ends a change: renews who answers OCSP, publishes, commits. */
MUST_USE bool client_desk_commit(
	struct client_desk *d, bool with_list, struct err *err);
/* One line for a terminal. */
void client_print_line(const struct client_record *c);
/* "good", "revoked", "expired". */
const char *client_state_word(const struct client_record *c);

/* client_import.c, for init: the authority of --import, and what its last list said. */
MUST_USE bool client_import(
	const struct cli_call *call, struct client_desk *d, struct err *err);
MUST_USE bool client_import_revoked(
	const struct cli_call *call, struct client_desk *d, struct err *err);

/* Whether its certificate is known, which it is not when it came with a list. */
MUST_USE bool client_is_known(const struct client_record *c, struct err *err);

/* Files named after a client: what must not be in the way, and writing them. */
enum { CLIENT_PATH = 1024 };
/* PREFIX from --out, or from the client's name with what file names do not have
 * replaced. */
MUST_USE bool client_prefix(char dst[CLIENT_PATH], const struct cli_call *call,
	struct span name, struct err *err);
/* Writes PREFIX+suffix, which must not be there. */
MUST_USE bool client_write_file(const char *prefix, const char *suffix,
	struct span data, unsigned mode, struct err *err);
/* The forms of --form, as bits 1 << enum client_form; `otherwise` when none is named.
 */
MUST_USE bool client_read_forms(const struct cli_call *call, unsigned otherwise,
	unsigned *forms, struct err *err);
/* Writes every form of a certificate; says which files. */
MUST_USE bool client_write_forms(const struct client_ca *ca, const char *prefix,
	unsigned forms, const struct client_bundle *from, struct err *err);
