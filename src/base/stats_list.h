// SPDX-License-Identifier: Apache-2.0
/*
 * stats_list: every counter. No include guard: it is read many times.
 *
 * To add one: STAT(NAME, "prometheus_name", COUNTER or GAUGE, "Help."). The prefix
 * "sekisho_" and, for counters, the suffix "_total" are added when they are exported.
 */
STAT(SESSIONS_OPENED, "sessions_opened", COUNTER, "Client connections accepted.")
STAT(SESSIONS_OPEN, "sessions_open", GAUGE, "Client connections open now.")
STAT(SESSIONS_CROWDED, "sessions_crowded", COUNTER, "Client connections refused because their client had too many.")

/* event */
STAT(EVENTS_EMITTED, "events_emitted", COUNTER, "Events recorded by workers.")
STAT(EVENTS_LOST, "events_lost", COUNTER, "Events dropped because the scribe was behind.")
STAT(EVENTS_STORED, "events_stored", COUNTER, "Events written to the store.")
STAT(EVENTS_UNSTORED, "events_unstored", COUNTER,
	"Events the store could not take (disk full, file damaged).")
STAT(EVENTS_EXPIRED, "events_expired", COUNTER, "Events forgotten by age or size.")
STAT(EVENTS_UNSENT, "events_unsent", COUNTER,
	"Events a sink could not take (file full, reader stopped).")
STAT(EVENTS_MALFORMED, "events_malformed", COUNTER,
	"Messages to the scribe that were not understood.")

/* gate */
STAT(CONNECTS, "connects", COUNTER, "CONNECT requests accepted.")
STAT(INSPECTED, "sessions_inspected", COUNTER, "TLS connections that policy chose to inspect.")
STAT(BYPASSED, "sessions_bypassed", COUNTER, "Connections passed through without inspection.")
STAT(BAD_HELLOS, "bad_hellos", COUNTER, "ClientHellos refused as malformed.")
STAT(UNREACHABLE, "origins_unreachable", COUNTER, "Connections whose origin could not be reached.")
STAT(UNTRUSTED, "origins_untrusted", COUNTER, "Origins refused because of their certificate.")
STAT(UNTRUSTED_ALLOWED, "origins_untrusted_allowed", COUNTER, "Origins accepted although their certificate is not good.")
STAT(UNTRUSTED_PROMPTED, "origins_untrusted_prompted", COUNTER, "Origins whose certificate is not good, of which people were warned.")
STAT(UNTRUSTED_MIRRORED, "origins_untrusted_mirrored", COUNTER, "Origins whose fault was shown to the client in a certificate nobody trusts.")
STAT(FETCHES, "fetches", COUNTER, "Intermediates, OCSP answers and CRLs fetched.")
STAT(FETCH_FAILURES, "fetch_failures", COUNTER, "Fetches that brought nothing of use.")
STAT(FETCHES_SHELVED, "fetches_shelved", COUNTER, "Fetches spared, because the cache on disk had it.")
STAT(AUTHORITY_DAYS, "authority_days_left", GAUGE, "Days until the first of the authorities ends.")
STAT(TRUST_AGE_DAYS, "trust_age_days", GAUGE, "Age of the oldest store of roots in use, in days.")
STAT(TRUST_RELOADS, "trust_reloads", COUNTER, "Stores of roots read anew because a file had changed.")
STAT(VAULT_REFUSED, "vault_refused", COUNTER, "Requests of workers that the vault refused by limit.")
STAT(CLIENT_HANDSHAKES, "client_handshakes", COUNTER, "Full TLS handshakes with clients.")
STAT(CLIENT_RESUMED, "client_resumed", COUNTER, "TLS handshakes with clients that resumed a session.")
STAT(CLIENT_REFUSED, "client_refused", COUNTER, "TLS handshakes that clients broke off.")
STAT(LEAFS_MINTED, "leafs_minted", COUNTER, "Certificates minted.")
STAT(MINT_FAILURES, "mint_failures", COUNTER, "Sessions that got no certificate.")
STAT(UPSTREAMS_OPENED, "upstreams_opened", COUNTER, "Connections made to origins.")
STAT(UPSTREAMS_REUSED, "upstreams_reused", COUNTER, "Connections to origins taken from the pool.")
STAT(UPSTREAMS_IDLE, "upstreams_idle", GAUGE, "Connections to origins waiting in the pool.")
STAT(REQUESTS, "requests", COUNTER, "HTTP requests.")
STAT(REQUESTS_BLOCKED, "requests_blocked", COUNTER, "HTTP requests blocked by a rule.")
STAT(REQUESTS_RETRIED, "requests_retried", COUNTER, "HTTP requests sent again on a fresh connection.")

