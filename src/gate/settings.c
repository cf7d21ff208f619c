// SPDX-License-Identifier: Apache-2.0
#include "gate/settings.h"
#include "gate/keyserver.h"

#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "fact/categories.h"
#include "gate/compile.h"
#include "http/header.h"
#include "pki/trust.h"
#include "tls/profile.h"

static const struct conf_choice tls_versions[] = {
	{"1.2", TLS_1_2, "TLS 1.2 (RFC 5246)"},
	{"1.3", TLS_1_3, "TLS 1.3 (RFC 8446)"},
	{0},
};

const struct conf_choice settings_tls_profiles[] = {
	{"modern", PROFILE_MODERN, "TLS 1.3 alone."},
	{"intermediate", PROFILE_INTERMEDIATE,
		"TLS 1.2 too, with forward secrecy and authenticated encryption."},
	{"compat", PROFILE_COMPAT,
		"And CBC and RSA key exchange, for peers that have nothing better."},
	{"modern-2026", PROFILE_MODERN,
		"`modern` as of 2026, also when that comes to mean something newer."},
	{"intermediate-2026", PROFILE_INTERMEDIATE, "The same of `intermediate`."},
	{"compat-2026", PROFILE_COMPAT, "The same of `compat`."},
	{0},
};

static const struct conf_choice ct_modes[] = {
	{"report", TRUST_CT_REPORT, "Look, and say so in the event."},
	{"public", TRUST_CT_PUBLIC,
		"Refuse what public authorities issued and too few logs have seen."},
	{"all", TRUST_CT_ALL, "The same below any root."},
	{0},
};

static const struct conf_choice revocation_modes[] = {
	{"off", TRUST_REVOCATION_OFF,
		"Nobody is asked, and staples are not looked at."},
	{"soft", TRUST_REVOCATION_SOFT,
		"What is revoked is refused; what cannot be learned is good."},
	{"hard", TRUST_REVOCATION_HARD, "What cannot be learned is refused too."},
	{0},
};

static const struct conf_choice non_tls_actions[] = {
	{"block", NON_TLS_BLOCK, "Close the connection."},
	{"tunnel", NON_TLS_TUNNEL, "Pass the bytes through unseen."},
	{0},
};

static const struct conf_choice forwarded_actions[] = {
	{"remove", HEADER_FORWARDED_REMOVE,
		"Take away what the client sent, add nothing."},
	{"keep", HEADER_FORWARDED_KEEP, "Leave them as they are."},
	{"add", HEADER_FORWARDED_ADD, "Add the client behind what is there."},
	{"set", HEADER_FORWARDED_SET, "Replace them by the client alone."},
	{0},
};

static const struct conf_choice fronts[] = {
	{"proxy", FRONT_PROXY, "Explicit proxy: CONNECT and absolute-form requests."},
	{"edge", FRONT_EDGE, "TLS for the sites of an edge."},
	{"redirect", FRONT_REDIRECT,
		"Plain HTTP that sends clients of an edge to https."},
	{"keyserver", FRONT_KEYSERVER, "The key protocol, for edges elsewhere."},
	{"authority", FRONT_AUTHORITY,
		"Revocation lists and OCSP of the managed authorities of an edge."},
	{0},
};

static const struct conf_choice list_formats[] = {
	{"auto", LIST_AUTO, "By the first lines of the file."},
	{"plain", LIST_PLAIN, "One item a line."},
	{"hosts", LIST_HOSTS, "Address and names, as in a hosts file."},
	{"rpz", LIST_RPZ, "Response policy zone."},
	{"adblock", LIST_ADBLOCK, "Domain lines of Adblock lists."},
	{"csv", LIST_CSV, "Comma-separated values; needs `column`."},
	{0},
};

static const struct conf_choice log_levels[] = {
	{"error", LOG_ERROR, NULL},
	{"warn", LOG_WARN, NULL},
	{"info", LOG_INFO, NULL},
	{"debug", LOG_DEBUG, NULL},
	{0},
};

