// SPDX-License-Identifier: Apache-2.0
/*
 * key_audit: a line of JSON for each operation with a private key. Never the payload.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/key_priv.h"
#include "keyless/context.h"

enum {
	LINES_MAX = 1024 * 1024, /* kept while the file is slow; beyond that lost */
	AUDIT_LINE = 4096,
};

static void
flush_lines(struct hook *h)
{
	struct key_audit *a = CONTAINER_OF(h, struct key_audit, flush);

	while (!buf_empty(&a->lines)) {
		struct span s = buf_peek(&a->lines);
		ssize_t n = write(a->fd, s.p, s.n);

		if (n <= 0)
			return; /* the next turn tries again */
		buf_drop(&a->lines, (size_t)n);
	}
}

bool
key_audit_open(
	struct key_audit *a, struct loop *loop, const char *path, struct err *err)
{
	*a = (struct key_audit){.fd = -1, .flush.run = flush_lines};
	buf_init(&a->lines, LINES_MAX);
	list_init(&a->flush.in);
	if (!path)
		return true;
	a->fd = strcmp(path, "-") == 0
		? dup(STDOUT_FILENO)
		: open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (a->fd < 0)
		return err_errno(err, ERR_FILE_WRITE, errno, "%s", path);
	loop_each_turn(loop, &a->flush);
	return true;
}

void
key_audit_close(struct key_audit *a)
{
	loop_unhook(&a->flush);
	if (a->fd >= 0) {
		flush_lines(&a->flush);
		close(a->fd);
	}
	a->fd = -1;
	buf_fini(&a->lines);
}

static void
add_request_id(struct json_out *j, struct span context)
{
	char id[CONTEXT_ID];

	if (context_request_id(context, id))
		json_str(j, "request_id", id);
}

static void
add_ip(struct json_out *j, const char *key, const struct ip *ip)
{
	char text[IP_TEXT];

	if (ip->family != IP_NONE)
		json_str(j, key, ip_text(text, ip));
}

static void
add_hex(struct json_out *j, const char *key, struct span s)
{
	char hex[2 * WIRE_SKI + 1];
	struct text t = text_to(hex, sizeof(hex));

	if (s.n == 0)
		return;
	text_put_hex(&t, s, false);
	json_str(j, key, hex);
}

static void
write_line(struct json_out *j, const struct answer_audit *what,
	const struct server_peer *peer)
{
	const struct wire_msg *req = &what->call->req;
	const struct keys_entry *e = what->call->entry;
	char time[CLOCK_TEXT];
	char from[ADDR_TEXT];

	json_object(j, NULL);
	json_str(j, "time", clock_text(time, clock_wall_ms()));
	json_str(j, "op", wire_op_name(req->op));
	json_str(j, "result", wire_error_name((uint8_t)what->result));
	add_hex(j, "ski", e ? span_of(e->ski, WIRE_SKI) : req->ski);
	if (peer) {
		json_str(j, "client", peer->name);
		json_str(j, "serial", peer->serial);
		json_str(j, "from", addr_text(from, &peer->from));
	}
	if (req->name.n > 0)
		json_span(j, "sni", req->name);
	add_ip(j, "client_ip", &req->client_ip);
	add_ip(j, "server_ip", &req->server_ip);
	add_request_id(j, req->context);
	json_uint(j, "took_us", what->took_us);
	json_end(j);
}

void
key_audit_add(struct key_audit *a, const struct answer_audit *what,
	const struct server_peer *peer)
{
	struct json_out j;

	if (a->fd < 0)
		return;
	json_init(&j, AUDIT_LINE);
	write_line(&j, what, peer);
	struct span line = json_text(&j);
	if (j.cut || buf_room(&a->lines) < line.n + 1 || !buf_put(&a->lines, line) ||
		!buf_put(&a->lines, SPAN("\n")))
		a->lost++;
	json_fini(&j);
}
