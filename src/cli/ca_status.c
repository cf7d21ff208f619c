// SPDX-License-Identifier: Apache-2.0
/*
 * ca_status: every certificate of an authority, what it is for, and how long it lasts.
 *
 * It shows what is on disk, fit or not: an authority that has ended loads nowhere else.
 */
#include "base/clock.h"
#include "base/text.h"
#include "cli/ca_priv.h"
#include "cli/commands.h"
#include "pki/cert.h"

enum { PATH = 1024, JSON_ROOM = 512 * 1024, DAYS_MOST = 36500, DAY_S = 86400 };

/* Days before an end at which people are reminded. */
static const int reminders[] = {7, 30, 60, 90};

/* A file of an authority. `serves`: clients depend on it now, so its end is a finding.
 */
static const struct part {
	const char *file;
	const char *state; /* while it is in its time */
	const char *early; /* before its first day */
	bool serves;
} parts[] = {
	{"root.crt", "trusted", "pending", true},
	{"cross.crt", "sent", "pending", true},
	{"node.crt", "in use", "pending", true},
	{"next.crt", "available", "pending", false},
	{"previous.crt", "retired", "retired", false},
	{"previous-root.crt", "retired", "retired", false},
	{"cross-old.crt", "for other nodes", "for other nodes", false},
};

/* What is told about one of them. */
struct row {
	const struct part *part;
	const char *state;
	struct cert *cert; /* held; NULL: only a key waits for it */
	int64_t days;
	int reminder; /* of reminders[]; 0: none has passed */
};

static int
reminder_of(int64_t days)
{
	for (size_t i = 0; i < COUNT_OF(reminders); i++) {
		if (days <= reminders[i])
			return reminders[i];
	}
	return 0;
}

static bool
place(char path[PATH], const char *dir, const char *file)
{
	struct text t = text_to(path, PATH);
	text_add(&t, "%s/%s", dir, file);
	return !t.cut;
}

static bool
read_row(const char *dir, const struct part *part, struct row *out)
{
	char path[PATH];
	struct err ignored = {0};
	int64_t now = clock_wall();

	*out = (struct row){.part = part};
	if (!place(path, dir, part->file))
		return false;
	out->cert = cert_load(path, &ignored);
	if (!out->cert)
		return false;
	int64_t left = out->cert->not_after - now;
	out->days = left >= 0 ? left / DAY_S : -((-left) / DAY_S) - 1;
	out->reminder = reminder_of(out->days);
	out->state = part->state;
	if (out->cert->not_before > now)
		out->state = part->early;
	if (left < 0)
		out->state = "expired";
	return true;
}

/* A key without its certificate: the request is out. */
static bool
read_inactive(const char *dir, const struct part *part, struct row *out)
{
	if (!span_eq(span_str(part->file), SPAN("next.crt")) ||
		authority_next(dir, clock_wall()) != AUTHORITY_NEXT_INACTIVE)
		return false;
	*out = (struct row){.part = part, .state = "inactive"};
	return true;
}

static void
print_row(const struct row *r)
{
	char name[128];
	char date[CLOCK_TEXT];
	struct text t = text_to(name, sizeof name);

	if (!r->cert) {
		text_out("%-18s %-16s waits for its certificate\n", r->part->file,
			r->state);
		return;
	}
	cert_common_name(r->cert->subject, &t);
	bool urgent = r->part->serves && r->reminder > 0;
	text_out("%-18s %s%-16s%s %6lld days  %.10s  %s", r->part->file,
		urgent ? cli_colour(CLI_YELLOW) : "", r->state,
		urgent ? cli_colour(CLI_PLAIN) : "", (long long)r->days,
		clock_text(date, r->cert->not_after * 1000), name);
	if (urgent)
		text_out("  (under %d days)", r->reminder);
	text_out("\n");
}

static void
put_row(struct json_out *j, const struct row *r)
{
	json_object(j, NULL);
	json_str(j, "file", r->part->file);
	json_str(j, "state", r->state);
	if (r->cert) {
		json_int(j, "days_left", r->days);
		json_int(j, "reminder", r->reminder);
		cert_json(r->cert, j, "certificate");
	}
	json_end(j);
}

/* Whether any was there; *ended: one that serves has `within` days or less. */
static bool
go_through(const char *dir, int64_t within, struct json_out *j, bool *ended)
{
	bool any = false;

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		struct row r;
		if (!read_row(dir, &parts[i], &r) && !read_inactive(dir, &parts[i], &r))
			continue;
		any = true;
		*ended = *ended || (parts[i].serves && r.cert && r.days < within);
		if (j) {
			put_row(j, &r);
		} else {
			print_row(&r);
		}
		cert_put(r.cert);
	}
	return any;
}

static bool
go_through_json(const char *dir, int64_t within, bool *ended)
{
	struct json_out j;

	json_init(&j, JSON_ROOM);
	j.pretty = true;
	json_object(&j, NULL);
	json_str(&j, "directory", dir);
	json_str(&j, "next", authority_next_word(authority_next(dir, clock_wall())));
	json_array(&j, "certificates");
	bool any = go_through(dir, within, &j, ended);
	json_end(&j);
	json_bool(&j, "ends", *ended);
	json_end(&j);
	cli_print_json(&j);
	return any;
}

static enum cli_exit
run_status(const struct cli_call *call)
{
	const char *dir = ca_dir(call, 0);
	struct err err = {0};
	uint64_t within = 0;
	bool ended = false;

	if (!cli_number(call, "within", DAYS_MOST, &within, &err))
		return cli_fail(&err);
	bool any = cli_has(call, "json")
		? go_through_json(dir, (int64_t)within, &ended)
		: go_through(dir, (int64_t)within, NULL, &ended);
	if (!any) {
		(void)err_set(&err, ERR_PKI_AUTHORITY, "%s holds no authority", dir);
		return cli_fail(&err);
	}
	return ended ? CLI_FAILED : CLI_GOOD;
}

static const struct cli_option status_options[] = {
	{"json", 'j', NULL, "print JSON", false},
	{"within", 'w', "DAYS", "exit with 1 when one that serves ends sooner [0]",
		false},
	{0},
};

const struct command command_ca_status = {
	.name = "ca status",
	.operands = "[DIR]",
	.summary = "list the authority's certificates, their states and their ends",
	.help = "trusted        the root, which clients have\n"
		"sent           the root under an older root's signature, sent to all\n"
		"in use         the node CA that signs\n"
		"inactive       a node's key whose certificate is not there yet\n"
		"pending        its first day has not come\n"
		"available      it could be used; the gateway does so by itself when "
		"the one in\n"
		"               use nears its end (`authority-activate`), or `ca "
		"activate` now\n"
		"for other nodes  the old root under the new one's signature: what\n"
		"               nodes still below the old root take as their "
		"cross.crt\n"
		"retired        kept, and used no more\n"
		"\n"
		"The exit code is 1 when one that serves has ended, or has fewer than "
		"--within days.",
	.examples = "sekisho ca status\nsekisho ca status --within 30 || mail ops\n",
	.options = status_options,
	.least = 0,
	.most = 1,
	.run = run_status,
};