/* proc */
STAT(RELOADS, "reloads", COUNTER, "Configurations taken into use after the first.")
STAT(RELOADS_FAILED, "reloads_failed", COUNTER, "Configurations that were refused.")
STAT(CRASHES, "processes_crashed", COUNTER, "Processes of ours that ended without being told to.")
STAT(GENERATION, "generation", GAUGE, "Number of the configuration in use, counted from 1.")
/* http/2 */
STAT(H2_CONNECTIONS, "h2_connections", COUNTER,
	"Client connections that speak HTTP/2.")
STAT(H2_STREAMS, "h2_streams", COUNTER, "Streams that clients began.")
STAT(REQUESTS_H1, "requests_http1", COUNTER, "HTTP requests that came in HTTP/1.")
STAT(REQUESTS_H2, "requests_http2", COUNTER, "HTTP requests that came in HTTP/2.")
STAT(ORIGIN_H1, "origin_requests_http1", COUNTER, "HTTP requests sent to origins in HTTP/1.")
STAT(ORIGIN_H2, "origin_requests_http2", COUNTER, "HTTP requests sent to origins in HTTP/2.")
STAT(H2_TRUNKS, "h2_trunks", GAUGE,
	"Connections of HTTP/2 to origins that the requests of several clients share.")
STAT(H2_NEEDED_H1, "h2_needed_http1", COUNTER,
	"Requests repeated in HTTP/1 because the origin said HTTP_1_1_REQUIRED.")
STAT(H2_STALLED, "h2_stalled", COUNTER,
	"Streams ended because their client took nothing for too long.")