static const struct conf_choice upstream_http[] = {
	{"mirror", UPSTREAM_HTTP_MIRROR,
		"What the client offers; the client gets what the origin chooses."},
	{"1.1", UPSTREAM_HTTP_1, "HTTP/1.1 alone. Clients may still use HTTP/2."},
	{"any", UPSTREAM_HTTP_ANY, "HTTP/2 and HTTP/1.1, whatever the client offers."},
	{0},
};

#define UPSTREAM(field) CONF_AT(struct upstream_settings, field)
static const struct conf_row upstream_words[] = {
	{"trust", CONF_TEXTS, UPSTREAM(trust), .preset = "system",
		.help = "Roots that origins are verified against: `system`, files of "
			"PEM, or both."},
	{"profile", CONF_CHOICE, UPSTREAM(profile), .preset = "intermediate",
		.choices = settings_tls_profiles,
		.help = "What is offered to origins, as of 2026."},
	{"ct-logs", CONF_PATH, UPSTREAM(ct_logs),
		.help = "List of transparency logs, in the JSON form that their "
			"operators publish."},
	{"ct", CONF_CHOICE, UPSTREAM(ct), .preset = "report", .choices = ct_modes,
		.help = "What is done with certificates that those logs have not "
			"seen."},
	{"min-version", CONF_CHOICE, UPSTREAM(min_version), .preset = "1.2",
		.choices = tls_versions,
		.help = "Lowest TLS version spoken to origins."},
	{"http", CONF_CHOICE, UPSTREAM(http), .preset = "mirror",
		.choices = upstream_http,
		.help = "The versions of HTTP that origins are offered. Where the two "
			"sides differ, messages are translated."},
	{"connect-timeout", CONF_DURATION, UPSTREAM(connect_ms), .preset = "10s",
		.min = 100, .max = 300000,
		.help = "Time to resolve a name and connect, all addresses together."},
	{"handshake-timeout", CONF_DURATION, UPSTREAM(handshake_ms), .preset = "10s",
		.min = 100, .max = 300000,
		.help = "Time for the TLS handshake with an origin."},
	{"answer-timeout", CONF_DURATION, UPSTREAM(answer_ms), .preset = "5min",
		.min = 1000, .help = "Time an origin may take to begin its answer."},
	{"idle-timeout", CONF_DURATION, UPSTREAM(idle_ms), .preset = "60s",
		.help = "A connection to an origin is kept so long for the next "
			"request."},
	{"revocation", CONF_CHOICE, UPSTREAM(revocation), .preset = "soft",
		.choices = revocation_modes,
		.help = "What is done about certificates that their issuer took back."},
	{"blocked-keys", CONF_TEXTS, UPSTREAM(blocked_keys),
		.help = "Public keys that no certificate of an origin's chain may "
			"have, its root included, such as those known to be stolen: "
			"SHA-256 of each SubjectPublicKeyInfo, in hex."},
	{"crl", CONF_TEXTS, UPSTREAM(crl),
		.help = "Revocation lists from files (PEM or DER), read at start and "
			"reload: for authorities whose lists cannot be fetched. Each "
			"counts for the authority that signed it."},
	{"fetch", CONF_FLAG, UPSTREAM(fetch), .preset = "on",
		.help = "Fetch what verifying an origin needs and it did not send: "
			"missing intermediates, OCSP answers, CRLs. Plain http from "
			"public addresses only, without redirects."},
	{"fetch-timeout", CONF_DURATION, UPSTREAM(fetch_ms), .preset = "3s", .min = 50,
		.max = 60000,
		.help = "A handshake waits no longer for all that is fetched; what "
			"comes later serves the next one."},
	{"fetch-most", CONF_SIZE, UPSTREAM(fetch_most), .preset = "4m", .min = 65536,
		.max = 16777216, .help = "A larger CRL is not taken."},
	{"fetch-cache", CONF_SIZE, UPSTREAM(fetch_cache), .preset = "32m",
		.min = 1048576,
		.help = "Octets of what was fetched that are kept: in memory per "
			"worker, "
			"and as much on disk in `fetched` below `data` for all of "
			"them."},
	{"fetch-allow", CONF_PREFIXES, UPSTREAM(fetch_allow),
		.help = "Addresses that are fetched from although they are not public: "
			"for an authority of your own, or a laboratory."},
	{"reuse", CONF_FLAG, UPSTREAM(reuse), .preset = "on",
		.help = "Keep connections to origins, and send the next client's "
			"requests over "
			"them too. Never done with connections that a client "
			"authenticated."},
	{"pool", CONF_INT, UPSTREAM(pool), .preset = "512", .max = 100000,
		.help = "Idle connections to origins kept per worker."},
};
static const struct conf_table upstream_table = {
	.help = "How origins are reached and verified.",
	.size = sizeof(struct upstream_settings),
	CONF_WORDS_OF(upstream_words),
};

