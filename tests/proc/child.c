// SPDX-License-Identifier: Apache-2.0
#include "proc/child_priv.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate/settings.h"
#include "tests/test.h"

static struct {
	struct loop loop;
	struct child child;
	struct leash_message last;
	size_t n_came;
} t;

static void
note(struct leash *l, const struct leash_message *m)
{
	(void)l;
	t.last = *m;
	t.n_came++;
}

static void
ignore(struct leash *l)
{
	(void)l;
}

/* A vault without any gateway: the smallest real process there is. */
static void
start_vault(struct pages *pages, const struct settings *s, const struct owner *owner)
{
	struct err err = {0};
	struct duty duty = {.kind = CHILD_VAULT,
		.settings = s,
		.owner = owner,
		.pages = pages,
		.leash_fd = -1,
		.vault_fd = -1,
		.event_fd = -1,
		.admin_fd = -1};
	memset(&t, 0, sizeof(t));
	t.child.leash.came = note;
	t.child.leash.ended = ignore;
	CHECK_OK(loop_init(&t.loop, &err), &err);
	CHECK_OK(child_start(&t.child, &t.loop, &duty, &err), &err);
}

static int
finish(struct pages *pages)
{
	int status = 0;
	CHECK(waitpid(t.child.pid, &status, 0) == t.child.pid);
	child_gone(&t.child, pages);
	CHECK(t.child.pid == 0 && !t.child.page);
	loop_fini(&t.loop);
	return status;
}

static void
wait_for_word(void)
{
	for (int i = 0; i < 1000 && t.n_came == 0; i++)
		loop_turn(&t.loop, 20);
	CHECK_INT(t.n_came, 1);
}

static void
a_vault_comes_up_and_ends_when_told(void)
{
	struct pages *pages = pages_map();
	struct settings s = {.log_level = 0};
	struct owner owner = {.uid = geteuid(), .gid = getegid()};
	start_vault(pages, &s, &owner);
	wait_for_word();
	CHECK_INT(t.last.word, LEASH_READY);
	CHECK(kill(t.child.pid, SIGTERM) == 0); /* only the leash counts */
	leash_say(&t.child.leash, LEASH_DRAIN, -1);
	int status = finish(pages);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
it_ends_too_when_the_master_is_gone(void)
{
	struct pages *pages = pages_map();
	struct settings s = {.log_level = 0};
	struct owner owner = {.uid = geteuid(), .gid = getegid()};
	start_vault(pages, &s, &owner);
	wait_for_word();
	leash_close(&t.child.leash);
	int status = finish(pages);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
one_that_cannot_serve_says_why(void)
{
	struct pages *pages = pages_map();
	static struct gateway g; /* large for the stack */
	g.name = SPAN("x");
	g.authority = SPAN("/nowhere/ca");
	const struct settings s = {.gateways = &g.item};
	struct owner owner = {.uid = geteuid(), .gid = getegid()};
	start_vault(pages, &s, &owner);
	wait_for_word();
	CHECK_INT(t.last.word, LEASH_FAILED);
	CHECK(strstr(t.last.err.text, "gateway x") &&
		strstr(t.last.err.text, "/nowhere/ca"));
	int status = finish(pages);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

TESTS(a_vault_comes_up_and_ends_when_told, it_ends_too_when_the_master_is_gone,
	one_that_cannot_serve_says_why)
