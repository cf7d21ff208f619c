// SPDX-License-Identifier: Apache-2.0
/*
 * site_words: what a configuration can say of sites, their clients and their keys.
 */
#include "gate/settings.h"

const struct conf_choice site_unknown_choices[] = {
	{"reject", SITE_UNKNOWN_REJECT, "End the handshake: unrecognized_name."},
	{"default", SITE_UNKNOWN_DEFAULT, "Serve the site that says `default`."},
	{0},
};

static const struct conf_choice client_cert_choices[] = {
	{"off", CLIENT_CERT_OFF, "None is asked for."},
	{"ask", CLIENT_CERT_ASK,
		"One is asked for; without it rules see that it is missing."},
	{"require", CLIENT_CERT_REQUIRE, "Without one there is no connection."},
	{0},
};

static const struct conf_choice fields_choices[] = {
	{"none", SITE_CERT_NOTHING, "The origin is told nothing."},
	{"rfc9440", SITE_CERT_RFC9440, "Client-Cert and Client-Cert-Chain (RFC 9440)."},
	{"cloudflare", SITE_CERT_CLOUDFLARE, "Cf-Client-Cert-* and cf-cert-*."},
	{"x-ssl", SITE_CERT_X_SSL, "X-SSL-Client-*, as many applications expect."},
	{"xfcc", SITE_CERT_XFCC, "X-Forwarded-Client-Cert."},
	{0},
};

static const struct conf_choice revocation_choices[] = {
	{"off", TRUST_REVOCATION_OFF, NULL},
	{"soft", TRUST_REVOCATION_SOFT, "Refuse what is known to be revoked."},
	{"hard", TRUST_REVOCATION_HARD, "Refuse also what nothing is known about."},
	{0},
};

#define PATH(field) CONF_AT(struct site_path, field)
static const struct conf_row path_args[] = {
	{"file", CONF_PATH, PATH(path), .required = true, .help = "A file."},
};
static const struct conf_table path_line = {
	.help = "A file.",
	.size = sizeof(struct site_path),
	CONF_ARGS_OF(path_args),
	.no_braces = true,
};

static const struct conf_row url_args[] = {
	{"url", CONF_TEXT, PATH(path), .required = true, .help = "http://HOST/PATH"},
};
static const struct conf_table url_line = {
	.help = "An address.",
	.size = sizeof(struct site_path),
	CONF_ARGS_OF(url_args),
	.no_braces = true,
};

static const struct conf_choice keepers[] = {
	{"worker", SITE_KEPT_BY_WORKER, "The one that speaks with clients."},
	{"vault", SITE_KEPT_BY_VAULT,
		"The one that speaks with nobody else: each full handshake asks it."},
	{0},
};

#define CERTIFICATE(field) CONF_AT(struct site_certificate, field)
static const struct conf_row certificate_args[] = {
	{"chain", CONF_PATH, CERTIFICATE(path), .required = true,
		.help = "PEM: the leaf, then its issuers."},
	{"key", CONF_PATH, CERTIFICATE(key), .after = "key",
		.help = "PEM of the private key; absent: it is in the same file. Or "
			"\"pkcs11:token=…;object=…\" (RFC 7512)."},
	{"keeper", CONF_CHOICE, CERTIFICATE(keeper), .after = "kept-by",
		.choices = keepers, .preset = "worker",
		.help = "Which process has the key; a token's is the vault's."},
	{"staple", CONF_PATH, CERTIFICATE(staple), .after = "staple",
		.help = "An OCSP answer (DER) that somebody keeps fresh; absent: it is "
			"fetched from the address in the certificate."},
};
static const struct conf_row keyless_args[] = {
	{"chain", CONF_PATH, CERTIFICATE(path), .required = true,
		.help = "PEM: the leaf, then its issuers."},
};
static const struct conf_table keyless_line = {
	.help = "A certificate of the site whose private key is on a key server.",
	.size = sizeof(struct site_certificate),
	CONF_ARGS_OF(keyless_args),
	.no_braces = true,
};
static const struct conf_table certificate_line = {
	.help = "A certificate of the site. Of an ECDSA and an RSA one, a client gets "
		"what "
		"it can use.",
	.size = sizeof(struct site_certificate),
	CONF_ARGS_OF(certificate_args),
	.no_braces = true,
};

