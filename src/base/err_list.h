// SPDX-License-Identifier: Apache-2.0
/*
 * err_list: every failure a user can meet. No include guard: it is read many times.
 *
 * To add one: ERR(NAME, "room.what", "Sentence of what we saw.", "Hint what to do.") in
 * its room's part. An id is forever: logs, pages, scripts and the manual hold it. The
 * sentence ends in a full stop; the hint is an imperative, or "" where nothing helps.
 */

/* base */
ERR(USAGE, "cli.usage", "The command line was not understood.",
	"Run the command with --help.")
ERR(SYSTEM, "system.call", "The operating system refused a request.",
	"Read the reason at the end of the line; it is the system's own.")
ERR(FILE_READ, "file.read", "A file could not be read.",
	"Check that the path is right and that the user sekisho runs as may read it.")
ERR(FILE_WRITE, "file.write", "A file could not be written.",
	"Check free space and that the user sekisho runs as may write there.")
ERR(FILE_TOO_LARGE, "file.too-large", "A file is larger than its limit.",
	"Split it, or raise the limit.")
ERR(JSON, "json.syntax", "The text is not valid JSON.",
	"Look at the given line and column.")
