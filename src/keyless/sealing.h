// SPDX-License-Identifier: Apache-2.0
/*
 * sealing: the operations seal and unseal, for session tickets that several edges
 * share.
 *
 * Who runs them knows which secret a call means: the command by its options, the vault
 * by the key server's name that a worker adds.
 */
#pragma once

#include "keyless/answer.h"
#include "pki/seal.h"

enum {
	SEALING_LIFE_S = 86400, /* a blob can be opened for a day, and at most two */
	SEALING_MOST = 16000,   /* octets of a blob */
};

/* Reads a secret of 64 hex digits from a file that others cannot read. ERR_FILE_READ,
 * ERR_FILE_NOT_PRIVATE. */
MUST_USE bool sealing_load(struct seal *s, const char *path, struct err *err);

/* Both end the call. */
void sealing_seal(struct answer_call *c, const struct seal *s);
void sealing_unseal(struct answer_call *c, const struct seal *s);
