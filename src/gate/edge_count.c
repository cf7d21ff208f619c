// SPDX-License-Identifier: Apache-2.0
/* edge_count: what metrics tell of handshakes with the clients of an edge. */
#include "base/stats.h"
#include "gate/edge.h"
#include "gate/session.h"

static enum stat_name
group_stat(struct span group)
{
	if (span_find(group, SPAN("MLKEM")) < group.n ||
		span_find(group, SPAN("mlkem")) < group.n)
		return STAT_HANDSHAKES_HYBRID;
	return span_eq_nocase(group, SPAN("x25519")) ? STAT_HANDSHAKES_X25519
						     : STAT_HANDSHAKES_NIST;
}

static enum stat_name
cert_stat(const struct client_cert *c)
{
	if (!c->presented)
		return STAT_CLIENT_CERTS_NONE;
	if (c->revoked)
		return STAT_CLIENT_CERTS_REVOKED;
	return c->verified ? STAT_CLIENT_CERTS_GOOD : STAT_CLIENT_CERTS_BAD;
}

void
edge_count(const struct session *s)
{
	struct tls_facts f;

	tls_facts(s->client.tls, &f);
	stat_add(f.version == TLS_1_3 ? STAT_HANDSHAKES_TLS13 : STAT_HANDSHAKES_TLS12,
		1);
	if (f.resumed)
		stat_add(STAT_HANDSHAKES_RESUMED, 1);
	if (f.early_taken || f.early_refused)
		stat_add(f.early_taken ? STAT_EARLY_TAKEN : STAT_EARLY_REFUSED, 1);
	/* TLS 1.2 resumes without an agreement; the group at hand is the session's. */
	if (f.group[0] && (f.version == TLS_1_3 || !f.resumed))
		stat_add(group_stat(span_str(f.group)), 1);
	if (s->visit->name->clients)
		stat_add(cert_stat(&s->visit->cert), 1);
}
