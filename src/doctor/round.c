// SPDX-License-Identifier: Apache-2.0
#include "doctor/round.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/addr.h"

enum { HTTPS = 443, WITHIN_MS = 15000 };

struct round *
round_new(void)
{
	struct round *r = mem_alloc(sizeof(*r));
	r->within_ms = WITHIN_MS;
	return r;
}

static void
free_hosts(struct probe **probes, struct look_host *hosts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		look_fini(&hosts[i]);
		probe_fini(probes[i]);
		mem_free(probes[i]);
	}
}

void
round_free(struct round *r)
{
	if (!r)
		return;
	free_hosts(r->probes, r->hosts, r->n);
	free_hosts(r->direct_probes, r->direct, r->n_direct);
	trust_free(r->lists.store);
	chain_fini(&r->public_roots);
	mem_free(r);
}

static bool
is_host(const char *host)
{
	for (; *host; host++) {
		uint8_t c = (uint8_t)*host;
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && !strchr(".-_:", *host))
			return false;
	}
	return true;
}

static bool
read_host(struct span text, struct probe *p, struct err *err)
{
	struct span host = span_trim(text);
	if (span_starts(host, SPAN("https://")))
		host = span_from(host, 8);
	host = span_first(host, span_chr(host, '/'));
	if (!addr_split(host, HTTPS, &host, &p->port) ||
		!span_copy(p->host, sizeof(p->host), host) || !is_host(p->host)) {
		return err_set(err, ERR_USAGE, "%.*s is no host",
			SPAN_ARG(span_first(text, 64)));
	}
	span_lower((uint8_t *)p->host, span_str(p->host));
	return true;
}

bool
round_add(struct round *r, const char *host, bool bad, struct err *err)
{
	if (r->n == PROBES)
		return err_set(err, ERR_USAGE, "at most %d hosts at once", PROBES);
	struct probe *p = mem_alloc(sizeof(*p));
	r->probes[r->n] = p;
	r->hosts[r->n] = (struct look_host){.probe = p, .bad = bad};
	r->n++;
	p->talks = bad;
	return read_host(span_str(host), p, err) &&
		proxy_for(span_str(p->host), &p->proxy, err);
}

bool
round_lists(struct round *r, const char *store_file, const char *public_file,
	struct err *err)
{
	const char *files[] = {store_file, NULL};

	r->lists.now = clock_wall();
	r->lists.store = trust_new(!store_file, files, err);
	if (!r->lists.store)
		return false;
	if (public_file && !chain_load(&r->public_roots, public_file, err))
		return false;
	r->lists.public = public_file ? &r->public_roots : NULL;
	return true;
}

static struct probe *
copy_probe(const struct probe *from)
{
	struct probe *p = mem_alloc(sizeof(*p));
	p->port = from->port;
	p->talks = from->talks;
	memcpy(p->host, from->host, sizeof(p->host));
	return p;
}

static bool
probe_list(const struct round *r, struct probe *const *list, size_t n, struct err *err)
{
	return n == 0 || probe_all(list, n, clock_tick() + r->within_ms, err);
}

/* Hosts whose answers may name the product: one HEAD / each. */
static bool
hear_products(struct round *r, struct err *err)
{
	struct probe *list[PROBES];
	struct look_host *of[PROBES];
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct look_host *h = &r->hosts[i];
		if (!h->judged || h->public_root || h->product || h->bad)
			continue;
		list[n] = copy_probe(h->probe);
		list[n]->proxy = h->probe->proxy;
		list[n]->talks = true;
		of[n++] = h;
	}
	bool ok = probe_list(r, list, n, err);
	for (size_t i = 0; i < n; i++) {
		if (ok)
			look_hear(of[i], list[i]);
		probe_fini(list[i]);
		mem_free(list[i]);
	}
	return ok;
}

