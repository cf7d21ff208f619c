// SPDX-License-Identifier: Apache-2.0
/*
 * issuer: what the managed authorities of an edge tell the world, over plain http.
 *
 *	listen :80 as authority use shop
 *
 *	GET  /clients.crl  /KEY.crl   the revocation list, DER
 *	GET  /ca.crt       /KEY.crt   the authority's certificate, DER
 *	GET  /ocsp/BASE64             OCSP (RFC 6960 §A.1, RFC 5019 §5)
 *	POST /ocsp
 *
 * KEY is the authority's subjectKeyIdentifier in hex; the names without it mean the
 * first `managed` of the edge. Everything served is public and signed; one request per
 * connection, few connections at a time, little of each.
 */
#pragma once

#include "base/list.h"
#include "gate/settings.h"
#include "gate/visit.h"
#include "pki/ocsp_serve.h"

struct worker;

/* Octets of a file, while anybody sends them. */
struct issuer_blob {
	unsigned refs;
	struct span octets; /* behind it, in the same block */
};

/* A file of an authority, read anew when it was replaced. */
struct issuer_file {
	char *path; /* owned */
	uint64_t seen;
	struct issuer_blob *blob; /* one reference; NULL: not readable */
};

/* One managed authority. */
struct issuer {
	struct issuer *next;
	const struct site_clients *settings; /* borrowed */
	const struct gateway *g;             /* borrowed */
	char key[2 * KEY_SKI + 1];           /* hex */
	struct ocsp_serve *ocsp;             /* owned; NULL: it cannot answer */
	struct issuer_file list;
	struct issuer_file status;
};

struct issuers {
	struct issuer *all; /* owned */
	struct visit_desk desk;
};

/* False: *err says why. */
MUST_USE bool issuer_open_all(struct worker *w, struct err *err);
void issuer_close_all(struct worker *w);
/* A connection of a listener `as authority`; takes fd. */
void issuer_accept(struct worker *w, const struct gateway *g, int fd);
