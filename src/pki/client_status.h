// SPDX-License-Identifier: Apache-2.0
/*
 * client_status: every certificate the managed authority has issued, and whether it
 * stands: what an OCSP responder must know, as one small file.
 *
 *	"SKCS" version(1) zero(3) n(4) made(8) | n rows, sorted by serial number
 *	row: serial(16) revoked_at(8) state(1) reason(1) zero(6)
 *
 * Made from the register at every change and replaced as a whole; integers are
 * big-endian. Read by processes that have neither SQLite nor the right to the register.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum {
	CLIENT_STATUS_SERIAL = 16,
	CLIENT_STATUS_ROW = 32,
	CLIENT_STATUS_HEAD = 20,
	CLIENT_STATUS_MOST = 2 * 1000 * 1000, /* rows */
};

enum client_state { CLIENT_GOOD, CLIENT_REVOKED };

struct client_status_row {
	uint8_t serial[CLIENT_STATUS_SERIAL]; /* as in the certificate, left-padded */
	int64_t revoked_at;                   /* wall seconds; 0 when good */
	enum client_state state;
	uint8_t reason;
};

/* The file's octets from rows, which are sorted here; the caller frees.
 * ERR_PKI_REGISTER when there are too many or two alike. */
MUST_USE bool client_status_write(struct client_status_row *rows, size_t n, int64_t now,
	struct span *out, struct err *err);

/* A file as read; the octets are borrowed. */
struct client_status {
	struct span rows;
	int64_t made; /* wall seconds */
};
/* Refuses what client_status_write() does not write. ERR_PKI_REGISTER. */
MUST_USE bool client_status_read(
	struct span file, struct client_status *out, struct err *err);
/* The row with this serial number (INTEGER contents); false: never issued. */
MUST_USE bool client_status_find(const struct client_status *s, struct span serial,
	struct client_status_row *row);
/* Left-pads INTEGER contents to CLIENT_STATUS_SERIAL; false when longer or negative. */
MUST_USE bool client_status_key(struct span serial, uint8_t dst[CLIENT_STATUS_SERIAL]);