#define CLIENT(field) CONF_AT(struct client_settings, field)
static const struct conf_row client_words[] = {
	{"profile", CONF_CHOICE, CLIENT(profile), .preset = "intermediate",
		.choices = settings_tls_profiles,
		.help = "What is taken from clients, as of 2026."},
	{"min-version", CONF_CHOICE, CLIENT(min_version), .preset = "1.2",
		.choices = tls_versions,
		.help = "Lowest TLS version spoken to clients."},
	{"insecure-rsa-key-exchange", CONF_FLAG, CLIENT(insecure_rsa_key_exchange),
		.preset = "off",
		.help = "TLS 1.2 clients without ECDHE may have a session, which "
			"whoever gets "
			"the RSA key later can read."},
	{"ask-timeout", CONF_DURATION, CLIENT(ask_ms), .preset = "15s", .min = 100,
		.help = "Time a client has to say where it wants to go."},
	{"hello-timeout", CONF_DURATION, CLIENT(hello_ms), .preset = "15s", .min = 100,
		.help = "Time a client has to send its whole ClientHello."},
	{"handshake-timeout", CONF_DURATION, CLIENT(handshake_ms), .preset = "20s",
		.min = 100, .help = "Time a client has to finish its TLS handshake."},
	{"head-timeout", CONF_DURATION, CLIENT(head_ms), .preset = "30s", .min = 100,
		.help = "Time a client has to send a request head once it has begun."},
	{"idle-timeout", CONF_DURATION, CLIENT(idle_ms), .preset = "5min", .min = 1000,
		.help = "A client connection without a request is kept so long."},
	{"stall-timeout", CONF_DURATION, CLIENT(stall_ms), .preset = "1h", .min = 1000,
		.help = "A message body or a tunnel in which nothing moves ends after "
			"so long."},
	{"session-time", CONF_DURATION, CLIENT(session_ms), .preset = "18h",
		.max = 172800000,
		.help = "A client may resume its TLS session for so long: 5min to "
			"48h, or 0 for never."},
};
static const struct conf_table client_table = {
	.help = "How clients are treated.",
	.size = sizeof(struct client_settings),
	CONF_WORDS_OF(client_words),
};

#define REACH(field) CONF_AT(struct reach_settings, field)
static const struct conf_row reach_words[] = {
	{"ports", CONF_TEXTS, REACH(ports), .preset = "443 8443",
		.help = "Ports that CONNECT may name: numbers, ranges such as "
			"8000-8099, or `any`."},
	{"allow", CONF_PREFIXES, REACH(allow),
		.help = "Addresses that clients may reach although they are not "
			"public."},
	{"refuse", CONF_PREFIXES, REACH(refuse),
		.help = "Addresses that clients may not reach although they are "
			"public."},
};
static const struct conf_table reach_table = {
	.help = "Where clients may make us connect to. Loopback, link-local, private "
		"and other "
		"special addresses are refused unless allowed here; our own ports "
		"always.",
	.size = sizeof(struct reach_settings),
	CONF_WORDS_OF(reach_words),
};

