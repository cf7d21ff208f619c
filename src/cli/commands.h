// SPDX-License-Identifier: Apache-2.0
/*
 * commands: every command of the program, one line each; main.c lists them in order.
 */
#pragma once

#include "cli/cli.h"

extern const struct command command_version;
extern const struct command command_help;
extern const struct command command_verify;
extern const struct command command_ca_init;
extern const struct command command_ca_import;
extern const struct command command_ca_show;
extern const struct command command_ca_export;
extern const struct command command_ca_status;
extern const struct command command_ca_cross;
extern const struct command command_ca_install;
extern const struct command command_ca_rotate;
extern const struct command command_ca_activate;
extern const struct command command_ca_request;
extern const struct command command_ca_sign;
extern const struct command command_ca_adopt;
extern const struct command command_client_init;
extern const struct command command_client_issue;
extern const struct command command_client_list;
extern const struct command command_client_show;
extern const struct command command_client_revoke;
extern const struct command command_client_restore;
extern const struct command command_client_renew;
extern const struct command command_client_add;
extern const struct command command_client_serve;
extern const struct command command_client_export;
extern const struct command command_client_crl;
extern const struct command command_rules_selftest;
extern const struct command command_check;
extern const struct command command_log;
extern const struct command command_key_init;
extern const struct command command_key_list;
extern const struct command command_key_show;
extern const struct command command_key_serve;
extern const struct command command_key_delegate;
extern const struct command command_key_test;
extern const struct command command_key_edge;
extern const struct command command_explain;
extern const struct command command_run;
extern const struct command command_ctl_status;
extern const struct command command_ctl_reload;
extern const struct command command_ctl_drain;
extern const struct command command_ctl_upgrade;
extern const struct command command_ctl_cache;
extern const struct command command_apps;
extern const struct command command_test;
extern const struct command command_fmt;
extern const struct command command_import;
extern const struct command command_doctor_show;
extern const struct command command_doctor_ca_list;
extern const struct command command_doctor_ca_show;
extern const struct command command_doctor_ca_export;
extern const struct command command_doctor_verify;
extern const struct command command_doctor_apply;
extern const struct command command_doctor_undo;
extern const struct command command_doctor_explain;
extern const struct command command_doctor;
extern const struct command command_doctor_look;
extern const struct command command_doctor_report;
