// SPDX-License-Identifier: Apache-2.0
/*
 * key_priv: what the commands about keys share.
 */
#pragma once

#include "cli/cli.h"
#include "keyless/server.h"

/* ---- key serve: in the order of its life ---- */

enum { KEY_CLIENTS = 64, KEY_SKIS = 64, KEY_NAMES = 64, KEY_WORKERS = 64 };

/* One --client: the policy row and what it points to. */
struct key_client {
	char text[4096]; /* the option, cut into words */
	uint8_t skis[KEY_SKIS * WIRE_SKI];
	const char *names[KEY_NAMES];
};

/* "NAME[,key=SKI][,op=NAME][,name=HOST][,rate=N]…" into row. The first op= replaces the
 * usual set. `allowed` is what may be given at all. ERR_USAGE. */
MUST_USE bool key_client_parse(struct key_client *c, const char *text,
	struct server_policy *row, struct err *err);

/* JSON lines about each operation, written at the end of a turn. */
struct key_audit {
	int fd; /* -1: off */
	struct buf lines;
	struct hook flush;
	uint64_t lost; /* lines the file did not take */
};

/* path "-" is standard output. ERR_FILE_WRITE. */
MUST_USE bool key_audit_open(
	struct key_audit *a, struct loop *loop, const char *path, struct err *err);
void key_audit_add(struct key_audit *a, const struct answer_audit *what,
	const struct server_peer *peer);
void key_audit_close(struct key_audit *a);

/* Answers every HTTP request with the sum of n metrics. */
struct key_page {
	struct listener listener;
	struct listen_limit limit;
	struct loop *loop;
	const struct metrics *metrics; /* borrowed; one per worker */
	size_t n;
	const struct keys *keys;
};

MUST_USE bool key_page_open(
	struct key_page *p, struct loop *loop, const char *where, struct err *err);
