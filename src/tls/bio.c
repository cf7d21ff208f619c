// SPDX-License-Identifier: Apache-2.0
#include "tls/bio_priv.h"

#include <string.h>

static int
read_wire(BIO *bio, char *dst, size_t n, size_t *got)
{
	struct bio_wire *w = BIO_get_data(bio);
	struct span have = span_first(buf_peek(w->in), n);

	BIO_clear_retry_flags(bio);
	*got = have.n;
	if (have.n == 0) {
		if (!w->ended)
			BIO_set_retry_read(bio);
		return 0;
	}
	memcpy(dst, have.p, have.n); /* at most n */
	buf_drop(w->in, have.n);
	w->taken += have.n;
	return 1;
}

/* Takes what fits: OpenSSL keeps the rest of its record and comes again. */
static int
write_wire(BIO *bio, const char *src, size_t n, size_t *put)
{
	struct bio_wire *w = BIO_get_data(bio);
	size_t room = buf_room(w->out);
	size_t take = n < room ? n : room;

	BIO_clear_retry_flags(bio);
	*put = take;
	if (take == 0) {
		BIO_set_retry_write(bio);
		return 0;
	}
	size_t space = 0;
	uint8_t *dst = buf_space(w->out, take, &space);
	memcpy(dst, src, take); /* buf_space() gives what buf_room() says */
	buf_added(w->out, take);
	w->put += take;
	return 1;
}

static long
control(BIO *bio, int what, long number, void *p)
{
	const struct bio_wire *w = BIO_get_data(bio);

	(void)number;
	(void)p;
	switch (what) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return w->ended && buf_empty(w->in);
	default: /* we are no file, no socket, no kernel TLS */
		return 0;
	}
}

BIO_METHOD *
bio_method_new(void)
{
	/* The type's number only has to differ from those of OpenSSL's own BIOs. */
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 0x7f, "wire");

	if (!m || BIO_meth_set_read_ex(m, read_wire) != 1 ||
		BIO_meth_set_write_ex(m, write_wire) != 1 ||
		BIO_meth_set_ctrl(m, control) != 1) {
		BIO_meth_free(m);
		return NULL;
	}
	return m;
}

BIO *
bio_new(const BIO_METHOD *method, struct bio_wire *wire)
{
	BIO *bio = BIO_new(method);

	if (!bio)
		return NULL;
	BIO_set_data(bio, wire);
	BIO_set_init(bio, 1);
	return bio;
}
