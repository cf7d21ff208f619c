// SPDX-License-Identifier: Apache-2.0
/* softhsm: a PKCS#11 token in a directory of its own, with keys of ours. */
#pragma once

#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "pki/key.h"
#include "tests/test.h"

#define SOFTHSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"

extern char **environ;

struct softhsm {
	char dir[64];
	char path[128];
};

static inline bool
softhsm_run(const char *const *argv)
{
	pid_t pid = 0;
	int status = -1;
	posix_spawn_file_actions_t quiet;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1 /* O_WRONLY */, 0);
	int rc = posix_spawnp(
		&pid, argv[0], &quiet, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&quiet);
	return rc == 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static inline const char *
softhsm_file(struct softhsm *h, const char *name)
{
	text_format(h->path, sizeof(h->path), "%s/%s", h->dir, name);
	return h->path;
}

/* A token "lab" with PIN 1234. False, and the test is over, where SoftHSM is not
 * installed. */
static inline bool
softhsm_open(struct softhsm *h)
{
	char text[256];
	struct err err = {0};
	static const char *const init[] = {"softhsm2-util", "--init-token", "--free",
		"--label", "lab", "--pin", "1234", "--so-pin", "5678", NULL};

	if (access(SOFTHSM_MODULE, R_OK) != 0) {
		print_message("# skipped: softhsm2 is not installed (see packages)\n");
		return false;
	}
	text_format(h->dir, sizeof(h->dir), "/tmp/sekisho-hsm-XXXXXX");
	CHECK(mkdtemp(h->dir) != NULL);
	CHECK(mkdir(softhsm_file(h, "tokens"), 0700) == 0);
	size_t n = text_format(text, sizeof(text),
		"directories.tokendir = %s\nlog.level = ERROR\n",
		softhsm_file(h, "tokens"));
	CHECK_OK(file_replace(softhsm_file(h, "conf"), span_of(text, n), 0600, &err),
		&err);
	CHECK(setenv("SOFTHSM2_CONF", softhsm_file(h, "conf"), 1) == 0);
	CHECK(softhsm_run(init));
	return true;
}

/* Puts a key into it; takes nothing. */
static inline void
softhsm_import(
	struct softhsm *h, const EVP_PKEY *key, const char *label, const char *id)
{
	struct err err = {0};

	CHECK_OK(key_save(softhsm_file(h, "key"), key, SPAN(""), &err), &err);
	const char *const argv[] = {"softhsm2-util", "--import", softhsm_file(h, "key"),
		"--token", "lab", "--label", label, "--id", id, "--pin", "1234", NULL};
	CHECK(softhsm_run(argv));
	CHECK(unlink(h->path) == 0);
}

static inline void
softhsm_close(struct softhsm *h)
{
	const char *const argv[] = {"rm", "-r", h->dir, NULL};

	CHECK(softhsm_run(argv));
}