#define ORIGIN(field) CONF_AT(struct site_origin, field)
static const struct conf_row origin_args[] = {
	{"url", CONF_TEXT, ORIGIN(url), .required = true,
		.help = "http://HOST:PORT, https://HOST:PORT, or h2c://HOST:PORT for "
			"HTTP/2 without TLS; without a path. With https the origin "
			"chooses between HTTP/2 and HTTP/1.1."},
	{"weight", CONF_INT, ORIGIN(weight), .after = "weight", .preset = "1",
		.max = 100,
		.help = "Its share of requests; 0: it is asked when no other is left."},
};
static const struct conf_table origin_line = {
	.help = "Where requests go. One that fails is left out for a while.",
	.size = sizeof(struct site_origin),
	CONF_ARGS_OF(origin_args),
	.no_braces = true,
};

#define SITE(field) CONF_AT(struct site, field)
static const struct conf_row site_args[] = {
	{"name", CONF_TEXT, SITE(name), .required = true,
		.help = "A DNS name, or *.NAME for all names one label below it."},
};
static const struct conf_row site_words[] = {
	{"also", CONF_TEXTS, SITE(also), .help = "More names of the site."},
	{"certificate", CONF_BLOCKS, SITE(certificates), .block = &certificate_line,
		.help = "What clients are shown."},
	{"keyless", CONF_BLOCKS, SITE(keyless), .block = &keyless_line,
		.help = "The same, with the private key elsewhere: see `keys`."},
	{"origin", CONF_BLOCKS, SITE(origins), .block = &origin_line,
		.help = "Where requests go."},
	{"origins", CONF_BLOCK, SITE(balance), .block = &site_balance_block,
		.help = "How requests are spread over them, and how much they bear."},
	{"hsts", CONF_DURATION, SITE(hsts_ms), .preset = "0",
		.help = "Strict-Transport-Security of this age on every response."},
	{"hsts-subdomains", CONF_FLAG, SITE(hsts_subdomains), .preset = "off",
		.help = "It holds for all names below, too."},
	{"hsts-preload", CONF_FLAG, SITE(hsts_preload), .preset = "off",
		.help = "Browsers may build it in: needs a year and "
			"`hsts-subdomains`."},
	{"default", CONF_FLAG, SITE(is_default), .preset = "off",
		.help = "It serves names nobody has, if `unknown-name` says so."},
	{"session-time", CONF_TEXT, SITE(session_time),
		.help = "How long TLS sessions of its names can be resumed: 5min to "
			"48h, 0 for never; absent: as `client` says."},
	{"early-data", CONF_FLAG, SITE(early_data), .preset = "off",
		.help = "Requests that come with a client's first octets (0-RTT) are "
			"taken: of safe methods, once, with Early-Data: 1. Not where "
			"clients are asked for certificates."},
	{"stapling", CONF_FLAG, SITE(stapling), .preset = "on",
		.help = "OCSP answers for its certificates are fetched ahead and "
			"shown."},
	{"keep-host", CONF_FLAG, SITE(keep_host), .preset = "on",
		.help = "The origin gets the Host of the client; else its own."},
	{"cache", CONF_BLOCK, SITE(cache), .block = &site_cache_block,
		.help = "Whether and how responses of the site are stored."},
};
const struct conf_table site_block = {
	.help = "A site.",
	.size = sizeof(struct site),
	CONF_ARGS_OF(site_args),
	CONF_WORDS_OF(site_words),
};

