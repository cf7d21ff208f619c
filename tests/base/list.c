// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"

#include "tests/test.h"

struct bead {
	int n;
	struct list in_string;
};

static int
bead_of(struct list *l)
{
	return CONTAINER_OF(l, struct bead, in_string)->n;
}

static void
order_is_kept_at_both_ends(void)
{
	struct list head;
	struct bead beads[3] = {{.n = 0}, {.n = 1}, {.n = 2}};
	int want = 0;
	list_init(&head);
	CHECK(list_empty(&head) && !list_first(&head) && !list_last(&head));
	list_push(&head, &beads[1].in_string);
	list_push(&head, &beads[2].in_string);
	list_unshift(&head, &beads[0].in_string);
	LIST_EACH (it, &head) {
		CHECK_INT(bead_of(it), want);
		want++;
	}
	CHECK_INT(want, 3);
	CHECK_INT(bead_of(list_first(&head)), 0);
	CHECK_INT(bead_of(list_last(&head)), 2);
}

static void
members_may_leave_while_they_are_visited_and_twice(void)
{
	struct list head;
	struct bead beads[4] = {{.n = 0}, {.n = 1}, {.n = 2}, {.n = 3}};
	list_init(&head);
	for (size_t i = 0; i < COUNT_OF(beads); i++) {
		list_init(&beads[i].in_string);
		CHECK(!list_joined(&beads[i].in_string));
		list_push(&head, &beads[i].in_string);
		CHECK(list_joined(&beads[i].in_string));
	}
	LIST_EACH (it, &head) {
		if (bead_of(it) % 2 == 0)
			list_leave(it);
	}
	CHECK_INT(bead_of(list_first(&head)), 1);
	CHECK_INT(bead_of(list_last(&head)), 3);
	list_leave(&beads[0].in_string);
	CHECK(!list_joined(&beads[0].in_string));
	list_leave(&beads[1].in_string);
	list_leave(&beads[3].in_string);
	CHECK(list_empty(&head));
}

TESTS(order_is_kept_at_both_ends, members_may_leave_while_they_are_visited_and_twice)
