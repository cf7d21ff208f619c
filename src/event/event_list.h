// SPDX-License-Identifier: Apache-2.0
/*
 * event_list: everything an event can say. No include guard: it is read many times.
 *
 * To add one: EVENT(NAME, "name", TYPE, KINDS, "Help.") in its part. Types: STR octets,
 * mostly UTF-8; INT signed 64 bits; FLAG true or absent-and-false; IP an address; ID 64
 * bits shown as 16 hex digits. KINDS says in which kinds it appears: S session, R
 * request, D dns, K key, A admin, joined with |. A name is forever: it is the column in
 * the store, the key in JSON and the field in `sekisho log --where`. The store gains
 * the column by itself.
 *
 * Names that start with us_ are durations in microseconds; bytes_ count octets.
 */

// clang-format off

/* every kind */
EVENT(SESSION, "session", ID, S|R|D|K|A, "Session the event belongs to.")
EVENT(GATEWAY, "gateway", STR, S|R|D|K, "Name of the gateway, edge or key server in the configuration.")
EVENT(LISTENER, "listener", STR, S|D|K, "Address that was connected to.")
EVENT(WORKER, "worker", INT, S, "Number of the worker process.")
EVENT(CLIENT, "client", IP, S|R|D|K|A, "Address of the client.")
EVENT(CLIENT_PORT, "client_port", INT, S|D|K, "Port of the client.")
EVENT(USER, "user", STR, S|R|D|A, "Who the client is, where that is known.")
EVENT(HOST, "host", STR, S|R|D, "Name or address asked for.")
EVENT(PORT, "port", INT, S|R, "Port asked for.")
EVENT(ACTION, "action", STR, S|R|D|K, "What was done: inspect, bypass, block, allow, serve (of an edge), prompt, redirect, sign, …")
EVENT(RULE, "rule", STR, S|R|D|K, "Rule that decided.")
EVENT(WHY, "why", STR, S|R|D|K, "Reason in words, for people.")
EVENT(VERDICTS, "verdicts", STR, S|R, "Outcome of each phase, as phase:rule=action separated by blanks.")
EVENT(LABELS, "labels", STR, S|R|D, "Labels that noting rules put, separated by commas.")
EVENT(DRY_RUN, "dry_run", STR, S|R|D, "Rules on trial that would have decided, as rule=action.")
EVENT(ERR, "err", STR, S|R|D|K|A, "Reason code when something went wrong, as in the manual.")
EVENT(ERR_TEXT, "err_text", STR, S|R|D|K|A, "What was seen when something went wrong.")
EVENT(HINT, "hint", STR, S, "What to do about it.")
EVENT(US_TOTAL, "us_total", INT, S|R|D|K, "From the beginning to the end.")

/* request */
EVENT(REQUEST, "request", ID, R, "The request; shown on pages and sent in a header.")
EVENT(METHOD, "method", STR, R, "Request method.")
EVENT(SCHEME, "scheme", STR, R, "http or https.")
EVENT(PATH, "path", STR, R, "Path, without query.")
EVENT(QUERY, "query", STR, R, "Query, without question mark.")
EVENT(STATUS, "status", INT, R, "Status sent to the client.")
EVENT(ORIGIN_STATUS, "origin_status", INT, R, "Status the origin sent, when another was sent on.")
EVENT(CLIENT_HTTP, "client_http", STR, R, "HTTP version on the client's side.")
EVENT(ORIGIN_HTTP, "origin_http", STR, R, "HTTP version on the origin's side.")
EVENT(USER_AGENT, "user_agent", STR, R, "User-Agent header.")
EVENT(REFERER, "referer", STR, R, "Referer header, without query.")
EVENT(REQUEST_TYPE, "request_type", STR, R, "Media type of the request body.")
EVENT(RESPONSE_TYPE, "response_type", STR, R, "Media type of the response body.")
EVENT(LOCATION, "location", STR, R, "Where a redirect by rule leads.")
EVENT(BYTES_REQUEST, "bytes_request", INT, R, "Octets of the request body.")
EVENT(BYTES_RESPONSE, "bytes_response", INT, R, "Octets of the response body sent to the client.")
EVENT(US_WAIT, "us_wait", INT, R, "From the request's end to the response's first octet.")
EVENT(APP, "app", STR, S|R, "Application from the catalogue.")
EVENT(CATEGORY, "category", STR, S|R|D, "Categories of the host, separated by commas.")