#define FORWARD(field) CONF_AT(struct forward_settings, field)
static const struct conf_row forward_words[] = {
	{"via", CONF_FLAG, FORWARD(via), .preset = "off",
		.help = "Add a Via field both ways."},
	{"forwarded", CONF_CHOICE, FORWARD(forwarded), .preset = "remove",
		.choices = forwarded_actions,
		.help = "X-Forwarded-For, -Proto, -Host and Forwarded of requests."},
	{"strip-alt-svc", CONF_FLAG, FORWARD(strip_alt_svc), .preset = "on",
		.help = "Remove Alt-Svc from responses, so that clients stay where "
			"they are seen."},
};
static const struct conf_row edge_forward_words[] = {
	{"via", CONF_FLAG, FORWARD(via), .preset = "off",
		.help = "Add a Via field both ways."},
	{"forwarded", CONF_CHOICE, FORWARD(forwarded), .preset = "set",
		.choices = forwarded_actions,
		.help = "X-Forwarded-For, -Proto, -Host and Forwarded of requests."},
};
static const struct conf_table edge_forward_table = {
	.help = "Fields that an edge adds or takes away.",
	.size = sizeof(struct forward_settings),
	CONF_WORDS_OF(edge_forward_words),
};
static const struct conf_table forward_table = {
	.help = "Fields that a proxy adds or takes away.",
	.size = sizeof(struct forward_settings),
	CONF_WORDS_OF(forward_words),
};

#define GATEWAY(field) CONF_AT(struct gateway, field)
static const struct conf_row gateway_args[] = {
	{"name", CONF_NAME, GATEWAY(name), .required = true,
		.help = "What listeners call it."},
};
static const struct conf_row gateway_words[] = {
	{"authority", CONF_PATH, GATEWAY(authority), .required = true,
		.help = "Directory of the CA that clients trust, as `sekisho ca init` "
			"makes it."},
	{"authority-keys", CONF_BLOCK, GATEWAY(sites.keys), .block = &site_keys_block,
		.help = "Where the private key of `authority` is, when it is not in "
			"its "
			"directory: minting then asks for each signature there."},
	{"authority-token", CONF_TEXT, GATEWAY(authority_token),
		.help = "Where the private key of `authority` is, when it is in a "
			"PKCS#11 token: \"pkcs11:token=…;object=…\" (RFC 7512)."},
	{"leaf-days", CONF_INT, GATEWAY(leaf_days), .preset = "30", .min = 1,
		.max = 199, .help = "Lifetime of the certificates shown to clients."},
	{"authority-passphrase", CONF_TEXT, GATEWAY(authority_passphrase),
		.help = "Where the passphrase of an encrypted node.key is: a file that "
			"others cannot read, /dev/fd/N, or `credential:NAME` for one "
			"that systemd hands over."},
	{"crl", CONF_TEXT, GATEWAY(crl_url), .preset = GATEWAY_CRL_URL,
		.help = "Address of the authority's revocation list, named in leafs "
			"for "
			"clients that insist on one; or `none`. The default is served "
			"here, to clients of this proxy. Where the authority may not "
			"sign lists (keyUsage), the default means `none`."},
	{"authority-activate", CONF_DURATION, GATEWAY(activate_ms), .preset = "30d",
		.help = "How long before its node CA ends the next one, if it is "
			"available (`sekisho ca rotate --prepare`), takes its place by "
			"itself, with a reload; 0: never."},
	{"leaf-cache", CONF_SIZE, GATEWAY(leaf_cache), .preset = "16m", .min = 65536,
		.help = "Memory per worker for certificates already minted."},
	{"mint", CONF_BLOCK, GATEWAY(mint), .block = &mint_limits_block,
		.help = "What the vault lets a worker have minted."},
	{"upstream", CONF_BLOCK, GATEWAY(upstream), .block = &upstream_table,
		.help = "How origins are reached and verified."},
	{"client", CONF_BLOCK, GATEWAY(client), .block = &client_table,
		.help = "How clients are treated."},
	{"untrusted", CONF_BLOCK, GATEWAY(untrusted), .block = &untrusted_block,
		.help = "What is done about origins whose certificate is not good."},
	{"reach", CONF_BLOCK, GATEWAY(reach), .block = &reach_table,
		.help = "Where clients may make us connect to."},
	{"forward", CONF_BLOCK, GATEWAY(forward), .block = &forward_table,
		.help = "Fields that a proxy adds or takes away."},
	{"non-tls", CONF_CHOICE, GATEWAY(non_tls), .preset = "block",
		.choices = non_tls_actions,
		.help = "What is done with bytes inside CONNECT that are not TLS."},
	{"pages", CONF_BLOCK, GATEWAY(pages), .block = &page_words_table,
		.help = "How pages of ours look."},
	{"let", CONF_NODES, GATEWAY(let_nodes), .shape = "let NAME = EXPRESSION",
		.help = "A condition with a name, for the rules and conditions behind "
			"it"
			" here."},
	{"rule", CONF_NODES, GATEWAY(rules),
		.shape = "rule NAME when EXPRESSION do ACTION …",
		.help = "One rule of the policy. The first deciding rule that matches "
			"wins."},
};
static const struct conf_table gateway_table = {
	.help = "An inspecting gateway: what listeners `as proxy` use.",
	.size = sizeof(struct gateway),
	CONF_ARGS_OF(gateway_args),
	CONF_WORDS_OF(gateway_words),
};