static bool
ask_directly(struct round *r, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		struct probe *p = copy_probe(r->probes[i]);
		r->direct_probes[i] = p;
		r->direct[i] = (struct look_host){.probe = p, .bad = r->hosts[i].bad};
		r->n_direct++;
	}
	if (!probe_list(r, r->direct_probes, r->n_direct, err))
		return false;
	look_judge(r->direct, r->n_direct, &r->lists);
	return true;
}

bool
round_ask(struct round *r, bool direct_too, struct err *err)
{
	if (!probe_list(r, r->probes, r->n, err))
		return false;
	look_judge(r->hosts, r->n, &r->lists);
	return hear_products(r, err) && (!direct_too || ask_directly(r, err));
}

static const char *
class_of_alert(const struct probe *p)
{
	switch (p->alert) {
	case TLS_ALERT_HANDSHAKE_FAILURE:
		return "no-shared-cipher";
	case TLS_ALERT_PROTOCOL_VERSION:
		return "protocol-version";
	case TLS_ALERT_UNRECOGNIZED_NAME:
		return "unrecognized-name";
	case TLS_ALERT_ACCESS_DENIED:
		return "policy";
	case TLS_ALERT_INTERNAL_ERROR:
		return "peer-fault";
	case TLS_NO_ALERT: /* closed or reset without a word */
		return "eof";
	default: /* about a certificate of ours, or rare */
		return "alert-from-peer";
	}
}

static const char *
class_of_proxy(int status)
{
	if (status == 407)
		return "proxy-auth";
	return status >= 500    ? "proxy-failed"
		: status >= 400 ? "proxy-denied"
				: "proxy";
}

static const char *
class_of_verdict(const struct look_host *h)
{
	switch (h->verdict.class) {
	case VERDICT_GOOD: /* this machine's store trusts it; the program's own list
			      does not */
		return h->public_root ? NULL : "unknown-issuer";
	case VERDICT_UNKNOWN_ISSUER:
		return h->root_sha256[0] ? "self-signed-in-chain" : "unknown-issuer";
	case VERDICT_SELF_SIGNED:
		return h->probe->chain.n > 1 ? "self-signed-in-chain"
					     : "self-signed-leaf";
	case VERDICT_INCOMPLETE:
		return "missing-intermediate";
	case VERDICT_EXPIRED:
		return "expired";
	case VERDICT_NOT_YET:
		return "not-yet-valid";
	case VERDICT_WRONG_NAME:
		return "hostname-mismatch";
	case VERDICT_REVOKED:
	case VERDICT_REVOCATION_UNKNOWN:
		return "revocation";
	case VERDICT_WEAK_KEY:
		return "weak-key";
	case VERDICT_WEAK_SIGNATURE:
		return "weak-digest";
	case VERDICT_BAD_SIGNATURE:
		return "stale-ca";
	case VERDICT_CT_MISSING:
		return "ct";
	case VERDICT_WRONG_USE:
		return "wrong-purpose";
	case VERDICT_OLD_TLS:
		return "protocol-version";
	case VERDICT_CA_VIOLATION:
	case VERDICT_MALFORMED:
	case VERDICT_BLOCKED:
	case VERDICT_OWN_AUTHORITY:
	case VERDICT_TOO_COMPLEX:
	case VERDICT_OTHER:
	case VERDICT_COUNT:
		break;
	}
	return "bad-certificate-form";
}

const char *
round_class(const struct look_host *h)
{
	if (h->judged)
		return class_of_verdict(h);
	switch (h->probe->end) {
	case PROBE_PLAIN:
		return h->probe->status ? "captive" : "plaintext";
	case PROBE_PROXY:
		return class_of_proxy(h->probe->status);
	case PROBE_HANDSHAKE:
		return class_of_alert(h->probe);
	case PROBE_SHOWN:
	case PROBE_LATE:
	case PROBE_NO_NAME:
	case PROBE_NO_ROUTE:
		break;
	}
	return NULL;
}
