// SPDX-License-Identifier: Apache-2.0
/*
 * engine_facts: what can be told about a connection.
 */
#include <openssl/err.h>

#include "tls/engine_priv.h"

/* RFC 8446 §6, RFC 5246 §7.2, and what IANA added since. */
static const char *const alert_names[256] = {
	[0] = "close_notify",
	[10] = "unexpected_message",
	[20] = "bad_record_mac",
	[21] = "decryption_failed",
	[22] = "record_overflow",
	[30] = "decompression_failure",
	[40] = "handshake_failure",
	[41] = "no_certificate",
	[42] = "bad_certificate",
	[43] = "unsupported_certificate",
	[44] = "certificate_revoked",
	[45] = "certificate_expired",
	[46] = "certificate_unknown",
	[47] = "illegal_parameter",
	[48] = "unknown_ca",
	[49] = "access_denied",
	[50] = "decode_error",
	[51] = "decrypt_error",
	[60] = "export_restriction",
	[70] = "protocol_version",
	[71] = "insufficient_security",
	[80] = "internal_error",
	[86] = "inappropriate_fallback",
	[90] = "user_canceled",
	[100] = "no_renegotiation",
	[109] = "missing_extension",
	[110] = "unsupported_extension",
	[111] = "certificate_unobtainable",
	[112] = "unrecognized_name",
	[113] = "bad_certificate_status_response",
	[114] = "bad_certificate_hash_value",
	[115] = "unknown_psk_identity",
	[116] = "certificate_required",
	[120] = "no_application_protocol",
	[121] = "ech_required",
};

const char *
tls_alert_name(int number)
{
	bool known = number >= 0 && number < (int)COUNT_OF(alert_names);

	return known && alert_names[number] ? alert_names[number] : "unassigned";
}

static const char *
group_name(SSL *ssl)
{
	int group = (int)SSL_get_negotiated_group(ssl);
	const char *name = group > 0 ? SSL_group_to_name(ssl, group) : NULL;

	ERR_clear_error();
	return name ? name : "";
}

void
tls_facts(const struct tls *t, struct tls_facts *out)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(t->ssl);
	const unsigned char *alpn = NULL;
	unsigned n = 0;

	SSL_get0_alpn_selected(t->ssl, &alpn, &n);
	*out = (struct tls_facts){
		.version_name = "",
		.cipher = "",
		.group = "",
		.alpn = span_of(alpn, n),
		.alert_sent = t->alert_sent,
		.alert_received = t->alert_received,
		.wire_in = t->wire.taken,
		.wire_out = t->wire.put,
	};
	if (!cipher || (!SSL_is_init_finished(t->ssl) && !tls_is_early(t)))
		return;
	out->version = (uint16_t)SSL_version(t->ssl); /* two octets on the wire */
	out->version_name = SSL_get_version(t->ssl);
	out->cipher = SSL_CIPHER_get_name(cipher);
	out->group = group_name(t->ssl);
	out->resumed = SSL_session_reused(t->ssl) == 1;
	int early = SSL_get_early_data_status(t->ssl);
	out->early_taken = t->once && early == SSL_EARLY_DATA_ACCEPTED;
	out->early_refused = t->once && early == SSL_EARLY_DATA_REJECTED;
}

int
tls_alert_sent(const struct tls *t)
{
	return t->alert_sent;
}

int
tls_alert_received(const struct tls *t)
{
	return t->alert_received;
}

struct span
tls_peer_staple(const struct tls *t)
{
	const uint8_t *p = NULL;
	long n = SSL_get_tlsext_status_ocsp_resp(t->ssl, &p);

	return n > 0 ? span_of(p, (size_t)n) : (struct span){0};
}

struct span
tls_peer_scts(const struct tls *t)
{
	return t->scts;
}

bool
tls_put_alert(struct buf *wire_out, uint8_t number)
{
	const uint8_t record[] = {21, 3, 3, 0, 2, 2, number}; /* fatal */

	return buf_put(wire_out, span_of(record, sizeof(record)));
}