static const struct conf_row edge_words[] = {
	{"site", CONF_BLOCKS, GATEWAY(sites.sites), .block = &site_block,
		.help = "A site and its names."},
	{"clients", CONF_BLOCKS, GATEWAY(sites.clients), .block = &site_clients_block,
		.help = "What is asked of the clients of a name."},
	{"keys", CONF_BLOCK, GATEWAY(sites.keys), .block = &site_keys_block,
		.help = "Where the private keys of `keyless` certificates are."},
	{"unknown-name", CONF_CHOICE, GATEWAY(sites.unknown), .preset = "reject",
		.choices = site_unknown_choices,
		.help = "What is done with a client that asks for a name no site has."},
	{"upstream", CONF_BLOCK, GATEWAY(upstream), .block = &upstream_table,
		.help = "How origins are reached and verified."},
	{"client", CONF_BLOCK, GATEWAY(client), .block = &client_table,
		.help = "How clients are treated."},
	{"forward", CONF_BLOCK, GATEWAY(forward), .block = &edge_forward_table,
		.help = "Fields that a proxy adds or takes away."},
	{"let", CONF_NODES, GATEWAY(let_nodes), .shape = "let NAME = EXPRESSION",
		.help = "A condition with a name, for the rules and conditions behind "
			"it"
			" here."},
	{"rule", CONF_NODES, GATEWAY(rules),
		.shape = "rule NAME when EXPRESSION do ACTION …",
		.help = "One rule of the policy. The first deciding rule that matches "
			"wins."},
};
static const struct conf_table edge_table = {
	.help = "An edge that ends TLS for sites: what listeners `as edge` use.",
	.size = sizeof(struct gateway),
	CONF_ARGS_OF(gateway_args),
	CONF_WORDS_OF(edge_words),
};

#define LISTEN(field) CONF_AT(struct listen_settings, field)
static const struct conf_row listen_args[] = {
	{"address", CONF_ADDRESS, LISTEN(address), .min = 1, .max = 1, .required = true,
		.help = "Address and port; an empty address is every address. Of a "
			"key server also the path of a Unix socket."},
	{"front", CONF_CHOICE, LISTEN(front), .after = "as", .choices = fronts,
		.required = true,
		.help = "How the destination of connections is learned."},
	{"gateway", CONF_NAME, LISTEN(use), .after = "use", .required = true,
		.help = "What decides about them."},
};
static const struct conf_row listen_words[] = {
	{"proxy-protocol", CONF_PREFIXES, LISTEN(proxy_protocol),
		.help = "Peers that must begin with a PROXY protocol header, which is "
			"believed."},
};
static const struct conf_table listen_table = {
	.help = "A port to listen on.",
	.size = sizeof(struct listen_settings),
	CONF_ARGS_OF(listen_args),
	CONF_WORDS_OF(listen_words),
};

