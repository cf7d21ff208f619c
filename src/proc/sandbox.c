// SPDX-License-Identifier: Apache-2.0
#include "proc/sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "gate/settings.h"

/* ---- user */

bool
sandbox_find_owner(const struct settings *s, struct owner *out, struct err *err)
{
	char name[64];
	*out = (struct owner){
		.drops = geteuid() == 0, .uid = geteuid(), .gid = getegid()};
	if (!out->drops)
		return true;
	const struct passwd *pw =
		span_copy(name, sizeof(name), s->user) ? getpwnam(name) : NULL;
	if (!pw) {
		return err_set(err, ERR_PROC_USER, "there is no user \"%.*s\"",
			SPAN_ARG(s->user));
	}
	if (pw->pw_uid == 0)
		return err_set(err, ERR_PROC_USER, "user \"%s\" is root", name);
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	return true;
}

bool
sandbox_become(const struct owner *o, struct err *err)
{
	if (o->drops &&
		(setgroups(0, NULL) != 0 || setresgid(o->gid, o->gid, o->gid) != 0 ||
			setresuid(o->uid, o->uid, o->uid) != 0)) {
		return err_errno(
			err, ERR_PROC_USER, errno, "becoming uid %u", (unsigned)o->uid);
	}
	if (o->drops && (setuid(0) == 0 || getuid() != o->uid || getegid() != o->gid))
		return err_set(err, ERR_PROC_USER, "privileges came back");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(err, ERR_SYSTEM, errno, "no_new_privs");
	return true;
}

/*
 * Locking needs a limit of its own that outlives root: after sandbox_become() a locked
 * stack that wants to grow beyond RLIMIT_MEMLOCK is a segmentation fault. So either
 * there is no limit, or nothing is locked.
 */
static bool
lock_memory(void)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	return setrlimit(RLIMIT_MEMLOCK, &all) == 0 &&
		mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

void
sandbox_hide_memory(void)
{
	const struct rlimit none = {0, 0};
	(void)setrlimit(RLIMIT_CORE, &none);
	if (!lock_memory())
		log_info("proc.memory-lock", "result=refused errno=%d", errno);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* ---- files */

enum {
	READ_FILE = LANDLOCK_ACCESS_FS_READ_FILE,
	READ_TREE = READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	WRITE_FILE = READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE,
	WRITE_TREE = READ_TREE | WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR,
	/* All of the first version; later ones only add finer ones. */
	ALL_OF_V1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
};

static long
landlock_add(int ruleset, const struct sandbox_path *p)
{
	struct stat st;
	int fd = open(p->path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return 0;
	bool tree = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	struct landlock_path_beneath_attr rule = {.parent_fd = fd};
	if (p->writes) {
		rule.allowed_access = tree ? WRITE_TREE : WRITE_FILE;
	} else {
		rule.allowed_access = tree ? READ_TREE : READ_FILE;
	}
	long rc = syscall(
		SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	int number = errno;
	(void)close(fd);
	errno = number;
	return rc;
}

bool
sandbox_files(const struct sandbox_path *paths, size_t n, struct err *err)
{
	const struct landlock_ruleset_attr attr = {.handled_access_fs = ALL_OF_V1};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
		log_info("proc.landlock", "result=absent");
		return true;
	}
	if (ruleset < 0)
		return err_errno(err, ERR_SYSTEM, errno, "landlock");
	long rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = landlock_add(ruleset, &paths[i]);
	if (rc == 0)
		rc = syscall(SYS_landlock_restrict_self, ruleset, 0);
	int number = errno;
	(void)close(ruleset);
	return rc == 0 || err_errno(err, ERR_SYSTEM, number, "landlock");
}

/* ---- system calls */

/* Memory, time, the loop, and bytes over descriptors it has already. */
static const int for_all[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(close),
	SCMP_SYS(close_range),
	SCMP_SYS(shutdown),
	SCMP_SYS(fcntl),
	SCMP_SYS(dup),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(mlock),
	SCMP_SYS(munlock),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(uname),
	SCMP_SYS(futex),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(tgkill),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(membarrier),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(lseek),
	SCMP_SYS(openat),
	SCMP_SYS(readlink),
	SCMP_SYS(sysinfo),
	SCMP_SYS(prlimit64),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* Nothing of ours or of a library's does these. */
static const int for_nobody[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(init_module),
	SCMP_SYS(bpf),
	SCMP_SYS(mount),
	SCMP_SYS(keyctl),
	SCMP_SYS(userfaultfd),
};

static int
add_calls(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n)
{
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = seccomp_rule_add(filter, action, calls[i], 0);
	return rc;
}

static int
add_connecting(scmp_filter_ctx filter)
{
	static const int calls[] = {SCMP_SYS(connect), SCMP_SYS(bind),
		SCMP_SYS(accept4), SCMP_SYS(pipe2), SCMP_SYS(splice)};
	static const unsigned families[] = {AF_INET, AF_INET6};
	int rc = add_calls(filter, SCMP_ACT_ALLOW, calls, COUNT_OF(calls));
	for (size_t i = 0; i < COUNT_OF(families) && rc == 0; i++) {
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			SCMP_A0(SCMP_CMP_EQ, families[i]));
	}
	return rc;
}

static int
fill_filter(scmp_filter_ctx filter, const struct sandbox_calls *more)
{
	int rc = add_calls(filter, SCMP_ACT_ALLOW, for_all, COUNT_OF(for_all));
	if (rc == 0) {
		rc = add_calls(filter, SCMP_ACT_KILL_PROCESS, for_nobody,
			COUNT_OF(for_nobody));
	}
	if (rc == 0)
		rc = add_calls(filter, SCMP_ACT_ALLOW, more->calls, more->n);
	if (rc == 0 && more->connects)
		rc = add_connecting(filter);
	if (rc == 0 && more->connects_here) {
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	}
	return rc;
}

bool
sandbox_calls(const struct sandbox_calls *more, struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return err_set(err, ERR_SYSTEM, "seccomp");
	int rc = fill_filter(filter, more);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc == 0 || err_errno(err, ERR_SYSTEM, -rc, "seccomp");
}
