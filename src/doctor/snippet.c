// SPDX-License-Identifier: Apache-2.0
#include "doctor/snippet.h"

#include <string.h>

static const char docker[] =
	"# syntax=docker/dockerfile:1\n"
	"# Give the CA to one build and to one run; it stays out of the image:\n"
	"#   docker build --secret id=ca,src=$HOME/.local/share/sekisho/ca/bundle.pem "
	".\n"
	"#   docker run -v $HOME/.local/share/sekisho/ca/bundle.pem:/run/ca.pem:ro \\\n"
	"#     -e SSL_CERT_FILE=/run/ca.pem -e REQUESTS_CA_BUNDLE=/run/ca.pem \\\n"
	"#     -e NODE_EXTRA_CA_CERTS=/run/ca.pem IMAGE\n"
	"# A build argument would remain in the image's history; a COPY in its "
	"layers.\n"
	"RUN --mount=type=secret,id=ca,target=/run/ca.pem \\\n"
	"    export SSL_CERT_FILE=/run/ca.pem CURL_CA_BUNDLE=/run/ca.pem \\\n"
	"        REQUESTS_CA_BUNDLE=/run/ca.pem PIP_CERT=/run/ca.pem \\\n"
	"        NODE_EXTRA_CA_CERTS=/run/ca.pem GIT_SSL_CAINFO=/run/ca.pem \\\n"
	"        CARGO_HTTP_CAINFO=/run/ca.pem; \\\n"
	"    if command -v apt-get >/dev/null; then \\\n"
	"        apt-get -o Acquire::https::CAInfo=/run/ca.pem update; \\\n"
	"    fi\n"
	"# Only in images that never leave the organisation:\n"
	"#   COPY organisation-ca.crt /usr/local/share/ca-certificates/\n"
	"#   RUN update-ca-certificates\n";

static const char github[] =
	"# A step before all that reach out. ORG_CA_PEM: a variable (not a secret) "
	"with the\n"
	"# CA's PEM text. Only for runners inside the inspected network.\n"
	"- name: Trust the organisation's CA\n"
	"  env:\n"
	"    ORG_CA_PEM: ${{ vars.ORG_CA_PEM }}\n"
	"  run: |\n"
	"    printf '%s\\n' \"$ORG_CA_PEM\" > \"$RUNNER_TEMP/org.pem\"\n"
	"    cat /etc/ssl/certs/ca-certificates.crt \"$RUNNER_TEMP/org.pem\" \\\n"
	"      > \"$RUNNER_TEMP/bundle.pem\"\n"
	"    {\n"
	"      echo \"NODE_EXTRA_CA_CERTS=$RUNNER_TEMP/org.pem\"\n"
	"      for name in SSL_CERT_FILE REQUESTS_CA_BUNDLE PIP_CERT GIT_SSL_CAINFO "
	"\\\n"
	"          CURL_CA_BUNDLE CARGO_HTTP_CAINFO AWS_CA_BUNDLE; do\n"
	"        echo \"$name=$RUNNER_TEMP/bundle.pem\"\n"
	"      done\n"
	"    } >> \"$GITHUB_ENV\"\n";

static const char gitlab[] =
	"# ORG_CA_PEM: a CI/CD variable of type File with the CA's PEM text. Only for\n"
	"# runners inside the inspected network.\n"
	"default:\n"
	"  before_script:\n"
	"    - cat /etc/ssl/certs/ca-certificates.crt \"$ORG_CA_PEM\" > "
	"/tmp/bundle.pem\n"
	"    - export NODE_EXTRA_CA_CERTS=\"$ORG_CA_PEM\"\n"
	"    - export SSL_CERT_FILE=/tmp/bundle.pem "
	"REQUESTS_CA_BUNDLE=/tmp/bundle.pem\n"
	"    - export PIP_CERT=/tmp/bundle.pem GIT_SSL_CAINFO=/tmp/bundle.pem\n"
	"    - export CURL_CA_BUNDLE=/tmp/bundle.pem "
	"CARGO_HTTP_CAINFO=/tmp/bundle.pem\n";

static const struct {
	const char *name;
	const char *text;
} snippets[] = {{"docker", docker}, {"ci-github", github}, {"ci-gitlab", gitlab}};

const char *
snippet_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(snippets); i++) {
		if (strcmp(snippets[i].name, name) == 0)
			return snippets[i].text;
	}
	return NULL;
}

const char *
snippet_names(void)
{
	return "docker, ci-github, ci-gitlab";
}