#define LIST(field) CONF_AT(struct list_settings, field)
static const struct conf_row list_args[] = {
	{"name", CONF_NAME, LIST(name), .required = true,
		.help = "What rules call it, with a $."},
	{"file", CONF_PATH, LIST(path), .after = "from", .required = true,
		.help = "A file, or a directory of files that count together."},
	{"format", CONF_CHOICE, LIST(format), .after = "as", .preset = "auto",
		.choices = list_formats, .help = "How its lines are read."},
};
static const struct conf_row list_words[] = {
	{"column", CONF_TEXT, LIST(column), .help = "Which column of a CSV file."},
	{"below", CONF_FLAG, LIST(below), .preset = "off",
		.help = "A plain name also covers the names below it, as \".name\" "
			"does."},
};
static const struct conf_table list_table = {
	.help = "A named list that rules can refer to.",
	.size = sizeof(struct list_settings),
	CONF_ARGS_OF(list_args),
	CONF_WORDS_OF(list_words),
};

static const struct conf_choice category_kinds[] = {
	{"content", CATEGORY_CONTENT, "What a site is about."},
	{"security", CATEGORY_SECURITY, "What is dangerous about it."},
	{0},
};

#define CATEGORIES(field) CONF_AT(struct categories_settings, field)
static const struct conf_row categories_args[] = {
	{"directory", CONF_PATH, CATEGORIES(path), .required = true,
		.help = "Each file or directory in it is a category."},
	{"kind", CONF_CHOICE, CATEGORIES(kind), .after = "of", .preset = "content",
		.choices = category_kinds, .help = "Which fields tell them."},
};
static const struct conf_table categories_table = {
	.help = "A directory of lists, each of which is a category: its name is the "
		"file's, and digits before a hyphen are its number (`17-gambling`).",
	.size = sizeof(struct categories_settings),
	CONF_ARGS_OF(categories_args),
};

#define EVENTS(field) CONF_AT(struct event_settings, field)
static const struct conf_row event_words[] = {
	{"store", CONF_PATH, EVENTS(store),
		.help = "SQLite database that `sekisho log` reads. Absent: `events.db` "
			"in `data`."},
	{"json", CONF_TEXT, EVENTS(json),
		.help = "File for JSON lines, or - for standard output."},
	{"keep", CONF_DURATION, EVENTS(keep_ms), .preset = "30d",
		.help = "Events older than this go."},
	{"keep-size", CONF_SIZE, EVENTS(keep_bytes), .preset = "1g", .min = 1048576,
		.help = "The oldest events go when the database grows beyond this."},
};
static const struct conf_table event_table = {
	.help = "Where events are recorded.",
	.size = sizeof(struct event_settings),
	CONF_WORDS_OF(event_words),
};

#define RESOLVER(field) CONF_AT(struct resolver_settings, field)
static const struct conf_row resolver_words[] = {
	{"servers", CONF_TEXTS, RESOLVER(servers),
		.help = "Name servers, as address or address:port. Absent: those of "
			"the system."},
	{"hosts", CONF_PATH, RESOLVER(hosts),
		.help = "A hosts file that is asked first. Absent: /etc/hosts."},
	{"timeout", CONF_DURATION, RESOLVER(timeout_ms), .preset = "2s", .min = 50,
		.max = 60000,
		.help = "How long one server may take before the next is asked."},
};
static const struct conf_table resolver_table = {
	.help = "How names are resolved.",
	.size = sizeof(struct resolver_settings),
	CONF_WORDS_OF(resolver_words),
};

#define PKCS11(field) CONF_AT(struct pkcs11_settings, field)
static const struct conf_row pkcs11_words[] = {
	{"module", CONF_PATH, PKCS11(module),
		.help = "The module (a shared library) of names without module-path."},
	{"pin", CONF_PATH, PKCS11(pin),
		.help = "File with the PIN of names that say none."},
	{"files", CONF_TEXTS, PKCS11(files),
		.help = "Files and directories that modules read and write while they "
			"run, at most 16."},
	{"sockets", CONF_FLAG, PKCS11(sockets), .preset = "off",
		.help = "Modules may open sockets: their device is behind a daemon or "
			"a "
			"network."},
};
static const struct conf_table pkcs11_table = {
	.help = "Keys in PKCS#11 tokens: what their modules need. Only the vault loads "
		"them.",
	.size = sizeof(struct pkcs11_settings),
	CONF_WORDS_OF(pkcs11_words),
};