#define CLIENTS(field) CONF_AT(struct site_clients, field)
static const struct conf_row clients_args[] = {
	{"name", CONF_TEXT, CLIENTS(name), .required = true,
		.help = "A name of a site, or *.NAME."},
};
static const struct conf_row clients_words[] = {
	{"also", CONF_TEXTS, CLIENTS(also), .help = "More names."},
	{"certificate", CONF_CHOICE, CLIENTS(certificate), .preset = "ask",
		.choices = client_cert_choices, .help = "What is asked of clients."},
	{"authority", CONF_BLOCKS, CLIENTS(authorities), .block = &path_line,
		.help = "PEM of certificates that client certificates are verified "
			"by."},
	{"crl", CONF_BLOCKS, CLIENTS(crls), .block = &path_line,
		.help = "A revocation list; what replaces it counts within a second."},
	{"crl-url", CONF_BLOCKS, CLIENTS(crl_urls), .block = &url_line,
		.help = "A revocation list that is fetched, over plain http; it must "
			"be "
			"signed by one of the authorities."},
	{"managed", CONF_PATH, CLIENTS(managed),
		.help = "Directory of an authority made by `sekisho client init`: its "
			"certificate and list count as if named here."},
	{"revocation", CONF_CHOICE, CLIENTS(revocation), .preset = "soft",
		.choices = revocation_choices, .help = "What revocation lists mean."},
	{"tell-origin", CONF_CHOICE, CLIENTS(fields), .preset = "rfc9440",
		.choices = fields_choices,
		.help = "How the origin is told of the certificate. Whatever clients "
			"send "
			"under these names is removed first, everywhere."},
};
const struct conf_table site_clients_block = {
	.help = "What is asked of the clients of a name.",
	.size = sizeof(struct site_clients),
	CONF_ARGS_OF(clients_args),
	CONF_WORDS_OF(clients_words),
};

#define SERVER(field) CONF_AT(struct site_key_server, field)
static const struct conf_row server_args[] = {
	{"address", CONF_ADDRESS, SERVER(address), .max = 1, .required = true,
		.help = "HOST:PORT, without a port 2407; or the path of a Unix "
			"socket."},
	{"name", CONF_TEXT, SERVER(name), .after = "called",
		.help = "The name in its certificate; absent: the host."},
};
static const struct conf_row server_words[] = {
	{"padding", CONF_FLAG, SERVER(padded), .preset = "on",
		.help = "Requests are padded to 1,024 octets, so that all look alike."},
	{"request-ids", CONF_FLAG, SERVER(request_ids), .preset = "off",
		.help = "It is told the session's id, for its records. Servers of "
			"other "
			"makes "
			"before 2021 refuse items they do not know."},
	{"legacy-c", CONF_FLAG, SERVER(legacy_c), .preset = "off",
		.help = "It is the first server there was, in C: its raw RSA operation "
			"has "
			"another number."},
};
static const struct conf_table server_line = {
	.help = "A key server.",
	.size = sizeof(struct site_key_server),
	CONF_ARGS_OF(server_args),
	CONF_WORDS_OF(server_words),
};

#define KEYS(field) CONF_AT(struct site_keys, field)
static const struct conf_row keys_words[] = {
	{"server", CONF_BLOCKS, KEYS(servers), .block = &server_line,
		.help = "A key server. Of several the quicker ones are asked."},
	{"certificate", CONF_PATH, KEYS(certificate),
		.help = "PEM of what we show to key servers."},
	{"key", CONF_PATH, KEYS(key),
		.help = "PEM of its private key; absent: in the same file."},
	{"authority", CONF_PATH, KEYS(authority),
		.help = "PEM of the authority that key servers' certificates come "
			"from."},
	{"timeout", CONF_DURATION, KEYS(timeout_ms), .preset = "2s", .min = 10,
		.max = 600000, .help = "A handshake waits so long for a signature."},
};
const struct conf_table site_keys_block = {
	.help = "Where the private keys of `keyless` certificates are.",
	.size = sizeof(struct site_keys),
	CONF_WORDS_OF(keys_words),
};
