// SPDX-License-Identifier: Apache-2.0
/*
 * control: the socket where `sekisho ctl` asks the master for something.
 *
 * A caller sends one line, gets one JSON object, and is gone. Who may connect is
 * decided by the socket's permissions: its owner and root.
 */
#pragma once

#include "base/json.h"
#include "net/io.h"
#include "net/listen.h"

struct control;

struct control_call {
	struct control *control;
	struct list in;
	struct io io;
	struct timer late;
	struct corpse corpse;
	struct span word; /* what is asked, until the answer */
	bool asked;       /* and waits for the answer */
	bool answered;
};

struct control {
	struct listener listener;
	struct listen_limit limit;
	struct loop *loop;
	/* Someone asks; ends in control_answer(), now or later. A call that goes away
	 * meanwhile is told by dropped(). */
	void (*asked)(struct control *c, struct control_call *call);
	void (*dropped)(struct control *c, struct control_call *call);
	struct list calls;
	char *path; /* owned */
};

/* Set the callbacks before. */
MUST_USE bool control_open(
	struct control *c, struct loop *loop, struct span path, struct err *err);
/* The same with a socket of this path that another process opened; fd is taken. */
void control_adopt(struct control *c, struct loop *loop, struct span path, int fd);
/* Another process has the socket too, and goes on with it: closes without removing. */
void control_leave(struct control *c);
/* Also removes the socket from the file system. */
void control_close(struct control *c);
/* Sends the object; the call is over and not to be touched again. */
void control_answer(struct control_call *call, const struct json_out *answer);