#define TOP(field) CONF_AT(struct settings, field)
static const struct conf_row top_words[] = {
	{"workers", CONF_INT, TOP(workers), .preset = "0", .max = 256,
		.help = "Worker processes; 0 is one per core."},
	{"log-level", CONF_CHOICE, TOP(log_level), .preset = "info",
		.choices = log_levels,
		.help = "What is written to standard error about the program itself."},
	{"user", CONF_NAME, TOP(user), .preset = "sekisho",
		.help = "User to become when started as root."},
	{"data", CONF_PATH, TOP(data), .preset = "/var/lib/sekisho",
		.help = "Directory for what is kept: events and caches."},
	{"geo", CONF_TEXTS, TOP(geo),
		.help = "MaxMind DB files that say where an address is "
			"(ip.src.country)."},
	{"cache", CONF_BLOCK, TOP(cache), .block = &cache_settings_block,
		.help = "Room for the caches of sites."},
	{"control", CONF_PATH, TOP(control), .preset = "/run/sekisho/control.sock",
		.help = "Socket for `sekisho ctl`."},
	{"admin", CONF_ADDRESS, TOP(admin), .min = 1,
		.help = "Local address for /metrics. Absent: none."},
	{"connections", CONF_INT, TOP(connections), .preset = "20000", .min = 1,
		.max = 1000000,
		.help = "Most client connections open at once, per worker."},
	{"client-connections", CONF_INT, TOP(client_connections), .preset = "0",
		.max = 1000000,
		.help = "Most connections that one client (an IPv4 address, an IPv6 "
			"/64) may have open at once, per worker; 0: any number."},
	{"drain-timeout", CONF_DURATION, TOP(drain_ms), .preset = "30s",
		.help = "How long connections may take to end after a reload or a "
			"stop."},
	{"events", CONF_BLOCK, TOP(events), .block = &event_table,
		.help = "Where events are recorded."},
	{"resolver", CONF_BLOCK, TOP(resolver), .block = &resolver_table,
		.help = "How names are resolved."},
	{"ticket-secret", CONF_PATH, TOP(ticket_file),
		.help = "File of 64 hex digits: nodes with the same one resume each "
			"other's sessions, and so does this one after a restart. "
			"Absent: made at each start."},
	{"tickets", CONF_BLOCK, TOP(tickets), .block = &fleet_block,
		.help = "The same, from a private key that no worker has."},
	{"pkcs11", CONF_BLOCK, TOP(pkcs11), .block = &pkcs11_table,
		.help = "What the modules of keys in tokens need."},
	{"let", CONF_NODES, TOP(let_nodes), .shape = "let NAME = EXPRESSION",
		.help = "A condition with a name, for the rules of every gateway and "
			"edge."},
	{"list", CONF_BLOCKS, TOP(lists), .block = &list_table,
		.help = "A named list."},
	{"categories", CONF_BLOCKS, TOP(categories), .block = &categories_table,
		.help = "A directory of category lists."},
	{"listen", CONF_BLOCKS, TOP(listens), .block = &listen_table,
		.help = "A port to listen on."},
	{"gateway", CONF_BLOCKS, TOP(gateways), .block = &gateway_table,
		.help = "An inspecting gateway."},
	{"edge", CONF_BLOCKS, TOP(edges), .block = &edge_table,
		.help = "An edge that ends TLS for sites."},
	{"keyserver", CONF_BLOCKS, TOP(keyservers), .block = &keyserver_block,
		.help = "A key server: private keys for edges elsewhere."},
};

const struct conf_table settings_table = {
	.help = "The whole configuration.",
	.size = sizeof(struct settings),
	CONF_WORDS_OF(top_words),
};

static bool
make_ticket_secret(struct settings *s, struct conf_report *report)
{
	struct err err = {0};

	secret_random(s->ticket_secret, sizeof(s->ticket_secret));
	if (s->ticket_file.n == 0 ||
		file_read_secret((const char *)s->ticket_file.p, s->ticket_secret,
			sizeof(s->ticket_secret), &err))
		return true;
	return conf_complain(report, conf_place_of(&s->tree, NULL, "ticket-secret"),
		err.code, "%s", err.text);
}

