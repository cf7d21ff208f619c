// SPDX-License-Identifier: Apache-2.0
/*
 * reference: prints the parts of docs/ that the tables of the product know best.
 */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli_priv.h"
#include "conf/schema.h"
#include "fact/vocab.h"
#include "gate/settings.h"
#include "rule/field.h"

void
cli_print_configuration(void)
{
	struct span text = conf_manual(&settings_table, "Configuration");
	text_out_span(text);
	mem_free((void *)(uintptr_t)text.p);
}

void
cli_print_fields(void)
{
	text_out(
		"# Fields\n\nWhat rules can ask. A rule is decided in the phase of its "
		"latest field.\n\n"
		"| field | type | from phase | meaning |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < vocab_count; i++) {
		char type[64];
		struct text t = text_to(type, sizeof(type));
		const struct field *f = &vocab_fields[i];
		type_put(&t, f->type);
		text_out("| `%s` | %s | %s | %s |\n", f->name, type,
			phase_name(f->phase), f->help);
	}
}