/* In the order of RFC 9113 §7: http/h2 adds the code to the first. */
STAT(H2_RESET_IN_NO_ERROR, "h2_resets_received_no_error", COUNTER, "Streams that peers reset with NO_ERROR.")
STAT(H2_RESET_IN_PROTOCOL_ERROR, "h2_resets_received_protocol_error", COUNTER, "Streams that peers reset with PROTOCOL_ERROR.")
STAT(H2_RESET_IN_INTERNAL_ERROR, "h2_resets_received_internal_error", COUNTER, "Streams that peers reset with INTERNAL_ERROR.")
STAT(H2_RESET_IN_FLOW_CONTROL_ERROR, "h2_resets_received_flow_control_error", COUNTER, "Streams that peers reset with FLOW_CONTROL_ERROR.")
STAT(H2_RESET_IN_SETTINGS_TIMEOUT, "h2_resets_received_settings_timeout", COUNTER, "Streams that peers reset with SETTINGS_TIMEOUT.")
STAT(H2_RESET_IN_STREAM_CLOSED, "h2_resets_received_stream_closed", COUNTER, "Streams that peers reset with STREAM_CLOSED.")
STAT(H2_RESET_IN_FRAME_SIZE_ERROR, "h2_resets_received_frame_size_error", COUNTER, "Streams that peers reset with FRAME_SIZE_ERROR.")
STAT(H2_RESET_IN_REFUSED_STREAM, "h2_resets_received_refused_stream", COUNTER, "Streams that peers reset with REFUSED_STREAM.")
STAT(H2_RESET_IN_CANCEL, "h2_resets_received_cancel", COUNTER, "Streams that peers reset with CANCEL.")
STAT(H2_RESET_IN_COMPRESSION_ERROR, "h2_resets_received_compression_error", COUNTER, "Streams that peers reset with COMPRESSION_ERROR.")
STAT(H2_RESET_IN_CONNECT_ERROR, "h2_resets_received_connect_error", COUNTER, "Streams that peers reset with CONNECT_ERROR.")
STAT(H2_RESET_IN_ENHANCE_YOUR_CALM, "h2_resets_received_enhance_your_calm", COUNTER, "Streams that peers reset with ENHANCE_YOUR_CALM.")
STAT(H2_RESET_IN_INADEQUATE_SECURITY, "h2_resets_received_inadequate_security", COUNTER, "Streams that peers reset with INADEQUATE_SECURITY.")
STAT(H2_RESET_IN_HTTP_1_1_REQUIRED, "h2_resets_received_http_1_1_required", COUNTER, "Streams that peers reset with HTTP_1_1_REQUIRED.")
STAT(H2_RESET_IN_OTHER, "h2_resets_received_other", COUNTER, "Streams that peers reset with any other code.")
STAT(H2_RESET_OUT_NO_ERROR, "h2_resets_sent_no_error", COUNTER, "Streams that we reset with NO_ERROR.")
STAT(H2_RESET_OUT_PROTOCOL_ERROR, "h2_resets_sent_protocol_error", COUNTER, "Streams that we reset with PROTOCOL_ERROR.")
STAT(H2_RESET_OUT_INTERNAL_ERROR, "h2_resets_sent_internal_error", COUNTER, "Streams that we reset with INTERNAL_ERROR.")
STAT(H2_RESET_OUT_FLOW_CONTROL_ERROR, "h2_resets_sent_flow_control_error", COUNTER, "Streams that we reset with FLOW_CONTROL_ERROR.")
STAT(H2_RESET_OUT_SETTINGS_TIMEOUT, "h2_resets_sent_settings_timeout", COUNTER, "Streams that we reset with SETTINGS_TIMEOUT.")
STAT(H2_RESET_OUT_STREAM_CLOSED, "h2_resets_sent_stream_closed", COUNTER, "Streams that we reset with STREAM_CLOSED.")
STAT(H2_RESET_OUT_FRAME_SIZE_ERROR, "h2_resets_sent_frame_size_error", COUNTER, "Streams that we reset with FRAME_SIZE_ERROR.")
STAT(H2_RESET_OUT_REFUSED_STREAM, "h2_resets_sent_refused_stream", COUNTER, "Streams that we reset with REFUSED_STREAM.")
STAT(H2_RESET_OUT_CANCEL, "h2_resets_sent_cancel", COUNTER, "Streams that we reset with CANCEL.")
STAT(H2_RESET_OUT_COMPRESSION_ERROR, "h2_resets_sent_compression_error", COUNTER, "Streams that we reset with COMPRESSION_ERROR.")
STAT(H2_RESET_OUT_CONNECT_ERROR, "h2_resets_sent_connect_error", COUNTER, "Streams that we reset with CONNECT_ERROR.")
STAT(H2_RESET_OUT_ENHANCE_YOUR_CALM, "h2_resets_sent_enhance_your_calm", COUNTER, "Streams that we reset with ENHANCE_YOUR_CALM.")
STAT(H2_RESET_OUT_INADEQUATE_SECURITY, "h2_resets_sent_inadequate_security", COUNTER, "Streams that we reset with INADEQUATE_SECURITY.")
STAT(H2_RESET_OUT_HTTP_1_1_REQUIRED, "h2_resets_sent_http_1_1_required", COUNTER, "Streams that we reset with HTTP_1_1_REQUIRED.")
STAT(H2_RESET_OUT_OTHER, "h2_resets_sent_other", COUNTER, "Streams that we reset with any other code.")