static bool
fill_and_compile(struct settings *s, bool read_ok, struct conf_report *report)
{
	struct conf_tree tree = s->tree;
	bool ok = conf_fill(&tree, &settings_table, s, report);
	s->tree = tree; /* conf_fill() set the struct anew */
	ok = make_ticket_secret(s, report) && ok;
	return settings_compile(s, report) && ok && read_ok;
}

bool
settings_load(struct settings *s, const char *path, struct conf_report *report)
{
	*s = (struct settings){0};
	conf_tree_init(&s->tree);
	bool ok = conf_tree_read(&s->tree, path, report);
	return fill_and_compile(s, ok, report);
}

bool
settings_parse(struct settings *s, const char *name, struct span text,
	struct conf_report *report)
{
	*s = (struct settings){0};
	conf_tree_init(&s->tree);
	bool ok = conf_tree_parse(&s->tree, name, text, report);
	return fill_and_compile(s, ok, report);
}

void
settings_fini(struct settings *s)
{
	settings_uncompile(s);
	secret_wipe(s->ticket_secret, sizeof(s->ticket_secret));
	conf_tree_fini(&s->tree);
}

const struct gateway *
settings_gateway(const struct settings *s, struct span name)
{
	for (const struct conf_item *it = s->gateways; it; it = it->next) {
		const struct gateway *g = (const struct gateway *)(const void *)it;
		if (span_eq(g->name, name))
			return g;
	}
	return NULL;
}

bool
gateway_port_allowed(const struct gateway *g, uint16_t port)
{
	return g->ports[port / 64] >> port % 64 & 1;
}

static bool
in_any(const struct conf_prefixes *list, const struct ip *ip)
{
	for (size_t i = 0; i < list->n; i++) {
		if (ip_in(ip, &list->p[i]))
			return true;
	}
	return false;
}

/* A listener of ours: reaching it through ourselves would loop. Bound to every address
 * it is met at any address that is ours, which only the kernel knows; loopback is one.
 */
static bool
is_own_port(const struct settings *s, const struct addr *to)
{
	for (const struct conf_item *it = s->listens; it; it = it->next) {
		const struct listen_settings *l =
			(const struct listen_settings *)(const void *)it;
		static const uint8_t zeros[16];
		bool any = secret_eq(l->bind.ip.bytes, zeros, sizeof(zeros));
		if (l->bind.port == to->port &&
			(ip_eq(&l->bind.ip, &to->ip) ||
				(any && ip_kind(&to->ip) != IP_PUBLIC)))
			return true;
	}
	return s->admin.port != 0 && s->admin.port == to->port &&
		ip_eq(&s->admin.ip, &to->ip);
}

/* Own ports and what is refused never; else public addresses, and what `allow` has. */
static bool
address_allowed(const struct gateway *g, const struct settings *s,
	const struct conf_prefixes *allow, const struct addr *to, struct err *err)
{
	char shown[ADDR_TEXT];
	enum ip_kind kind = ip_kind(&to->ip);
	if (is_own_port(s, to)) {
		return err_set(err, ERR_GATE_SELF, "%s is a port of this program",
			addr_text(shown, to));
	}
	if (in_any(&g->reach.refuse, &to->ip)) {
		return err_set(err, ERR_GATE_ADDRESS,
			"%s is refused by the configuration", addr_text(shown, to));
	}
	/* No list: the operator chose the address, not a stranger. */
	if (!allow || kind == IP_PUBLIC || in_any(allow, &to->ip))
		return true;
	return err_set(err, ERR_GATE_ADDRESS, "%s is a %s address",
		addr_text(shown, to), ip_kind_name(kind));
}

bool
gateway_address_allowed(const struct gateway *g, const struct settings *s,
	const struct addr *to, struct err *err)
{
	return address_allowed(
		g, s, g->sites.is_edge ? NULL : &g->reach.allow, to, err);
}

bool
gateway_fetch_allowed(const struct gateway *g, const struct settings *s,
	const struct addr *to, struct err *err)
{
	return address_allowed(g, s, &g->upstream.fetch_allow, to, err);
}