/* session */
EVENT(FRONT, "front", STR, S, "How the destination was learned: proxy, plain, transparent, edge, key server, …")
EVENT(REQUESTS, "requests", INT, S, "Requests carried.")
EVENT(ORIGIN_IP, "origin_ip", IP, S|R, "Address that was dialled.")
EVENT(ORIGIN_PORT, "origin_port", INT, S, "Port that was dialled.")
EVENT(SNI, "sni", STR, S|K, "Server name in the ClientHello.")
EVENT(ECH, "ech", FLAG, S, "The ClientHello offered Encrypted Client Hello.")
EVENT(JA3, "ja3", STR, S, "JA3 fingerprint of the ClientHello.")
EVENT(JA4, "ja4", STR, S, "JA4 fingerprint of the ClientHello.")
EVENT(ALPN, "alpn", STR, S, "Application protocol agreed on.")
EVENT(ALPN_OFFERED, "alpn_offered", STR, S, "Application protocols the client offered, separated by commas.")
EVENT(CLIENT_TLS, "client_tls", STR, S, "TLS version on the client's side.")
EVENT(CLIENT_CIPHER, "client_cipher", STR, S, "Cipher suite on the client's side.")
EVENT(CLIENT_GROUP, "client_group", STR, S, "Key exchange group on the client's side.")
EVENT(CLIENT_RESUMED, "client_resumed", FLAG, S, "The client resumed an earlier session.")
EVENT(CLIENT_CERT, "client_cert", STR, S|K, "Subject of the client's certificate.")
EVENT(CLIENT_CERT_SERIAL, "client_cert_serial", STR, S|K, "Its serial number, hex.")
EVENT(CLIENT_CERT_SHA256, "client_cert_sha256", STR, S|K, "Its fingerprint, hex.")
EVENT(CLIENT_CERT_VERDICT, "client_cert_verdict", STR, S|K, "Whether it was good, or what was wrong.")
EVENT(ORIGIN_TLS, "origin_tls", STR, S, "TLS version on the origin's side.")
EVENT(ORIGIN_CIPHER, "origin_cipher", STR, S, "Cipher suite on the origin's side.")
EVENT(ORIGIN_GROUP, "origin_group", STR, S, "Key exchange group on the origin's side.")
EVENT(ORIGIN_RESUMED, "origin_resumed", FLAG, S, "An earlier session with the origin was resumed.")
EVENT(ORIGIN_REUSED, "origin_reused", FLAG, S|R, "A connection to the origin was reused.")
EVENT(ORIGIN_VERDICT, "origin_verdict", STR, S, "Class of the origin's certificate: trusted, expired, self-signed, wrong-name, …")
EVENT(ORIGIN_SUBJECT, "origin_subject", STR, S, "Subject of the origin's certificate.")
EVENT(ORIGIN_ISSUER, "origin_issuer", STR, S, "Issuer of the origin's certificate.")
EVENT(ORIGIN_CHAIN, "origin_chain", STR, S, "Names of the origin's chain, leaf first, separated by ' < '.")
EVENT(ORIGIN_SHA256, "origin_sha256", STR, S, "Fingerprint of the origin's certificate, hex.")
EVENT(ORIGIN_NOT_AFTER, "origin_not_after", STR, S, "When the origin's certificate ends.")
EVENT(ORIGIN_NOT_BEFORE, "origin_not_before", STR, S, "When the origin's certificate began.")
EVENT(ORIGIN_SERIAL, "origin_serial", STR, S, "Serial number of the origin's certificate, hex.")
EVENT(ORIGIN_KEY, "origin_key", STR, S, "Kind and size of the origin's key.")
EVENT(ORIGIN_ROOT, "origin_root", STR, S, "Fingerprint of the trusted root at the end of the origin's chain, hex.")
EVENT(ORIGIN_FAULTS, "origin_faults", STR, S, "Every class of fault found in the origin's chain, separated by commas.")
EVENT(ORIGIN_REVOCATION, "origin_revocation", STR, S, "What is known of revocation: good (stapled), good, revoked, unknown, …")
EVENT(ORIGIN_CT, "origin_ct", STR, S, "What was found of certificate transparency.")
EVENT(ORIGIN_JA3, "origin_ja3", STR, S, "JA3 fingerprint of the ClientHello we sent to the origin.")
EVENT(ORIGIN_JA4, "origin_ja4", STR, S, "JA4 fingerprint of the ClientHello we sent to the origin.")
EVENT(UNTRUSTED, "untrusted", STR, S, "What was done about the origin's verdict: allow, prompt, block, mirror.")
EVENT(WEAKER, "weaker", STR, S, "In what one side of the connection is weaker than the other, separated by commas.")
EVENT(HYBRID, "hybrid", STR, S, "What became of the client's hybrid (post-quantum) key share: kept, dropped by the gateway, dropped by the origin.")
EVENT(FETCHED, "fetched", INT, S, "Intermediates, OCSP answers and CRLs that were waited for.")
EVENT(LEAF_KEY, "leaf_key", STR, S, "Kind of the key in the certificate shown to the client.")
EVENT(LEAF_SERIAL, "leaf_serial", STR, S, "Serial number of the certificate shown to the client, hex.")
EVENT(LEAF_ISSUER, "leaf_issuer", STR, S, "Issuer of the certificate shown to the client.")
EVENT(LEAF_CACHED, "leaf_cached", FLAG, S, "It was in the cache.")
EVENT(SIGNER, "signer", STR, S, "Where the key lives that signed: here, vault, or a key server's address.")
EVENT(BYTES_UP, "bytes_up", INT, S, "Octets from client to origin, inside TLS where inspected.")
EVENT(BYTES_DOWN, "bytes_down", INT, S, "Octets from origin to client.")
EVENT(US_ASK, "us_ask", INT, S, "Learning where it goes (CONNECT, PROXY protocol).")
EVENT(US_HELLO, "us_hello", INT, S, "Waiting for the ClientHello.")
EVENT(US_RESOLVE, "us_resolve", INT, S, "Resolving the name.")
EVENT(US_DIAL, "us_dial", INT, S, "Connecting to the origin.")
EVENT(US_ORIGIN_TLS, "us_origin_tls", INT, S, "TLS handshake with the origin.")
EVENT(US_VERIFY, "us_verify", INT, S, "Checking the origin's chain.")
EVENT(US_FETCH, "us_fetch", INT, S, "Waiting for intermediates, OCSP answers and CRLs.")
EVENT(US_MINT, "us_mint", INT, S, "Waiting for the leaf.")
EVENT(US_SIGN, "us_sign", INT, S|K, "Waiting for a signature from elsewhere.")
EVENT(US_CLIENT_TLS, "us_client_tls", INT, S, "TLS handshake with the client.")
EVENT(ENDED_BY, "ended_by", STR, S, "Who ended it: client, origin, gateway.")
EVENT(ENDED_IN, "ended_in", STR, S, "Stage in which it ended.")
EVENT(ALERT, "alert", STR, S, "TLS alert that ended it, by name.")
EVENT(ALERT_NUMBER, "alert_number", INT, S, "Its number.")
EVENT(ALERT_BY, "alert_by", STR, S, "Who sent the alert: client, origin, gateway.")

/* dns */
EVENT(QTYPE, "qtype", STR, D, "Type of the DNS question.")
EVENT(RCODE, "rcode", STR, D, "Result of the DNS answer.")
EVENT(ANSWERS, "answers", STR, D, "Addresses or names answered, separated by blanks.")
EVENT(RESOLVER, "resolver", STR, D, "Upstream resolver that answered.")
EVENT(TRANSPORT, "transport", STR, D, "How the question came: udp, tcp, tls, https.")

/* key */
EVENT(KEY_SKI, "key_ski", STR, K, "Subject key identifier of the key, hex.")
EVENT(KEY_OPERATION, "key_operation", STR, K, "Operation asked for.")
EVENT(KEY_STATUS, "key_status", STR, K, "What was answered.")
EVENT(KEY_CLIENT, "key_client", IP, K, "Address of the edge's own client, as the edge tells it.")
EVENT(KEY_REQUEST, "key_request", STR, K, "Id of the request the edge needs the key for, as the edge tells it.")

/* admin */
EVENT(ADMIN_COMMAND, "admin_command", STR, A, "What was asked for: reload, drain, ca init, …")
EVENT(ADMIN_DETAIL, "admin_detail", STR, A, "What changed.")
// clang-format on