/* keyless */
STAT(KEYS_ANSWERED, "keys_answered", COUNTER, "Operations with private keys done for edges elsewhere.")
STAT(KEYS_REFUSED, "keys_refused", COUNTER, "Requests of edges elsewhere that were refused or failed.")
STAT(KEYS_US, "keys_microseconds", COUNTER, "Time from request to answer, all operations together.")
STAT(SIGNATURES_WAITING, "signatures_waiting", GAUGE, "Handshakes of an edge that wait for a key elsewhere.")
STAT(SIGNATURES_ASKED, "signatures_asked", COUNTER, "Operations that handshakes of an edge asked for elsewhere.")
STAT(SIGNATURES_FAILED, "signatures_failed", COUNTER, "Those that were refused, late or could not be asked for.")

/* edge */
STAT(CACHE_HITS, "cache_hits", COUNTER, "Requests answered from the cache.")
STAT(CACHE_STALE, "cache_stale", COUNTER, "Requests answered from the cache although it was stale.")
STAT(CACHE_VALIDATED, "cache_validated", COUNTER, "Stored responses that their origin called current.")
STAT(CACHE_MISSES, "cache_misses", COUNTER, "Requests to sites with a cache that went to the origin.")
STAT(CACHE_COLLAPSED, "cache_collapsed", COUNTER, "Requests that waited for another one's answer.")
STAT(CACHE_STORED, "cache_stored", COUNTER, "Responses put into the cache.")
STAT(RATE_LIMITED, "rate_limited", COUNTER, "Requests refused because there were too many.")
STAT(ORIGIN_RETRIES, "origin_retries", COUNTER, "Requests of an edge sent to another origin after one failed.")
STAT(ORIGIN_FAILURES, "origin_failures", COUNTER, "Failures that count against an origin.")
STAT(ORIGIN_PROBES, "origin_probes", COUNTER, "Health checks made.")
STAT(ORIGINS_DOWN, "origins_down", GAUGE, "Origins that a worker does not ask because they failed.")
STAT(HANDSHAKES_TLS12, "handshakes_tls12", COUNTER, "TLS 1.2 handshakes with clients of an edge.")
STAT(HANDSHAKES_TLS13, "handshakes_tls13", COUNTER, "TLS 1.3 handshakes with clients of an edge.")
STAT(HANDSHAKES_X25519, "handshakes_x25519", COUNTER, "Edge handshakes by group: X25519.")
STAT(HANDSHAKES_NIST, "handshakes_nist", COUNTER, "Edge handshakes by group: P-256, P-384, P-521.")
STAT(HANDSHAKES_HYBRID, "handshakes_hybrid", COUNTER, "Edge handshakes by group: with ML-KEM.")
STAT(HANDSHAKES_RESUMED, "handshakes_resumed", COUNTER, "Edge handshakes that resumed a session.")
STAT(CLIENT_CERTS_NONE, "client_certs_none", COUNTER, "Edge clients that were asked for a certificate and showed none.")
STAT(CLIENT_CERTS_GOOD, "client_certs_good", COUNTER, "Edge clients whose certificate was verified.")
STAT(CLIENT_CERTS_REVOKED, "client_certs_revoked", COUNTER, "Edge clients whose certificate is revoked.")
STAT(CLIENT_CERTS_BAD, "client_certs_bad", COUNTER, "Edge clients whose certificate was not verified.")
/* the edge's certificates */
STAT(OCSP_ANSWERS, "ocsp_answers", COUNTER, "OCSP requests answered by the managed authority.")
STAT(OCSP_REFUSED, "ocsp_refused", COUNTER, "OCSP requests that could not be answered.")
STAT(STAPLES_FETCHED, "staples_fetched", COUNTER, "OCSP responses fetched for certificates of sites.")
STAT(STAPLES_FAILED, "staples_failed", COUNTER, "OCSP responses that could not be fetched or were not good.")
