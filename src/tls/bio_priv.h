// SPDX-License-Identifier: Apache-2.0
/*
 * bio: how OpenSSL reaches our bufs: a BIO that reads straight from one and writes
 * straight into another. It holds nothing itself.
 */
#pragma once

#include "base/buf.h"
#include "pki/ossl.h"

/* Embedded in the engine; the BIO borrows it. */
struct bio_wire {
	struct buf *in;  /* borrowed */
	struct buf *out; /* borrowed */
	bool ended;      /* nothing will be added to `in` any more */
	uint64_t taken;  /* octets read from in */
	uint64_t put;    /* octets written to out */
};

/* The method all BIOs of a profile share; BIO_meth_free() it after the last of them.
 * NULL without memory. */
BIO_METHOD *bio_method_new(void);
/* Owned by the SSL it is given to. NULL without memory. */
BIO *bio_new(const BIO_METHOD *method, struct bio_wire *wire);
