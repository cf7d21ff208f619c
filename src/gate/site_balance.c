// SPDX-License-Identifier: Apache-2.0
#include "gate/site_balance.h"

static const struct conf_choice hows[] = {
	{"least", BALANCE_LEAST,
		"Of two picked at random by weight, the one with less to do."},
	{"turns", BALANCE_TURNS, "Each in turn, by weight."},
	{"client", BALANCE_CLIENT,
		"A client always gets the same one, as long as it is there."},
	{"path", BALANCE_PATH, "A URL always goes to the same one."},
	{0},
};

static const struct conf_choice hellos[] = {
	{"off", HELLO_NONE, NULL},
	{"v1", HELLO_V1, "The text form: addresses and ports."},
	{"v2", HELLO_V2,
		"The binary form, with the name asked for, the protocol, the TLS "
		"version and the name in a verified client certificate."},
	{0},
};

#define BALANCE(field) CONF_AT(struct site_balance, field)
static const struct conf_row words[] = {
	{"balance", CONF_CHOICE, BALANCE(how), .preset = "least", .choices = hows,
		.help = "Which origin a request goes to."},
	{"retries", CONF_INT, BALANCE(retries), .preset = "1", .max = 10,
		.help = "A safe request whose origin gave no answer is sent to others "
			"so often."},
	{"retry-budget", CONF_PERCENT, BALANCE(budget), .preset = "20%",
		.help = "Not more of all requests are sent again."},
	{"limit", CONF_INT, BALANCE(limit), .preset = "0", .max = 1000000,
		.help = "Requests that one origin has at once from one worker; more go "
			"to "
			"others, or are answered with 503. 0: no limit."},
	{"fails", CONF_INT, BALANCE(fails), .preset = "3", .min = 1, .max = 1000,
		.help = "Failures in a row (no answer, 502, 503, 504) after which an "
			"origin is "
			"left alone; one that cannot be reached is so at once."},
	{"down-time", CONF_DURATION, BALANCE(down_ms), .preset = "10s", .min = 100,
		.help = "For how long."},
	{"request-size", CONF_SIZE, BALANCE(request_bytes), .preset = "0",
		.help = "Longest body of a request; 0: any. Longer ones get 413."},
	{"response-size", CONF_SIZE, BALANCE(response_bytes), .preset = "0",
		.help = "Longest body of a response; 0: any. Longer ones are cut off."},
	{"buffer-requests", CONF_SIZE, BALANCE(held_bytes), .preset = "0",
		.max = 64u << 20,
		.help = "So much of a request's body is read before an origin is "
			"asked, so that a slow client holds no connection to one. 0: "
			"bodies pass as they come."},
	{"proxy-protocol", CONF_CHOICE, BALANCE(hello), .preset = "off",
		.choices = hellos,
		.help = "Connections to origins begin with a PROXY protocol header. "
			"Each is then "
			"one client's alone, and HTTP/1.1."},
	{"connect-timeout", CONF_DURATION, BALANCE(connect_ms), .preset = "0",
		.max = 300000,
		.help = "Time to resolve a name and connect; this and the next three: "
			"0 is as `upstream` of the edge says."},
	{"handshake-timeout", CONF_DURATION, BALANCE(handshake_ms), .preset = "0",
		.max = 300000, .help = "Time for the TLS handshake."},
	{"answer-timeout", CONF_DURATION, BALANCE(answer_ms), .preset = "0",
		.help = "Time an origin may take to begin its answer."},
	{"idle-timeout", CONF_DURATION, BALANCE(idle_ms), .preset = "0",
		.help = "A connection is kept so long for the next request."},
	{"trust", CONF_TEXTS, BALANCE(trusted),
		.help = "Roots that https origins of the site are verified against: "
			"`system`, files of PEM, or both. Absent: those of "
			"`upstream`."},
	{"certificate", CONF_PATH, BALANCE(certificate),
		.help = "PEM of the certificate that is shown to https origins that "
			"ask "
			"for one."},
	{"key", CONF_PATH, BALANCE(key),
		.help = "PEM of its private key; absent: in the same file."},
	{"check", CONF_TEXT, BALANCE(check_path),
		.help = "Path that origins are asked for, to see whether they are "
			"well: anything but 200 is a failure. Absent: they are not."},
	{"check-every", CONF_DURATION, BALANCE(check_ms), .preset = "5s", .min = 100,
		.help = "How often, from each worker."},
	{"check-timeout", CONF_DURATION, BALANCE(check_timeout_ms), .preset = "2s",
		.min = 50, .help = "How long the answer may take."},
};
const struct conf_table site_balance_block = {
	.help = "How requests are spread over the origins of the site.",
	.size = sizeof(struct site_balance),
	CONF_WORDS_OF(words),
};
