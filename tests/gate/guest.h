// SPDX-License-Identifier: Apache-2.0
/*
 * guest: a client of a program that runs beside the test: a socket that blocks, TLS on
 * it, and a certificate of its own if it has one.
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/tls/pair.h"

struct guest {
	int fd;
	struct tls *tls;
	struct profile *profile;
	struct identity *id;
	struct buf in;
	struct buf out;
	struct buf plain;
	struct err err;
};

static inline int
dial(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0);
	struct timeval patience = {.tv_sec = 20};
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ==
		0);
	return fd;
}

/* What waits goes out; something is waited for. False at the end of the stream. */
static inline bool
move_wire(struct guest *v)
{
	size_t space = 0;

	while (!buf_empty(&v->out)) {
		struct span s = buf_peek(&v->out);
		ssize_t n = write(v->fd, s.p, s.n);
		if (n <= 0)
			return false;
		buf_drop(&v->out, (size_t)n);
	}
	uint8_t *dst = buf_space(&v->in, 16384, &space);
	ssize_t n = read(v->fd, dst, space);
	if (n <= 0) {
		tls_wire_ended(v->tls);
		return false;
	}
	buf_added(&v->in, (size_t)n);
	return true;
}

static inline struct resume_key
session_key(const struct guest *v)
{
	return (struct resume_key){
		.host = SPAN("edge"), .policy = profile_policy(v->profile)};
}

/* More certificates behind its own, of no use. */
static inline void
pad(struct identity *id, int padding)
{
	if (!id->rest)
		id->rest = sk_X509_new_null();
	for (int i = 0; i < padding; i++) {
		CHECK(X509_up_ref(id->leaf) == 1);
		CHECK(sk_X509_push(id->rest, id->leaf) > 0);
	}
}

static inline void
leave(struct guest *v)
{
	close(v->fd);
	tls_free(v->tls);
	profile_put(v->profile);
	identity_put(v->id);
	buf_fini(&v->in);
	buf_fini(&v->out);
	buf_fini(&v->plain);
}
